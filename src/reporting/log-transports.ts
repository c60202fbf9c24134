import { PypetError, toErrorRecord } from '../errors.ts'
import type { ExperimentEvent, Reporter } from '../events.ts'
import { runName } from '../names.ts'
import type { LogLevel } from '../run/log-level.ts'
import { type Logger, type LogTransport, transportLogger } from './log.ts'
import { formatLogLine, type LogLine, LogLines } from './log-lines.ts'
import type { Clock } from './progress.ts'
import { plural } from './quantity.ts'

export interface TransportLogOptions {
  readonly trajectory: string
  readonly level: LogLevel
  readonly progressStep?: number
  /** Names the module in messages. */
  readonly file: string
  /** Wraps every call of the user's code. */
  readonly call: (action: () => void) => void
  readonly now?: Clock
  /** How many lines a slow transport may be behind. */
  readonly waitingMax?: number
  /** How long transports may take to finish after the experiment. */
  readonly closeMaxMs?: number
}

/** How many lines a slow transport may be behind. Beyond this it loses lines, so that memory stays bounded. */
const WAITING_MAX = 10_000
/** Reported errors outside of any call; a timer may throw forever. */
const STRAYS_MAX = 3
const CLOSE_MAX_MS = 5000

/**
 * Passes every line of the log to the user's winston transports. Each has its own logger: a slow or throwing transport
 * delays neither the others, nor the log files, nor a run. `emit` or `close` throws each problem once, so that other
 * reporters can show it.
 *
 * A transport receives `{ level, message, timestamp, trajectory, worker, run }`, the last two if known. A transport
 * without a format also receives the line as in `main.txt`.
 */
export async function openTransportLog(
  transports: readonly LogTransport[],
  {
    trajectory,
    level,
    progressStep,
    file,
    call,
    now = Date.now,
    waitingMax = WAITING_MAX,
    closeMaxMs = CLOSE_MAX_MS,
  }: TransportLogOptions,
): Promise<Reporter & { readonly noteFailure: (thrown: unknown) => void }> {
  const lines = new LogLines(level, now, () => performance.now(), progressStep)
  const channels: TransportChannel[] = []
  for (const [index, transport] of transports.entries()) {
    const kind = transport.constructor.name
    const name = `log transport ${index + 1} (${kind}) of ${file}`
    channels.push(
      new TransportChannel({ name, transport, logger: await transportLogger(level, transport), waitingMax }),
    )
  }
  const strays: unknown[] = []
  const complain = () => {
    const found = channels.flatMap((channel) => channel.takeComplaints())
    found.push(...strays.splice(0).map((thrown) => complaintOf(`a log transport of ${file}`, thrown)))
    if (found.length > 0) throw new PypetError('PYPET_LOG_TRANSPORT_FAILED', found.join('; '))
  }
  return {
    noteFailure(thrown) {
      if (strays.length < STRAYS_MAX) strays.push(thrown)
    },
    emit(event: ExperimentEvent) {
      lines.observe(event, (line) => {
        const info = infoOf(line, trajectory)
        for (const channel of channels) call(() => channel.write({ ...info }))
      })
      complain()
    },
    async close() {
      await Promise.all(channels.map((channel) => channel.close(call, closeMaxMs)))
      complain()
    },
  }
}

/** The form of a line that winston expects. */
type Info = { level: LogLevel; message: string; [key: string | symbol]: unknown }

/** Transports and formats of winston find the text of a line under these names. */
const MESSAGE = Symbol.for('message')

function infoOf(line: LogLine, trajectory: string): Info {
  const { level, message, timeMs, worker, run } = line
  return {
    level,
    message,
    timestamp: new Date(timeMs).toISOString(),
    trajectory,
    ...(worker !== undefined && { worker }),
    ...(run !== undefined && { run: runName(run) }),
    [MESSAGE]: formatLogLine(line).trimEnd(),
  }
}

