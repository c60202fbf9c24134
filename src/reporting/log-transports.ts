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
  /** Calls what calls the user's code. */
  readonly call: (action: () => void) => void
  readonly now?: Clock
  /** How many lines a slow transport may be behind. */
  readonly waitingMax?: number
  /** So long transports may take for what they have when the experiment is over. */
  readonly closeMaxMs?: number
}

/** Lines that a slow transport may be behind; then it loses lines, so that memory stays bounded. */
const WAITING_MAX = 10_000
/** Errors out of nowhere that are told; a timer may throw for ever. */
const STRAYS_MAX = 3
const CLOSE_MAX_MS = 5000

/**
 * Gives every line of the log to winston transports of the user's. Each has a logger of its own: one that is slow, or
 * throws, holds up neither the others, nor the log files, nor a run. What goes wrong with one is thrown, once, by `emit`
 * or `close`, for others to tell.
 *
 * What a transport gets is `{ level, message, timestamp, trajectory, worker, run }`, the last two where they are known,
 * and the line as it stands in `main.txt` for a transport that has no format.
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

/** What winston wants of a line. */
type Info = { level: LogLevel; message: string; [key: string | symbol]: unknown }

/** By these names transports and formats of winston know the text of a line. */
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

/** One transport, and what has become of the lines for it. */
class TransportChannel {
  readonly #name: string
  readonly #transport: LogTransport
  readonly #logger: Logger
  readonly #waitingMax: number
  /** Lines that the transport has, and has not said to be done with. */
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
    // Without a listener an error of a stream would end the process.
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
      // A format of the transport's throws here; the line is lost, the next one is not.
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
      // A transport that an error has ended will not finish.
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

  /** What there is to say that has not been said: the first failure, the first line that was lost, and how many there were at the end. */
  takeComplaints(): string[] {
    const complaints: string[] = []
    if (this.#failure !== undefined && !this.#isFailureTold) {
      this.#isFailureTold = true
      complaints.push(complaintOf(this.#name, this.#failure.thrown))
    }
    // The first at once, and the sum at the end.
    if (this.#lostCount === this.#lossTold || (this.#lossTold > 0 && !this.#isClosed)) return complaints
    const isSum = this.#lossTold > 0
    this.#lossTold = this.#lostCount
    const lines = plural(this.#lostCount, 'line')
    complaints.push(`${this.#name} is too slow: ${lines} did not reach it${isSum ? ' in all' : ''}`)
    return complaints
  }

  get #waitingCount(): number {
    const { writableLength, readableLength } = this.#logger
    // What a transport is at counts among what was written to it.
    return Math.max(this.#activeCount, this.#transport.writableLength) + writableLength + readableLength
  }

  /** Lets `log` of the transport neither throw into the stream nor call back twice. */
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
