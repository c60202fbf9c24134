/**
 * The arguments for the job of an unfinished experiment: those its `.cnt` file kept, or those its script passes again.
 */
import { basename } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import { damaged } from '../journal/cnt-records.ts'
import type { CntState } from '../journal/cnt-state.ts'
import { RunSet } from '../journal/run-set.ts'
import type { RunIndex } from '../values/path.ts'
import { type JobArguments, jobArguments, readArguments } from './job-arguments.ts'

export type ArgumentsOfRuns = (runs: readonly RunIndex[]) => JobArguments

/** @throws PypetError `PYPET_CNT_DAMAGED`; `PYPET_USAGE` if they are neither given nor recorded, or both */
export function continuedArguments(
  { path, experiment }: CntState,
  argsOf: ArgumentsOfRuns | undefined,
  runCount: number,
): JobArguments {
  const { continuation } = experiment.request
  if (argsOf !== undefined) {
    if (continuation.argsOfScript === undefined) throw givenAndRecorded(path)
    const { runs: ranges = [0, runCount] } = continuation.argsOfScript
    if ((ranges.at(-1) ?? 0) > runCount)
      throw damaged(path, `its script gave arguments for more than ${runCount} runs`)
    // Points may have been added during the experiment, and runs stored before it had their own arguments.
    return jobArguments(argsOf([...RunSet.ofRanges(ranges)]))
  }
  const isFunction = continuation.job.isFunction === true
  const options = isFunction ? '{ job: theFunction, args: […] }' : '{ args: […] }'
  try {
    return readArguments(
      continuation,
      path,
      `Continue it from its script: await env.continueRun(${JSON.stringify(basename(path))}, ${options}).`,
    )
  } catch (error) {
    if (isPypetError(error)) throw error
    throw damaged(path, `the arguments of the job: ${(error as Error).message}`)
  }
}

function givenAndRecorded(path: string): PypetError {
  return new PypetError('PYPET_USAGE', `the arguments of the job are already in ${path}`, {
    where: 'args',
    hint: 'Leave them out: the remaining runs use the recorded ones.',
  })
}
