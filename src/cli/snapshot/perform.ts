/** The action of `pypet-ts snapshot <file.h5|run.cnt> <out.h5>`. */
import { existsSync } from 'node:fs'
import { checkSignature } from '../../hdf5/signature.ts'
import { takeSnapshotCalmly } from '../../journal/snapshot.ts'
import { isUnfinished } from '../../reading/committed-file.ts'
import { formatBytes, formatCount, formatRuns } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { summariseFile } from '../../results/summarise.ts'
import { shellWord } from '../../shell-word.ts'
import { interruptible } from '../end-on-signals.ts'

export interface SnapshotFlags {
  readonly overwrite?: boolean
  readonly json?: boolean
}

/**
 * Copies the last committed state of a file, and prints what the copy holds.
 *
 * @throws PypetError `PYPET_FILE_NOT_HDF5`, and as `takeSnapshotCalmly`
 */
export async function snapshotCommand(source: string, target: string, flags: SnapshotFlags): Promise<void> {
  // With a .cnt file, the file on the disk may be incomplete.
  const isPlain = !source.endsWith('.cnt') && !(existsSync(source) && isUnfinished(source))
  if (isPlain) await checkSignature(source)
  const bytes = await interruptible(
    'snapshot',
    () => 'nothing was written',
    () => takeSnapshotCalmly(source, target, { overwrite: flags.overwrite === true }),
  )
  const { trajectories } = await summariseFile(target)
  if (flags.json === true) {
    const facts = trajectories.map(({ name, runs }) => ({
      name,
      run_count: runs.total,
      stored_count: runs.done,
    }))
    process.stdout.write(
      `${JSON.stringify({ event: 'snapshot', file: target, bytes, trajectories: facts })}\n`,
    )
    return
  }
  const held = trajectories.map(
    ({ name, runs }) => `${name}: ${formatCount(runs.done)} of ${formatRuns(runs.total)} stored`,
  )
  const lines = [
    `${shownPath(target)}: ${formatBytes(bytes)}, a consistent copy of ${shownPath(source)}`,
    ...held.map((text) => `  ${text}`),
    `next:  pypet-ts overview ${shellWord(shownPath(target))}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
