/** What the logs of an experiment hold of one run. */
import { createReadStream, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { realFileOf } from '../../journal/real-file.ts'
import { logFolderOf, MAIN_LOG } from '../../reporting/log-folder.ts'
import { numberIn, type RunEnvironment, textIn } from '../../results/config-leaves.ts'
import type { RunReport } from '../../results/run-report.ts'

export interface RunLog {
  /** The log that was found. */
  readonly file: string | undefined
  /** The last lines of the run, without line breaks. */
  readonly lines: readonly string[]
  /** Number of earlier lines. */
  readonly omittedCount: number
  /** Where the log was looked for. */
  readonly looked: readonly string[]
}

const NONE: RunLog = { file: undefined, lines: [], omittedCount: 0, looked: [] }

/**
 * The log is in the folder that the experiment has recorded, or in `logs` where the command is called, beside the HDF5
 * file, or beside its folder.
 */
export async function readRunLog(
  report: RunReport,
  { linesMax }: { readonly linesMax: number },
): Promise<RunLog> {
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
  const since = environment && numberIn(environment.leaves, 'timestamp')
  return { file, ...(await linesOf(file, report, { since: since ?? 0, linesMax })), looked }
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
    return String(JSON.parse(json))
  } catch {
    return undefined // The file comes from anyone.
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
  { name, failure }: RunReport,
  { since, linesMax }: { readonly since: number; readonly linesMax: number },
): Promise<Pick<RunLog, 'lines' | 'omittedCount'>> {
  const lines: string[] = []
  let count = 0
  let takes = false
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
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
  return { lines: shown, omittedCount: count - shown.length }
}

/** Seconds since 1970, rounded up: the log has milliseconds. */
function timeOf(head: RegExpExecArray): number {
  const [year = 0, month = 1, ...others] = head.slice(1).map(Number)
  const [day = 1, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = others
  return (new Date(year, month - 1, day, hours, minutes, seconds, milliseconds).getTime() + 1) / 1000
}