/** One transport, and the state of its lines. */
class TransportChannel {
  readonly #name: string
  readonly #transport: LogTransport
  readonly #logger: Logger
  readonly #waitingMax: number
  /** Lines that the transport has received and not yet finished. */
  #activeCount = 0
  #lostCount = 0
  #failure: { readonly thrown: unknown } | undefined
  #isFailureTold = false
  #lossTold = 0
  #isClosed = false
  #onIdle: () => void = () => undefined

  constructor({
    name,
    transport,
    logger,
    waitingMax,
  }: {
    readonly name: string
    readonly transport: LogTransport
    readonly logger: Logger
    readonly waitingMax: number
  }) {
    this.#waitingMax = waitingMax
    this.#name = name
    this.#transport = transport
    this.#logger = logger
    this.#guard()
    // Without a listener, an error of a stream would end the process.
    logger.on('error', (error) => this.#fail(error))
    transport.on('error', (error: unknown) => this.#fail(error))
  }

  write(info: Info): void {
    if (this.#waitingCount >= this.#waitingMax) {
      this.#lostCount += 1
      return
    }
    try {
      this.#logger.log(info)
    } catch (thrown) {
      // Errors of the transport's format arrive here. The line is lost, the next one is not.
      this.#fail(thrown)
    }
  }

  /** Resolves when the transport has finished, at the latest after `closeMaxMs`. Never rejects. */
  async close(call: TransportLogOptions['call'], closeMaxMs: number): Promise<void> {
    if (this.#isClosed) return
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), closeMaxMs)
    })
    const finished = new Promise<'finished'>((resolve) => {
      this.#transport.once('finish', () => resolve('finished'))
      // A transport that was ended by an error does not finish.
      this.#transport.once('close', () => resolve('finished'))
      if (this.#transport.destroyed) resolve('finished')
    })
    const idle = finished.then(() => this.#idle())
    try {
      call(() => void this.#logger.end())
    } catch (thrown) {
      this.#fail(thrown)
    }
    const end = await Promise.race([idle, enough])
    this.#isClosed = true
    clearTimeout(timer)
    if (end !== 'late') return
    this.#lostCount += this.#waitingCount
    this.#fail(new Error(`it did not finish within ${closeMaxMs / 1000} s`))
  }

  /** New complaints: the first failure, the first lost line, and at the end the number of lost lines. */
  takeComplaints(): string[] {
    const complaints: string[] = []
    if (this.#failure !== undefined && !this.#isFailureTold) {
      this.#isFailureTold = true
      complaints.push(complaintOf(this.#name, this.#failure.thrown))
    }
    // The first loss at once, and the total at the end.
    if (this.#lostCount === this.#lossTold || (this.#lossTold > 0 && !this.#isClosed)) return complaints
    const isSum = this.#lossTold > 0
    this.#lossTold = this.#lostCount
    const lines = plural(this.#lostCount, 'line')
    complaints.push(`${this.#name} is too slow: ${lines} did not reach it${isSum ? ' in all' : ''}`)
    return complaints
  }

  get #waitingCount(): number {
    const { writableLength, readableLength } = this.#logger
    // The line that a transport is processing counts as written to it.
    return Math.max(this.#activeCount, this.#transport.writableLength) + writableLength + readableLength
  }

  /** Prevents the transport's `log` from throwing into the stream or calling back twice. */
  #guard(): void {
    const transport = this.#transport as unknown as { log: LogMethod }
    const log = transport.log
    transport.log = (info, next) => {
      let isDone = false
      this.#activeCount += 1
      const done = () => {
        if (isDone) return
        isDone = true
        this.#activeCount -= 1
        if (this.#activeCount === 0) this.#onIdle()
        next()
      }
      try {
        return log.call(transport, info, done)
      } catch (thrown) {
        this.#fail(thrown)
        done()
        return undefined
      }
    }
  }

  #idle(): Promise<void> {
    if (this.#activeCount === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  #fail(thrown: unknown): void {
    this.#failure ??= { thrown }
  }
}

type LogMethod = (info: unknown, next: () => void) => unknown

function complaintOf(what: string, thrown: unknown): string {
  const { name, message } = toErrorRecord(thrown)
  return `${what} failed: ${name === 'Error' || name === 'NonError' ? message : `${name}: ${message}`}`
}
