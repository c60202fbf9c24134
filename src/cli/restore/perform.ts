/** The action of `pypet-ts restore <file>`. */
import { join } from 'node:path'
import { PypetError } from '../../errors.ts'
import { type Restored, restore } from '../../library/restore.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { shellWord } from '../../shell-word.ts'
import { printable } from '../../values/printable.ts'
import { interruptible } from '../end-on-signals.ts'
import { jsonDocument } from '../json-document.ts'

export interface RestoreFlags {
  readonly to: string
  readonly trajectory?: string
  readonly run?: string
  readonly environment?: string
  readonly force?: boolean
  readonly json?: boolean
  /** Print error stacks. */
  readonly verbose?: boolean
}

/**
 * Restores, and prints what was written and how to run it again.
 *
 * @throws PypetError as `restore`
 */
export async function restoreCommand(file: string, flags: RestoreFlags): Promise<void> {
  const { run, json, verbose: _, ...others } = flags
  const options = { ...others, ...(run !== undefined && { run: runOf(run) }) }
  const restored = await interruptible(
    'restore',
    () => 'nothing was written',
    () => restore(file, options),
  )
  process.stdout.write(
    json === true ? jsonDocument({ event: 'restored', ...restored }) : restoredText(restored),
  )
}

function runOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new PypetError('PYPET_USAGE', `--run: expected the number of a run, found ${JSON.stringify(text)}`, {
    where: '--run',
    hint: 'Use a number that `pypet-ts overview --runs` shows.',
  })
}

/** Names come from a file, so they must not control the terminal. */
function restoredText(restored: Restored): string {
  const { folder, files, job, commit, diff, leftOut, environment, environments } = restored
  const lines = files.map((name) => `wrote ${printable(join(folder, name))}`)
  for (const name of leftOut) lines.push(`not in the file: ${printable(name)}`)
  if (commit !== undefined) {
    lines.push('', 'The whole repository as it was, in a clone of it:', `  git checkout ${commit}`)
    if (diff !== undefined) lines.push(`  git apply ${shellWord(join(folder, diff))}`)
  }
  if (environments.length > 1) {
    lines.push(
      '',
      `These are the sources of ${printable(environment)}, one of ${environments.length} environments.`,
      'For another one: --run <n>, or --environment <name>.',
    )
  }
  // Run it in the folder, so that it writes its own file.
  const enter = `cd ${shellWord(shownPath(folder))} && `
  if (job !== undefined)
    lines.push('', 'Run it again:', printable(`  ${enter}pypet-ts run ${shellWord(job)}`))
  return `${lines.join('\n')}\n`
}
