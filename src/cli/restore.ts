/** The action of `pypet-ts restore <file>`. */
import { join } from 'node:path'
import { type Restored, restore } from '../library/restore.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { shellWord } from '../shell-word.ts'
import { interruptible } from './interruption.ts'
import { printable } from './value-text.ts'

export interface RestoreFlags {
  readonly to: string
  readonly trajectory?: string
  readonly force?: boolean
  readonly json?: boolean
}

/**
 * Restores, and prints what was written and how to run it again.
 *
 * @throws PypetError as `restore`
 */
export async function restoreCommand(file: string, flags: RestoreFlags): Promise<void> {
  const restored = await interruptible('restore', 'nothing was written', () => restore(file, flags))
  process.stdout.write(flags.json === true ? `${JSON.stringify(restored)}\n` : restoredText(restored))
}

/** Names come from a file: they must not write on the terminal what they like. */
function restoredText({ folder, files, job, commit, diff, leftOut }: Restored): string {
  const lines = files.map((name) => `wrote ${printable(join(folder, name))}`)
  for (const name of leftOut) lines.push(`not in the file: ${printable(name)}`)
  if (commit !== undefined) {
    lines.push('', 'The whole repository as it was, in a clone of it:', `  git checkout ${commit}`)
    if (diff !== undefined) lines.push(`  git apply ${shellWord(join(folder, diff))}`)
  }
  // There, so that it writes a file of its own.
  const enter = `cd ${shellWord(shownPath(folder))} && `
  if (job !== undefined)
    lines.push('', 'Run it again:', printable(`  ${enter}pypet-ts run ${shellWord(job)}`))
  return `${lines.join('\n')}\n`
}
