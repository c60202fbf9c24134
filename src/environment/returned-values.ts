import { deserialize } from 'node:v8'
import { returnedValues } from '../continue/cnt-journal.ts'
import { readCnt } from '../continue/cnt-state.ts'
import { FILES } from '../continue/disk.ts'
import type { ExperimentSummary } from '../events.ts'
import type { RunIndex } from '../trajectory/path.ts'

/** What the jobs of all stored runs returned, by run, those of earlier executions too. */
export type ReturnedValues = readonly { readonly run: RunIndex; readonly value: unknown }[]

export interface CollectedSummary extends ExperimentSummary {
  readonly returned: ReturnedValues
}

/**
 * Adds what the jobs returned to the summary of an experiment that kept its `.cnt` file, and then removes the file
 * if every run is stored and nobody else wants it.
 */
export function takeReturned(summary: ExperimentSummary, keepCnt: boolean): CollectedSummary {
  const { cntFile } = summary
  if (cntFile === undefined) return { ...summary, returned: [] }
  const { stored, isComplete, isApplied } = readCnt(cntFile)
  const returned = [...returnedValues(cntFile, FILES)]
    .filter(([run]) => stored.has(run))
    .sort(([a], [b]) => a - b)
    .map(([run, bytes]) => ({ run, value: deserialize(bytes) as unknown }))
  if (!isComplete || !isApplied || keepCnt) return { ...summary, returned }
  FILES.remove(cntFile)
  return { ...summary, cntFile: undefined, returned }
}
