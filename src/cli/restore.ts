/** The action of `pypet-ts restore <file>`. */
import { join } from 'node:path'
import { DIFF, type Restored, restore } from '../library/restore.ts'
import { shellWord } from '../reporting/shell-word.ts'
import { shownPath } from '../reporting/shown-path.ts'
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
  const restored = await restore(file, flags)
  process.stdout.write(flags.json === true ? `${JSON.stringify(restored)}\n` : restoredText(restored))
}

/** Names come from a file: they must not write on the terminal what they like. */
function restoredText({ folder, files, job, commit, hasDiff, leftOut }: Restored): string {
  const lines = files.map((name) => `wrote ${printable(join(folder, name))}`)
  for (const name of leftOut) lines.push(`not in the file: ${printable(name)}`)
  if (commit !== undefined) {
    lines.push('', 'The whole repository as it was, in a clone of it:', `  git checkout ${commit}`)
    if (hasDiff) lines.push(`  git apply ${shellWord(join(folder, DIFF))}`)
  }
  // There, so that it writes a file of its own.
  const enter = `cd ${shellWord(shownPath(folder))} && `
  if (job !== undefined)
    lines.push('', 'Run it again:', printable(`  ${enter}pypet-ts run ${shellWord(job)}`))
  return `${lines.join('\n')}\n`
}
