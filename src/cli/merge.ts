/** The action of `pypet-ts merge <files>`. */
import { statSync } from 'node:fs'
import { type MergeReport, mergeFiles, mergeFolder } from '../library/merge.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import { interruptible } from './interruption.ts'

export interface MergeFlags {
  readonly into: string
  readonly overwrite?: boolean
  readonly removeDuplicates?: boolean
  readonly trialParameter?: string
  readonly conflicts?: 'error' | 'keep-first'
  readonly json?: boolean
}

/** @throws PypetError as `mergeFiles` */
export async function mergeCommand(files: readonly string[], flags: MergeFlags): Promise<void> {
  const into = { file: flags.into, overwrite: flags.overwrite === true }
  const options = {
    removeDuplicates: flags.removeDuplicates === true,
    ...(flags.trialParameter !== undefined && { trialParameter: flags.trialParameter }),
    ...(flags.conflicts !== undefined && { conflicts: flags.conflicts }),
  }
  const [first] = files
  const isFolder =
    files.length === 1 && statSync(first as string, { throwIfNoEntry: false })?.isDirectory() === true
  const report = await interruptible('merge', 'nothing was written', async () =>
    isFolder
      ? await mergeFolder(first as string, into, options)
      : await mergeFiles(
          files.map((file) => ({ file })),
          into,
          options,
        ),
  )
  process.stdout.write(
    flags.json === true ? `${JSON.stringify({ event: 'merged', ...report })}\n` : reportText(report),
  )
}

function reportText({ file, trajectory, runCount, merged }: MergeReport): string {
  const lines = merged.flatMap((input) => {
    const duplicates = input.duplicates === 0 ? '' : `, ${input.duplicates} points were there already`
    const conflicts = input.conflicts.map(
      ({ known, run, names }) => `    ${run} differs from ${known} in ${names.join(', ')}; that is kept`,
    )
    return [`  + ${input.runs} runs of ${input.trajectory} in ${input.file}${duplicates}`, ...conflicts]
  })
  return `${file}: ${trajectory}, ${runCount} runs\n${lines.join('\n')}\nnext:  pypet-ts overview ${shellWord(shownPath(file))}\n`
}
