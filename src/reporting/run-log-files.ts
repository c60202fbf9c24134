import { appendFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { makeFolders } from '../folders.ts'
import { fillLogName, runWildcards } from '../run/log-name.ts'
import type { RunIndex } from '../values/path.ts'
import { logsNotWritable, workerName } from './log-folder.ts'
import type { LogLine } from './log-lines.ts'
import { formatCount } from './quantity.ts'

/** Text of all runs that waits to be written. */
const BUFFER_LENGTH_MAX = 256 * 1024
/** The worker is remembered for this many runs: more than can be active at a time. */
const WORKERS_KNOWN_MAX = 10_000

/**
 * The log files of runs. A file is open only while it is written, one at a time: a hundred thousand runs need as many
 * descriptors as one. Like `LogFile`, it never loses a line silently and never stops an experiment.
 */
export class RunLogFiles {
  readonly #folder: string
  readonly #name: string
  readonly #needsWorker: boolean
  #texts = new Map<string, string[]>()
  #length = 0
  readonly #workers = new Map<RunIndex, number>()
  #lostCount = 0
  #failure: unknown

  /**
   * Creates nothing yet.
   *
   * @param folder of the trajectory's logs
   * @param name with wildcards, relative to the folder
   */
  constructor(
    folder: string,
    name: string,
    of: { readonly trajectory: string; readonly environment: string },
  ) {
    this.#folder = folder
    const known = { $traj: of.trajectory, $env: of.environment, $host: hostname() }
    this.#name = fillLogName(name, known)
    this.#needsWorker = name.includes('$proc')
  }

  /** Ignores lines that do not belong to a run. */
  write({ run, worker }: Pick<LogLine, 'run' | 'worker'>, text: string): void {
    if (run === undefined) return
    const proc = this.#needsWorker ? { $proc: workerName(this.#workerOf(run, worker)) } : {}
    const name = fillLogName(this.#name, { ...runWildcards(run), ...proc })
    const texts = this.#texts.get(name)
    if (texts === undefined) this.#texts.set(name, [text])
    else texts.push(text)
    this.#length += text.length
    if (this.#length >= BUFFER_LENGTH_MAX) this.flush()
  }

  /** Passes all text to the operating system. Never throws: see `close`. */
  flush(): void {
    if (this.#texts.size === 0) return
    const all = this.#texts
    this.#texts = new Map()
    this.#length = 0
    for (const [name, texts] of all) {
      try {
        appendTo(join(this.#folder, name), texts.join(''))
      } catch (cause) {
        this.#failure ??= cause
        this.#lostCount += texts.length
      }
    }
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if lines were lost */
  close(): void {
    this.flush()
    if (this.#lostCount === 0) return
    const found = `lost ${formatCount(this.#lostCount)} lines of runs: ${(this.#failure as Error).message}`
    throw logsNotWritable(this.#folder, found, this.#failure)
  }

  /** What main says about a run goes to the file of the worker that computed it. */
  #workerOf(run: RunIndex, worker: number | undefined): number {
    const known = worker ?? this.#workers.get(run) ?? 0
    if (this.#workers.size >= WORKERS_KNOWN_MAX)
      this.#workers.delete(this.#workers.keys().next().value ?? run)
    this.#workers.set(run, known)
    return known
  }
}

function appendTo(path: string, text: string): void {
  try {
    appendFileSync(path, text)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    makeFolders(dirname(path))
    appendFileSync(path, text)
  }
}
