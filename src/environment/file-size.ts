/** How large the file of an experiment becomes, and what to say before the first run if that matters. */
import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Settings } from '../experiment/options.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import type { Layout } from '../names.ts'
import { formatBytes, formatDuration, formatRuns } from '../reporting/quantity.ts'

/**
 * File size per run with one scalar result, including its row in `runs`. Tree: the difference between
 * `pypet-ts run experiments/throughput/job.ts --explore i=0:10000` and `i=0:20000`, measured with `ls -l`, without the
 * explored value. Columns: `experiments/million`.
 */
const RUN_FILE_BYTES = { tree: 735, columns: 50 } as const
/** The rest of these files: provenance, config, and the overview tables, of at most a thousand rows. */
const EMPTY_FILE_BYTES = 580_000
/** Time to run and write a run of the second of these experiments. */
const GROUP_MS = 0.33
/** From here on, the layout matters. */
const MANY_RUNS = 50_000

/** With one number as the result of each run. */
export function fileBytesOf({ runCount, explored }: ExplorationPlan, layout: Layout): number {
  const ranges = explored.reduce((bytes, { textBytesMax }) => bytes + Math.max(8, textBytesMax), 0)
  return EMPTY_FILE_BYTES + runCount * (RUN_FILE_BYTES[layout] + ranges)
}

/** Sentences, none if there is nothing to say. */
export function sizeWarnings(plan: ExplorationPlan, settings: Settings): string[] {
  const { layout, filename, useHdf5 } = settings
  if (!useHdf5) return []
  const warnings: string[] = []
  const bytes = fileBytesOf(plan, layout)
  if (layout === 'tree' && plan.runCount >= MANY_RUNS) {
    const inColumns = formatBytes(fileBytesOf(plan, 'columns'))
    warnings.push(
      `${formatRuns(plan.runCount)} as groups take about ${formatBytes(bytes)} and ${formatDuration(plan.runCount * GROUP_MS)} of writing; --layout columns takes about ${inColumns}`,
    )
  }
  const folder = existingFolderOf(filename)
  const free = freeBytes(folder)
  if (free !== undefined && free < bytes) {
    warnings.push(
      `${folder} has ${formatBytes(free)} free, but the file takes about ${formatBytes(bytes)} with one number per run; free some space, or choose another place with --file`,
    )
  }
  return warnings
}

function existingFolderOf(file: string): string {
  let folder = dirname(file)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/** Undefined if the system does not tell. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return undefined
  }
}
