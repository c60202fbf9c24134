/** The writer process as main sees it: open, listen to commits, close. */
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

/** Enough of what a dying writer prints to explain its death. */
const STDERR_LENGTH_MAX = 4000
/**
 * After so long without a word at its end, the writer is killed. Its last commit may have to bring
 * gigabytes to a slow disk, and readers may keep it waiting.
 */
const CLOSE_TIMEOUT_MS = 600_000

/**
 * Starts the process at once, so that it compiles the HDF5 library while the job is still being loaded.
 * It touches no file before `open`.
 */
export class Writer extends SerialStore implements RunStore {
  readonly storesInWorkers = false
  readonly takesParts = true
  /** Where workers hand over their runs, once the trajectory is open. */
  readonly address: string
  readonly #process: ChildProcess
  #awaited: Awaited | undefined
  #error: PypetError | undefined
  /** While it opens. */
  #values: ValueSource | undefined
  /** From here on it may have something to lose. */
  #isAsked = false
  #stderr = ''
  /** Resolves when the process is gone and everything it has said is read. */
  readonly #ended: Promise<void>

  private constructor(socketFolder: string) {
    super()
    this.address = socketPath(socketFolder, 'runs')
    // The writer does so itself, unless it ends before it can, as by a Ctrl-C that comes early.
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

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for the writer's socket */
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
    return { kind: 'queue', address: this.address }
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

  /** What has arrived is stored all the same. */
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
   * Commits the rest, closes the file and ends the process. Every run must have been announced. Waits for
   * readers of the file as long as `readerWaitMs` says.
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
   * Ends the process if it still runs: it commits what has arrived whole, then exits. One that was never told to open
   * a file is ended at once.
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

  /** At most one answer is awaited at a time: the conversation is a sequence. */
  #await<Type extends FromWriter['type']>(type: Type): Promise<Extract<FromWriter, { type: Type }>> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) reject(this.#error)
      else this.#awaited = { type, resolve: resolve as Awaited['resolve'], reject }
    })
  }

  #send(message: ToWriter): void {
    // A send after the writer's death has nobody to reach; its death has been told already.
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
      { hint: 'Runs announced as stored are safe. Look into main.txt in the log folder.' },
    )
  }
}

/**
 * Resolves, with the code or signal, when the process is gone and everything it has said is read. The
 * exit alone may come before the last messages, such as the one that all is well; and Node's `close`,
 * which would wait for them, does not come after `disconnect`.
 */
async function endOf(child: ChildProcess): Promise<string> {
  const read = Promise.all([
    new Promise<void>((resolve) => child.once('disconnect', resolve)),
    new Promise<void>((resolve) => child.stderr?.once('close', resolve)),
  ])
  const how = await new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
    child.on('error', ({ message }) => {
      // A process that never started does not exit either. Other errors are of `kill`, and change nothing.
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

/** What a V8 says that knows some of the writer's flags no longer: it does without, and does not die of it. */
const UNKNOWN_FLAGS = /^Error: unrecognized flag .*\nTry --help for options\n/gm

/** Started before anything is known of the experiment, and not yet taken. */
let ahead: Writer | undefined

/**
 * Starts a writer that whoever needs one first will find; see `endWriterAhead`. Until it is taken, a signal ends this process as
 * it would by itself, but not without what is done at the exit: the writer may be too young to clear up.
 */
export function startWriterAhead(): void {
  // First: until somebody listens, a signal ends this process where it stands, and the writer's folder stays.
  for (const [signal, end] of ENDINGS) process.on(signal, end)
  ahead ??= Writer.start()
}

const ENDINGS = [
  ['SIGINT', () => process.exit(130)],
  ['SIGTERM', () => process.exit(143)],
  ['SIGHUP', () => process.exit(143)],
] as const

/** The writer that was started ahead, unless somebody has it: to be used, or to be disposed of. */
export function takeWriterAhead(): Writer | undefined {
  const writer = ahead
  ahead = undefined
  for (const [signal, end] of ENDINGS) process.off(signal, end)
  return writer
}

/** Resolves when the writer that was started ahead is gone, with all that it had, unless somebody has taken it. */
export async function endWriterAhead(): Promise<void> {
  await takeWriterAhead()?.[Symbol.asyncDispose]()
}
