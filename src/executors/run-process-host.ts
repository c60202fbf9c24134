/** The process of one run, as seen from main: start, load, perform, end. */
import { type ChildProcess, fork } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { type ErrorRecord, fromErrorRecord, type PypetError, toErrorRecord } from '../errors.ts'
import { runName } from '../names.ts'
import type {
  FromRunProcess,
  RunOutcome,
  RunTask,
  ToRunProcess,
  WorkerLine,
  WorkerSetup,
} from '../protocol.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import type { StreamName } from './captured-output.ts'
import { printedLine } from './job-log.ts'
import type { MemoryWatch } from './memory-watch.ts'
import type { OrphanKeeper } from './orphan-keeper.ts'
import { deathAtStart, deathOfRun, howItEnded, memoryExceeded, type ProcessDeath } from './process-death.ts'
import type { RunClock } from './run-clock.ts'

export interface ProcessParts {
  /** The entry's file. */
  readonly entry: string
  readonly setup: WorkerSetup
  /** In MB; 0 for none. */
  readonly memoryLimit: number
  readonly clock: RunClock
  readonly memory: MemoryWatch
  readonly orphans: OrphanKeeper
  readonly onPriorityRefused: (reason: string) => void
  readonly storedBefore: StoredBefore
}

/** Enough output of a dying process to explain its death. */
const STDERR_LENGTH_MAX = 4000
/** Longer lines are passed on in parts. */
const LINE_LENGTH_MAX = 65_536
/** After its run, a process exits at once, unless an exit handler hangs. */
const EXIT_WAIT_MS = 5000
/** The last output of a dead process is already there, but a child of it may hold the pipe open. */
const LAST_WORDS_MS = 1000

export class RunProcess {
  /** Resolves when the job is loaded. */
  readonly ready: Promise<void>
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
  /** By the clock of this process. */
  readonly startedMs = performance.now()
  readonly #parts: ProcessParts
  readonly #process: ChildProcess
  readonly #death: Promise<ProcessDeath>
  #stderr = ''
  #killedFor: ErrorRecord | undefined
  #isGone = false
  /** Lines from before the run. They belong to it, and are reported when its worker number is known. */
  #early: WorkerLine[] = []
  #listener: ((line: WorkerLine) => void) | undefined
  #run: RunTask['run'] | undefined
  #onReady: { readonly resolve: () => void; readonly reject: (error: PypetError) => void } | undefined
  #onEnded: PendingOutcome | undefined
  #hasBegun = false
  #hasEndedRun = false

