/** The action of `pypet-ts convert <in.h5> <out.h5> --layout <layout>`. */
import { type ConvertedTrajectory, convertFile } from '../../library/convert.ts'
import type { Layout } from '../../names.ts'
import { formatBytes, formatCount, formatRuns } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { shellWord } from '../../shell-word.ts'
import { interruptible } from '../end-on-signals.ts'

export interface ConvertFlags {
  /** Checked by `convertFile`. */
  readonly layout: string
  readonly overwrite?: boolean
  readonly json?: boolean
}

/**
 * Copies a file into another layout, and prints what became of its trajectories.
 *
 * @throws PypetError as `convertFile`
 */
export async function convertCommand(source: string, target: string, flags: ConvertFlags): Promise<void> {
  const { layout, overwrite = false } = flags
  const report = await interruptible(
    'convert',
    () => 'nothing was written',
    () => convertFile(source, target, { layout: layout as Layout, overwrite }),
  )
  const { bytesBefore, bytesAfter, trajectories } = report
  if (flags.json === true) {
    const facts = trajectories.map((each) => ({
      name: each.name,
      run_count: each.runCount,
      leaves_in_columns: each.leavesInColumns,
      leaves_in_tree: each.leavesInTree,
    }))
    process.stdout.write(
      `${JSON.stringify({ event: 'convert', file: target, layout, bytes: bytesAfter, trajectories: facts })}\n`,
    )
    return
  }
  const lines = [
    `${shownPath(target)}: ${formatBytes(bytesAfter)}, layout ${layout}; ${shownPath(source)} has ${formatBytes(bytesBefore)}`,
    ...trajectories.map((each) => `  ${each.name}: ${formatRuns(each.runCount)}, ${placesText(each)}`),
    `next:  pypet-ts overview ${shellWord(shownPath(target))}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function placesText({ leavesInColumns, leavesInTree }: ConvertedTrajectory): string {
  const leaves = (count: number) => `${formatCount(count)} ${count === 1 ? 'leaf' : 'leaves'}`
  return `${leaves(leavesInColumns)} in columns, ${leaves(leavesInTree)} below their runs`
}
