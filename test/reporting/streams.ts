/** Small real streams for reporters to write to, and events to feed them. */
import { Writable } from 'node:stream'
import type { ErrorRecord } from '../../src/errors.ts'
import type { ExperimentEvent, ExperimentSummary } from '../../src/events.ts'
import type { Clock } from '../../src/reporting/progress.ts'

/** Keeps what is written to it. */
export class CollectedText extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
}

/** A terminal that knows the few control sequences which a bar needs, and shows what a person would see. */
export class TerminalScreen extends CollectedText {
  readonly isTTY = true
  readonly columns: number
  readonly #rows: string[] = ['']
  #row = 0
  #column = 0
  #saved = { row: 0, column: 0 }

  constructor(columns: number) {
    super()
    this.columns = columns
  }

  override _write(chunk: Buffer, encoding: string, done: () => void): void {
    super._write(chunk, encoding, done)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the sequences of a terminal.
    for (const [token] of chunk.toString().matchAll(/\x1B\[[?\d;]*[A-Za-z]|\x1B[78]|[\s\S]/gu))
      this.#apply(token)
  }

  /** What stands on the screen, without empty lines at the end. */
  get rows(): string[] {
    return this.#rows
      .map((row) => row.trimEnd())
      .filter((row, index, all) => row !== '' || index < all.length - 1)
  }
  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column }
  }

  #apply(token: string): void {
    const row = this.#rows[this.#row] ?? ''
    if (token === '\n') {
      this.#row += 1
      this.#column = 0
      this.#rows[this.#row] ??= ''
    } else if (token === '\r' || token === '\x1B[1G') this.#column = 0
    else if (token === '\x1B[2K') this.#rows[this.#row] = ''
    else if (token === '\x1B[0K') this.#rows[this.#row] = row.slice(0, this.#column)
    else if (token === '\x1B7') this.#saved = this.cursor
    else if (token === '\x1B8') ({ row: this.#row, column: this.#column } = this.#saved)
    else if (token.startsWith('\x1B')) {
      if (!token.endsWith('m')) throw new Error(`the terminal does not know ${JSON.stringify(token)}`)
    } else {
      this.#rows[this.#row] =
        row.padEnd(this.#column).slice(0, this.#column) + token + row.slice(this.#column + 1)
      this.#column += 1
    }
  }
}

/** A clock that is moved by hand. */
export function handClock(): Clock & { advance(ms: number): void } {
  let nowMs = 5000
  return Object.assign(() => nowMs, {
    advance(ms: number) {
      nowMs += ms
    },
  })
}

type Started = Extract<ExperimentEvent, { type: 'experiment-started' }>

export function started(runCount: number, changes: Partial<Started> = {}): Started {
  return {
    type: 'experiment-started',
    trajectory: 'multiply',
    file: '/data/multiply.h5',
    cntFile: '/data/multiply.cnt',
    runCount,
    storedCount: 0,
    failedCount: 0,
    ncores: 2,
    executor: 'pool',
    logFolder: '/data/logs/multiply',
    ...changes,
  }
}

export function stored(...runs: number[]): ExperimentEvent {
  return { type: 'runs-stored', runs }
}

export function failed(run: number, error: Partial<ErrorRecord> = {}): ExperimentEvent {
  const { name = 'TypeError', message = 'tau is no number' } = error
  const stack = `${name}: ${message}\n    at node:internal/x:1:2\n    at run (/data/job.ts:12:9)`
  return { type: 'run-failed', run, error: { name, message, stack, ...error } }
}

export function summaryOf(changes: Partial<ExperimentSummary> = {}): ExperimentSummary {
  return {
    trajectory: 'multiply',
    file: '/data/multiply.h5',
    logFolder: '/data/logs/multiply',
    cntFile: undefined,
    runCount: 12,
    storedCount: 12,
    previouslyStoredCount: 0,
    failedCount: 0,
    leftCount: 0,
    stoppedBy: undefined,
    strayErrorCount: 0,
    durationMs: 420,
    ...changes,
  }
}