  /** Starts the process, which begins to load the job. */
  constructor(parts: ProcessParts) {
    this.#parts = parts
    const { entry, setup, memoryLimit } = parts
    this.#process = fork(entry, {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: nodeOptions(memoryLimit),
      // A separate process group. Ctrl-C on the terminal then only reaches main, which decides about active runs.
      // Killing the group also kills what the job has started.
      detached: process.platform !== 'win32',
    })
    const { pid } = this.#process
    if (pid !== undefined) {
      parts.orphans.add(pid)
      parts.memory.watch(pid, (usedBytes) => {
        const what = this.#run === undefined ? 'loading the job' : runName(this.#run)
        this.kill(memoryExceeded(what, usedBytes, memoryLimit))
      })
    }
    this.#process.on('message', (message) => this.#take(message as FromRunProcess))
    this.#listenTo('stdout')
    this.#listenTo('stderr', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_LENGTH_MAX)
    })
    this.#death = this.#awaitDeath()
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = { resolve, reject }
    })
    // A spare may never be used.
    this.ready.catch(() => undefined)
    this.ended = this.#death.then((death) => this.#conclude(death))
    this.#send({ type: 'load', setup })
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /**
   * Performs its run. Undefined if the process was gone before the run began: then the run has not failed.
   *
   * @throws PypetError if no run can be performed: `PYPET_WRITER_DIED`
   */
  async perform(task: RunTask, listener: (line: WorkerLine) => void): Promise<RunOutcome | undefined> {
    const { run, attempt } = task
    this.#run = run
    this.#listener = listener
    for (const line of this.#early.splice(0)) this.#tell(line)
    const startTimestamp = Date.now() / 1000
    const signal = this.#parts.clock.limit(run)
    const onTimeout = () => this.kill({ ...toErrorRecord(signal?.reason), stack: '' })
    signal?.addEventListener('abort', onTimeout, { once: true })
    try {
      const ended = new Promise<RunOutcome>((resolve, reject) => {
        this.#onEnded = { resolve, reject }
      })
      this.#send({ type: 'perform', task })
      const outcome = await Promise.race([ended, this.#death])
      if ('state' in outcome) return outcome
      if (!this.#hasBegun) return undefined
      const failure = { run, error: deathOfRun(outcome), attempts: attempt, startTimestamp }
      return { state: 'failed', failure: { ...failure, finishTimestamp: Date.now() / 1000 } }
    } finally {
      this.#parts.clock.end(run)
    }
  }

  /** Kills the process and its children, whatever it is doing. */
  kill(reason?: ErrorRecord): void {
    if (this.#isGone) return
    this.#killedFor ??= reason
    const { pid } = this.#process
    try {
      if (pid !== undefined && process.platform !== 'win32') process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, or does not lead its group yet.
    }
    this.#process.kill('SIGKILL')
  }

  #take(message: FromRunProcess): void {
    switch (message?.type) {
      case 'log':
        this.#tell(message)
        break
      case 'ready':
        this.#onReady?.resolve()
        break
      case 'begun':
        this.#hasBegun = true
        this.#parts.clock.begin(message.run)
        break
      case 'read-before': {
        const { name, number } = message
        void this.#parts.storedBefore(name).then((answer) => this.#send({ type: 'read', number, answer }))
        break
      }
      case 'priority-refused':
        this.#parts.onPriorityRefused(message.reason)
        break
      case 'ended':
        this.#leave()
        this.#onEnded?.resolve(message.outcome)
        break
      case 'unable': {
        this.#leave()
        const error = fromErrorRecord(message.error, 'PYPET_EXECUTOR_FAILED')
        this.#onReady?.reject(error)
        this.#onEnded?.reject(error)
        break
      }
      // Any other message is the job's, which may take main for its own parent.
    }
  }

  /** The run is over, and the process is about to exit. */
  #leave(): void {
    this.#hasEndedRun = true
    const timer = setTimeout(() => this.kill(), EXIT_WAIT_MS)
    timer.unref()
    void this.#death.then(() => clearTimeout(timer))
  }

  #tell(line: WorkerLine): void {
    if (this.#listener === undefined) this.#early.push(line)
    else this.#listener(line)
  }

  /** Output of native code and of Node itself bypasses the job's streams. */
  #listenTo(from: StreamName, onText: (text: string) => void = () => undefined): void {
    const stream = this.#process[from]
    const decoder = new StringDecoder('utf8')
    let rest = ''
    const say = (message: string) => {
      const line = printedLine(this.#parts.setup, { message, from, run: this.#run })
      if (line !== undefined) this.#tell({ ...line, worker: 0 })
    }
    stream?.on('data', (chunk: Buffer) => {
      const text = decoder.write(chunk)
      onText(text)
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) say(line)
      if (rest.length > LINE_LENGTH_MAX) {
        say(rest)
        rest = ''
      }
    })
    stream?.on('end', () => {
      if (rest !== '') say(rest)
    })
  }

  #send(message: ToRunProcess): void {
    // A dead process cannot be reached. Its death is reported elsewhere.
    if (this.#process.connected) this.#process.send(message, () => undefined)
  }

  async #awaitDeath(): Promise<ProcessDeath> {
    const child = this.#process
    const read = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const how = await new Promise<Pick<ProcessDeath, 'exitCode' | 'signal' | 'cause'>>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
      child.on('error', (cause) => {
        // A process that never started does not exit either. Other errors come from `kill` or `send`.
        if (child.pid === undefined) resolve({ exitCode: null, signal: null, cause })
      })
    })
    this.#isGone = true
    if (child.pid !== undefined) {
      this.#parts.memory.leave(child.pid)
      this.#parts.orphans.remove(child.pid)
      let timer: NodeJS.Timeout | undefined
      const enough = new Promise((resolve) => {
        timer = setTimeout(resolve, LAST_WORDS_MS)
      })
      await Promise.race([read, enough])
      clearTimeout(timer)
    }
    return {
      ...how,
      stderr: this.#stderr,
      killedFor: this.#killedFor,
      memoryLimit: this.#parts.memoryLimit,
    }
  }

  #conclude(death: ProcessDeath): void {
    this.#onReady?.reject(deathAtStart(death))
    if (!this.#hasEndedRun || (death.signal === null && death.exitCode === 0)) return
    // Its results are handed over, so the run has not failed.
    this.#tell({
      type: 'log',
      level: 'warn',
      message: `after its run had ended, the process ${howItEnded(death)}`,
      worker: 0,
      ...(this.#run !== undefined && { run: this.#run }),
    })
  }
}

interface PendingOutcome {
  readonly resolve: (outcome: RunOutcome) => void
  readonly reject: (error: PypetError) => void
}

/** Debugger, loaders and the script of `node -e` belong to main. Options that size the engine apply to runs too. */
const ENGINE_OPTION = /^--(?:max-|stack-|expose-|no-warnings)/

function nodeOptions(memoryLimit: number): string[] {
  const inherited = process.execArgv.filter((option) => ENGINE_OPTION.test(option))
  // A heap limit acts sooner than watching the process.
  const heap = memoryLimit > 0 ? [`--max-old-space-size=${memoryLimit}`] : []
  return [...inherited, ...heap, '--enable-source-maps']
}
