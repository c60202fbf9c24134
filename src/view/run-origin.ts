/** Where a run comes from: its log, the source of its job, its provenance. Bounded, and harmless to look at. */
import { shownPath } from '../reporting/shown-path.ts'
import { type ConfigLeaves, wordsIn } from '../results/config-leaves.ts'
import { type LogLimits, readRunLog } from '../results/run-log.ts'
import type { RunReport } from '../results/run-report.ts'
import { storedSources } from '../results/stored-sources.ts'
import { shellArgument } from '../shell-word.ts'
import { printable, printableLine } from '../values/printable.ts'
import { valueText } from './value-text.ts'
import type { OriginText, RunLogText, RunProvenance, RunSources } from './view-protocol.ts'

/** What a page can show, and what a server reads while runs need the cores. */
const LOG_LIMITS: LogLimits = { linesMax: 2000, bytesMax: 64 * 2 ** 20 }
/** Of one text. */
const LENGTH_MAX = 200_000
/** Of all texts together. */
const TOTAL_LENGTH_MAX = 2_000_000

export async function runLogText(report: RunReport): Promise<RunLogText> {
  const { file, lines, omittedCount, unreadBytes, looked, problem } = await readRunLog(report, LOG_LIMITS)
  return {
    file: file === undefined ? undefined : printable(shownPath(file)),
    lines: lines.map(printableLine),
    omittedCount,
    unreadBytes,
    problem,
    looked: looked.map((folder) => printable(shownPath(folder))),
  }
}

/** @param report with sources */
export function runSources({ environment }: RunReport): RunSources {
  if (environment === undefined) return { environment: undefined, files: [], omittedCount: 0 }
  const { name, leaves } = environment
  const sources = [...storedSources(leaves).values()]
  const changes = leaves.get('provenance.git.diff')
  if (changes?.form === 'ndarray' && changes.data instanceof Uint8Array)
    sources.push({ path: 'git diff', text: Buffer.from(changes.data).toString() })
  const texts = sources.map(({ path, text }) => ({ name: path, text }))
  const { shown, omittedCount } = bounded(texts)
  return { environment: printable(name), files: shown, omittedCount }
}

export function runProvenance({ environment }: RunReport): RunProvenance {
  if (environment === undefined) return { environment: undefined, facts: [], omittedCount: 0 }
  const { name, leaves } = environment
  const { shown, omittedCount } = bounded(factsIn(leaves))
  return { environment: printable(name), facts: shown, omittedCount }
}

/** What a reader looks for first. */
const FIRST: readonly string[] = [
  'provenance.argv',
  'provenance.git.hexsha',
  'provenance.git.branch',
  'provenance.git.state',
  'provenance.git.message',
  'provenance.host',
  'provenance.platform',
  'provenance.node',
  'versions.pypet_ts',
  'provenance.packages',
]
/** An index of the sources. */
const LEFT_OUT: readonly string[] = ['provenance.files']

function factsIn(leaves: ConfigLeaves): NamedText[] {
  const names = [...leaves.keys()].filter((name) => !LEFT_OUT.includes(name) && !FIRST.includes(name)).sort()
  return [...FIRST, ...names].flatMap((name) => {
    const value = leaves.get(name)
    if (value === undefined) return []
    const words = name === 'provenance.argv' ? wordsIn(leaves, name) : []
    return [{ name, text: words.length > 0 ? words.map(shellArgument).join(' ') : valueText(value) }]
  })
}

interface NamedText {
  readonly name: string
  readonly text: string
}

/** As many texts as there is room for. */
function bounded(texts: readonly NamedText[]): {
  readonly shown: OriginText[]
  readonly omittedCount: number
} {
  const shown: OriginText[] = []
  let room = TOTAL_LENGTH_MAX
  for (const { name, text } of texts) {
    const part = text.slice(0, LENGTH_MAX)
    room -= name.length + part.length
    if (room < 0) break
    const omittedLength = text.length - part.length
    shown.push({ name: printable(name), text: printableLines(part), omittedLength })
  }
  return { shown, omittedCount: texts.length - shown.length }
}

function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printableLine).join('\n')
}
