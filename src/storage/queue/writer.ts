/** The writer process, as seen from main: open, listen to commits, close. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { assertNever, type ErrorRecord, fromErrorRecord, PypetError } from '../../errors.ts'
import { entryUrl } from '../../own-files.ts'
import type {
  Closed,
  ContinueRequest,
  Ending,
  Extension,
  FromWriter,
  Opened,
  OpenRequest,
  RunFailure,
  ToWriter,
  WorkerStorage,
} from '../../protocol.ts'
import { type ValueSource, valueSource, withFewValues } from '../kept-values.ts'
import type { RunStore, RunStoreListener } from '../run-store.ts'
import { SerialStore } from '../serial-store.ts'
import { makeSocketFolder, removeSocketFolder, socketPath } from './local-address.ts'

/** Enough output of a dying writer to explain its death. */
const STDERR_LENGTH_MAX = 4000
/**
 * A writer that is silent for this long at its end is killed. Its last commit may write gigabytes to a slow disk, and
 * readers may delay it.
 */
const CLOSE_TIMEOUT_MS = 600_000

/**
 * Starts the process at once, so that it compiles the HDF5 library while the job is still loading. It accesses no file
 * before `open`.
 */
export class Writer extends SerialStore implements RunStore {
  readonly storesInWorkers = false
  readonly takesParts = true
  /** Where workers send their runs, once the trajectory is open. */
  readonly address: string
  readonly #process: ChildProcess
  #awaited: Awaited | undefined
  #error: PypetError | undefined
  /** Set while it opens. */
  #values: ValueSource | undefined
  /** From here on, it may have something to lose. */
  #isAsked = false
  #stderr = ''
  /** Resolves when the process is gone and all its messages are read. */
  readonly #ended: Promise<void>

  private constructor(socketFolder: string) {
    super()
    this.address = socketPath(socketFolder, 'runs')
    // The writer does this itself, unless it ends before it can, for example by an early Ctrl-C.
    const removeFolder = () => removeSocketFolder(socketFolder)
    process.on('exit', removeFolder)
    this.#process = fork(fileURLToPath(entryUrl('writer-process')), [socketFolder, this.address], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // Debugger, loaders and the script of `node -e` belong to the user's program, not to the writer.
      execArgv: [],
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LENGTH_MAX)
    })
    this.#ended = endOf(this.#process).then((how) => {
      this.break(this.#deathError(how))
      removeFolder()
      process.off('exit', removeFolder)
    })
    this.#process.on('message', (message: FromWriter) => this.#take(message))
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if the writer's socket cannot be created */
  static start(): Writer {
    const folder = makeSocketFolder()
    try {
      return new Writer(folder)
    } catch (error) {
      removeSocketFolder(folder)
      throw error
    }
  }

  async workerStorage(): Promise<WorkerStorage> {
    return { kind: 'queue', address: this.address, takesRows: true }
  }

  async open(
    request: OpenRequest,
    listener: RunStoreListener,
    { breakLock = false }: { readonly breakLock?: boolean } = {},
  ): Promise<Opened> {
    const { exploration } = request
    this.#values = valueSource(exploration)
    const sent = exploration === undefined ? request : { ...request, exploration: withFewValues(exploration) }
    try {
      return await this.#begin({ type: 'open', request: sent, breakLock }, listener)
    } finally {
      this.#values = undefined
    }
  }

  async continue(request: ContinueRequest, listener: RunStoreListener): Promise<Opened> {
    return await this.#begin({ type: 'continue', request }, listener)
  }

  async #begin(message: ToWriter, listener: RunStoreListener): Promise<Opened> {
    this.#isAsked = true
    this.listener = listener
    const opened = this.#await('opened')
    this.#send(message)
    return (await opened).opened
  }

  failRun(failure: RunFailure): void {
    this.#send({ type: 'fail-run', failure })
  }

  finish(): void {
    this.#send({ type: 'finish' })
  }

  /** What has arrived is stored anyway. */
  giveUp(): void {
    // Nothing is lost with a worker.
  }

  protected async extendNow(extension: Extension): Promise<void> {
    const extended = this.#await('extended')
    this.#send({ type: 'extend', extension })
    const { error } = await extended
    if (error !== undefined) throw fromErrorRecord(error, 'PYPET_EXPLORATION_INVALID')
  }

  /**
   * Commits the rest, closes the file and ends the process. All runs must have been reported before. Waits up to
   * `readerWaitMs` for readers of the file.
   */
  async close(ending: Ending): Promise<Closed> {
    this.isClosing = true
    const timeout = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
    try {
      await this.extending
      const closed = this.#await('closed')
      this.#send({ type: 'close', ending })
      const message = await closed
      this.listener = undefined
      await this.#ended
      return message.closed
    } finally {
      clearTimeout(timeout)
    }
  }

  /**
   * Ends the process if it still runs: it stores what has arrived completely, then exits. A writer that was never told
   * to open a file is killed at once.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.listener = undefined
    if (!this.#isAsked) this.#process.kill('SIGKILL')
    else if (this.#process.connected) this.#process.disconnect()
    const timeout = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
    await this.#ended
    clearTimeout(timeout)
  }

  #take(message: FromWriter): void {
    switch (message.type) {
      case 'committed':
        this.listener?.onCommitted(message.stored, message.failed, message.refused)
        break
      case 'values-wanted':
        void this.#sendValues(message.name, message.first)
        break
      case 'notice':
        this.listener?.onNotice(message.level, message.message)
        break
      case 'refused':
      case 'broken':
        this.break(brokenError(message.error))
        break
      case 'opened':
      case 'extended':
      case 'closed':
        if (this.#awaited?.type === message.type) this.#awaited.resolve(message)
        break
      default:
        assertNever(message)
    }
  }

  async #sendValues(name: string, first: number): Promise<void> {
    const values = (await this.#values?.(name, first)) ?? []
    this.#send({ type: 'values', values })
  }

  /** Only one answer is awaited at a time. */
  #await<Type extends FromWriter['type']>(type: Type): Promise<Extract<FromWriter, { type: Type }>> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) reject(this.#error)
      else this.#awaited = { type, resolve: resolve as Awaited['resolve'], reject }
    })
  }

  #send(message: ToWriter): void {
    // A dead writer cannot be reached. Its death has been reported already.
    if (this.#process.connected) this.#process.send(message, () => undefined)
  }

  protected override break(error: PypetError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#awaited?.reject(error)
    super.break(error)
  }

  #deathError(how: string): PypetError {
    const printed = this.#stderr.replace(UNKNOWN_FLAGS, '').trim()
    return new PypetError(
      'PYPET_WRITER_DIED',
      `the writer process ended unexpectedly (${how})${printed === '' ? '' : `:\n${printed}`}`,
      { hint: 'Runs reported as stored are safe. See main.txt in the log folder.' },
    )
  }
}

