/** What the logs of an experiment hold of one run. */
import { createReadStream, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { systemRefusal } from '../errors.ts'
import { realFileOf } from '../journal/real-file.ts'
import { logFolderOf, MAIN_LOG } from '../reporting/log-folder.ts'
import { numberIn, type RunEnvironment, textIn } from './config-leaves.ts'
import type { RunReport } from './run-report.ts'

export interface RunLog {
  /** The log that was found. */
  readonly file: string | undefined
  /** The last lines of the run, without line breaks. */
  readonly lines: readonly string[]
  /** Number of earlier lines among those that were read. */
  readonly omittedCount: number
  /** Bytes at the start of the log that were not read. */
  readonly unreadBytes: number
  /** Where the log was looked for. */
  readonly looked: readonly string[]
  /** Why the log cannot be read, such as `permission denied (EACCES)`. Undefined if it was read, or not found. */
  readonly problem: string | undefined
}

export interface LogLimits {
  /** Lines that are returned. */
  readonly linesMax: number
  /** Bytes that are read, from the end of the log. */
  readonly bytesMax: number
}

/** The rest of a longer line is left out, so that a log without line breaks does not fill the memory. */
const LINE_LENGTH_MAX = 10_000

const NONE: RunLog = {
  file: undefined,
  lines: [],
  omittedCount: 0,
  unreadBytes: 0,
  looked: [],
  problem: undefined,
}

/**
 * The log is in the folder that the experiment has recorded, or in `logs` where the command is called, beside the HDF5
 * file, or beside its folder. A log that cannot be read is no error: the rest of the run is worth showing.
 */
export async function readRunLog(report: RunReport, limits: LogLimits): Promise<RunLog> {
  const { environment } = report
  if (!isOwnRun(report)) return NONE
  const folder = dirname(realFileOf(report.file))
  const recorded = environment && logFolderIn(environment)
  const folders = [recorded, 'logs', join(folder, 'logs'), join(dirname(folder), 'logs')]
  const looked = [
    ...new Set(
      folders
        .filter((name) => name !== undefined)
        .map((name) => resolve(logFolderOf(name, report.trajectory, environment?.name))),
    ),
  ]
  const file = looked.map((name) => join(name, MAIN_LOG)).find(isFile)
  if (file === undefined) return { ...NONE, looked }
  try {
    return { ...NONE, file, ...(await linesOf(file, report, limits)), looked }
  } catch (error) {
    return { ...NONE, file, looked, problem: systemRefusal(error).found }
  }
}

/** Whether the run has the same number as when it was computed. In merged trajectories, others do not. */
export function isOwnRun({ environment, trajectory }: RunReport): boolean {
  const made = environment && textIn(environment.leaves, 'trajectory.name')
  return made === undefined || made === trajectory
}

/** The option `logFolder`, as provenance has recorded it: `logFolder = "/a/logs" (the default)`. */
function logFolderIn({ leaves }: RunEnvironment): string | undefined {
  const options = textIn(leaves, 'provenance.options') ?? ''
  const [, json] = /^logFolder = ("(?:[^"\\]|\\.)*")/m.exec(options) ?? []
  if (json === undefined) return undefined
  try {
    const folder = String(JSON.parse(json))
    // The file comes from anyone, and no path holds a NUL.
    return folder.includes('\0') ? undefined : folder
  } catch {
    return undefined
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** `2026-11-23 07:31:00.123 INFO  run_00000012: message`, in local time. Further lines of a message are indented. */
const HEAD = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3}) \S+ +/

/** An earlier trajectory of the name may have written to the same log. */
async function linesOf(
  file: string,
  { name, failure, environment }: RunReport,
  { linesMax, bytesMax }: LogLimits,
): Promise<Pick<RunLog, 'lines' | 'omittedCount' | 'unreadBytes'>> {
  const since = (environment && numberIn(environment.leaves, 'timestamp')) ?? 0
  const unreadBytes = Math.max(0, statSync(file).size - bytesMax)
  const lines: string[] = []
  let count = 0
  let takes = false
  for await (const line of linesFrom(file, unreadBytes)) {
    const head = HEAD.exec(line)
    if (head !== null) {
      const rest = line.slice(head[0].length)
      takes = rest.startsWith(`${name}: `) && timeOf(head) >= since
      // The error is shown with its stack already.
      if (takes && failure !== undefined && rest.startsWith(`${name}: failed: `)) {
        takes = false
        continue
      }
    } else if (!line.startsWith(' ')) takes = false
    if (!takes) continue
    count += 1
    lines.push(line)
    if (lines.length > 2 * linesMax) lines.splice(0, lines.length - linesMax)
  }
  const shown = lines.slice(-linesMax)
  return { lines: shown, omittedCount: count - shown.length, unreadBytes }
}

/** The lines of a file from an offset on, without line breaks. Keeps one line and one chunk in memory. */
async function* linesFrom(file: string, start: number): AsyncGenerator<string> {
  const chunks: AsyncIterable<string> = createReadStream(file, { start, encoding: 'utf8' })
  let rest = ''
  for await (const chunk of chunks) {
    const [first = '', ...others] = chunk.split('\n')
    rest = joined(rest, first)
    for (const next of others) {
      yield rest.replace(/\r$/, '')
      rest = joined('', next)
    }
  }
  if (rest !== '') yield rest
}

function joined(line: string, more: string): string {
  if (line.length + more.length <= LINE_LENGTH_MAX) return line + more
  return line.endsWith(CUT) ? line : `${(line + more).slice(0, LINE_LENGTH_MAX)}${CUT}`
}

const CUT = ' …'

/** Seconds since 1970, rounded up: the log has milliseconds. */
function timeOf(head: RegExpExecArray): number {
  const [year = 0, month = 1, ...others] = head.slice(1).map(Number)
  const [day = 1, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = others
  return (new Date(year, month - 1, day, hours, minutes, seconds, milliseconds).getTime() + 1) / 1000
}
