/** Turns events into lines of the log: text, level and format in a file. Pure. */
import type { ErrorRecord } from '../errors.ts'
import type { ExperimentEvent } from '../events.ts'
import { runName } from '../names.ts'
import { allowsLevel, type LogLevel } from '../run/log-level.ts'
import type { RunIndex } from '../values/path.ts'
import { Milestones } from './milestones.ts'
import { type Clock, describeProgress, describeStart, formatPercent, ProgressCounter } from './progress.ts'
import { formatCount, formatDuration, formatRuns } from './quantity.ts'

export interface LogLine {
  readonly timeMs: number
  readonly level: LogLevel
  readonly message: string
  /** The pool thread that wrote it; undefined for the main process. */
  readonly worker: number | undefined
  /** The run that wrote it, or that it is about. */
  readonly run: RunIndex | undefined
}

/**
 * Turns events into lines at or above `level`: start, finish and each step of the progress at `info`, each failure with
 * its stack at `error`, each stored run at `debug`, and the lines of `log` events.
 *
 * A suppressed line costs one comparison: jobs may log at `debug` a thousand times per run.
 */
export class LogLines {
  readonly #level: LogLevel
  readonly #now: Clock
  readonly #counter: ProgressCounter
  readonly #milestones: Milestones

  /**
   * @param now the wall clock, in milliseconds since 1970
   * @param progressStep percentage of the runs between two progress lines
   */
  constructor(level: LogLevel, now: Clock, clock: Clock, progressStep?: number) {
    this.#milestones = new Milestones(progressStep)
    this.#level = level
    this.#now = now
    this.#counter = new ProgressCounter(clock)
  }

  /** Passes the event's lines to `write`, in order. */
  observe(event: ExperimentEvent, write: (line: LogLine) => void): void {
    if (event.type === 'log') {
      // What the job prints goes either to the terminal or to the logs.
      if (event.printedTo !== undefined || !allowsLevel(this.#level, event.level)) return
      write(this.#line(event.level, event.message, event.run, event.worker))
      return
    }
    this.#counter.observe(event)
    switch (event.type) {
      case 'experiment-started':
        this.#write('info', describeStart(event), write)
        return
      case 'runs-stored':
        if (allowsLevel(this.#level, 'debug')) {
          for (const run of event.runs) write(this.#line('debug', 'stored', run))
        }
        this.#writeProgress(write)
        return
      case 'run-failed': {
        write(this.#line('error', `failed: ${describeFailure(event.error)}`, event.run))
        this.#writeProgress(write)
        return
      }
      case 'run-retried': {
        const message = `attempt ${event.attempt} failed, retrying: ${describeFailure(event.error)}`
        if (allowsLevel(this.#level, 'warn')) write(this.#line('warn', message, event.run))
        return
      }
      case 'runs-added':
        this.#write(
          'info',
          `${formatRuns(event.addedCount)} added, ${formatCount(event.runCount)} in all`,
          write,
        )
        return
      case 'experiment-finished': {
        const { storedCount, failedCount, durationMs } = event.summary
        const failed = failedCount > 0 ? `, ${formatRuns(failedCount)} failed` : ''
        const stored = `${formatRuns(storedCount)} stored${failed}, in ${formatDuration(durationMs)}`
        this.#write('info', `finished: ${stored}`, write)
        return
      }
    }
  }

  #writeProgress(write: (line: LogLine) => void): void {
    if (!allowsLevel(this.#level, 'info')) return
    const progress = this.#counter.snapshot()
    if (!this.#milestones.reached(progress)) return
    this.#write('info', `${formatPercent(progress)}: ${describeProgress(progress)}`, write)
  }

  #write(level: LogLevel, message: string, write: (line: LogLine) => void): void {
    if (allowsLevel(this.#level, level)) write(this.#line(level, message))
  }

  #line(level: LogLevel, message: string, run?: RunIndex, worker?: number): LogLine {
    return { timeMs: this.#now(), level, message, worker, run }
  }
}

function describeFailure({ name, message, stack, hint }: ErrorRecord): string {
  const text = stack === '' ? `${name}: ${message}` : stack
  return hint === undefined ? text : `${text}\nhint: ${hint}`
}

/**
 * `2026-11-23 07:31:00.123 INFO  run_00000012: message`, in local time. Further lines of a message are indented, so
 * that every line that starts with a digit starts a message.
 */
export function formatLogLine({ timeMs, level, message, worker, run }: LogLine): string {
  const source = run !== undefined ? `${runName(run)}: ` : worker !== undefined ? `worker ${worker}: ` : ''
  const text = message.includes('\n') ? message.trimEnd().replace(/\r?\n/g, '\n    ') : message
  return `${formatTime(timeMs)} ${level.toUpperCase().padEnd(5)} ${source}${text}\n`
}

/** `2026-11-23 07:31:00.123` in local time. */
export function formatTime(timeMs: number): string {
  const time = new Date(timeMs)
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