/**
 * Resolves, with the code or signal, when the process is gone and all its messages are read. The exit event alone may
 * come before the last messages, such as the one of success. Node's `close` event would wait for them, but does not
 * come after `disconnect`.
 */
async function endOf(child: ChildProcess): Promise<string> {
  const read = Promise.all([
    new Promise<void>((resolve) => child.once('disconnect', resolve)),
    new Promise<void>((resolve) => child.stderr?.once('close', resolve)),
  ])
  const how = await new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
    child.on('error', ({ message }) => {
      // A process that never started does not exit either. Other errors come from `kill`, and change nothing.
      if (child.pid === undefined) resolve(message)
    })
  })
  if (child.pid !== undefined) await read
  return how
}

interface Awaited {
  readonly type: FromWriter['type']
  readonly resolve: (message: FromWriter) => void
  readonly reject: (error: PypetError) => void
}

function brokenError(record: ErrorRecord): PypetError {
  return fromErrorRecord(record, 'PYPET_STORAGE_FAILED')
}

/** What a V8 prints that no longer knows some of the writer's flags. It ignores them, and this is not why it died. */
const UNKNOWN_FLAGS = /^Error: unrecognized flag .*\nTry --help for options\n/gm

/** Started before anything is known about the experiment, and not taken yet. */
let ahead: Writer | undefined

/**
 * Starts a writer for whoever needs one first; see `endWriterAhead`. Until it is taken, a signal ends this process as
 * usual, but exit handlers still run: the writer may be too young to clean up.
 */
export function startWriterAhead(): void {
  // First of all: without a listener, a signal ends this process at once, and the writer's folder stays.
  for (const [signal, end] of ENDINGS) process.on(signal, end)
  ahead ??= Writer.start()
}

const ENDINGS = [
  ['SIGINT', () => process.exit(130)],
  ['SIGTERM', () => process.exit(143)],
  ['SIGHUP', () => process.exit(143)],
] as const

/** The writer that was started ahead, unless it is taken. Use it or dispose of it. */
export function takeWriterAhead(): Writer | undefined {
  const writer = ahead
  ahead = undefined
  for (const [signal, end] of ENDINGS) process.off(signal, end)
  return writer
}

/** Resolves when the writer that was started ahead is gone with its folder, unless it was taken. */
export async function endWriterAhead(): Promise<void> {
  await takeWriterAhead()?.[Symbol.asyncDispose]()
}
