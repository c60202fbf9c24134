/** What to type next about a run: how to debug it, how to run it again. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isAtHome } from '../../environment/recorded-places.ts'
import { realFileOf } from '../../journal/real-file.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { textIn, wordsIn } from '../../results/config-leaves.ts'
import { isOwnRun } from '../../results/run-log.ts'
import type { RunReport } from '../../results/run-report.ts'
import { shellArgument, shellWord } from '../../shell-word.ts'

export interface RunCommands {
  /** Runs it in a debugger. Undefined if the file does not tell how. */
  readonly debug: string | undefined
  /** Runs what failed or is missing. Undefined if the run is stored, or if there is no `.cnt` file. */
  readonly again: string | undefined
}

export function runCommands(report: RunReport): RunCommands {
  return { debug: debugCommand(report), again: againCommand(report) }
}

function againCommand({ status, cntFile }: RunReport): string | undefined {
  if (cntFile === undefined || status === 'stored') return undefined
  const command = `pypet-ts continue ${shellWord(shownPath(cntFile))}`
  return status === 'failed' ? `${command} --retry-failed` : command
}

/** Flags of `run` that decide about points, their order and their seeds. Each has a value. */
const POINT_FLAGS: readonly string[] = [
  '--explore',
  '--sample',
  '--only-if',
  '--derive',
  '--where',
  '--repeat',
  '--set',
  '--seed',
]

/** Undefined unless the job is at home with the file and the whole exploration came from one `pypet-ts run`. */
function debugCommand(report: RunReport): string | undefined {
  const { file, run, environment, environments } = report
  const words = environments.map(({ leaves }) => wordsIn(leaves, 'provenance.argv'))
  const [first] = words
  const isAdded = words.some(([, , command]) => command === 'expand' || command === 'merge')
  if (environment === undefined || first?.[2] !== 'run' || isAdded || !isOwnRun(report)) return undefined
  const named = textIn(environment.leaves, 'job.file')
  if (named === undefined || named === '') return undefined
  const real = realFileOf(file)
  const job = resolve(dirname(real), named)
  if (!existsSync(job) || !isAtHome(job, real)) return undefined
  const flags = pointFlags(first)
  // Provenance has masked what looks like a secret.
  if (flags.some((word) => word.includes('***'))) return undefined
  const shown = shellWord(shownPath(job))
  return ['pypet-ts run', shown, ...flags, '--point', run, '--inspect'].join(' ')
}

function pointFlags(words: readonly string[]): string[] {
  return words.flatMap((word, at) => {
    const isOfRun = at > 2 && !words.slice(0, at).includes('--')
    const equals = word.indexOf('=')
    if (isOfRun && POINT_FLAGS.includes(word)) return [word, shellArgument(words[at + 1] ?? '')]
    const name = word.slice(0, Math.max(0, equals))
    return isOfRun && POINT_FLAGS.includes(name) ? [name, shellArgument(word.slice(equals + 1))] : []
  })
}
