/**
 * The storage of the wrap mode `lock`: no writer process. Workers store their runs themselves, one after the other.
 * Main manages the lock. Under it, main does what no worker does: opening, failures, growth, the end, and writing
 * committed pages into the HDF5 file.
 */
import { closeSync, openSync } from 'node:fs'
import { isPypetError, type PypetError } from '../../errors.ts'
import { displacedError, displacementOf, headOf, type OpenFile } from '../../journal/displaced.ts'
import { identityOf } from '../../journal/file-identity.ts'
import type { FileLock } from '../../journal/file-lock.ts'
import { realFileOf } from '../../journal/real-file.ts'
import { entryUrl } from '../../own-files.ts'
import type {
  Closed,
  ContinueRequest,
  Ending,
  Extension,
  Opened,
  OpenRequest,
  RefusedRun,
  RunFailure,
  WorkerStorage,
} from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import { valueSource, withFewValues } from '../kept-values.ts'
import type { TrajectoryStoreOptions } from '../open-trajectory.ts'
import { LocalAddress } from '../queue/local-address.ts'
import type { RunStore, RunStoreListener } from '../run-store.ts'
import { SerialStore } from '../serial-store.ts'
import { type Commit, isRefusal, TrajectoryStore } from '../trajectory-store.ts'
import { LockPages } from './lock-pages.ts'
import { LockServer, type WaitingShare } from './lock-server.ts'
import { LockTurns, withKnown } from './lock-turn.ts'
import type { LockData } from './lock-worker.ts'

export type LockSettings = Omit<LockData, 'address'>

export class LockStore extends SerialStore implements RunStore {
  readonly storesInWorkers = true
  readonly takesParts = true
  readonly #settings: LockSettings
  readonly #address = new LocalAddress('lock')
  readonly #server: Promise<LockServer>
  #turns: LockTurns | undefined
  #pages: LockPages | undefined
  #lock: FileLock | undefined
  /** Open as long as the experiment, so that a removed file can be restored. */
  #file: OpenFile | undefined
  readonly #failures: RunFailure[] = []
  #isClosed = false

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if the socket of the lock cannot be created */
  constructor(settings: LockSettings) {
    super()
    this.#settings = settings
    this.#server = LockServer.listen(this.#address.path)
    this.#server.catch(() => undefined)
  }

  async workerStorage(): Promise<WorkerStorage> {
    await this.#server
    const data: LockData = { ...this.#settings, address: this.#address.path }
    return { kind: 'module', url: entryUrl('lock-worker').href, data }
  }

  async open(
    request: OpenRequest,
    listener: RunStoreListener,
    { breakLock = false }: { readonly breakLock?: boolean } = {},
  ): Promise<Opened> {
    const { exploration } = request
    const few = exploration === undefined ? request : { ...request, exploration: withFewValues(exploration) }
    return await this.#begin(listener, breakLock, request.keepCnt, (options) =>
      TrajectoryStore.open(few, { ...options, values: valueSource(exploration) }),
    )
  }

  async continue(request: ContinueRequest, listener: RunStoreListener): Promise<Opened> {
    return await this.#begin(listener, request.breakLock, request.keepCnt, (options) =>
      TrajectoryStore.continue(request, options),
    )
  }

  async #begin(
    listener: RunStoreListener,
    breakLock: boolean,
    keepCnt: boolean,
    open: (options: TrajectoryStoreOptions) => Promise<TrajectoryStore>,
  ): Promise<Opened> {
    const server = await this.#server
    this.listener = listener
    server.listener = {
      onCommitted: (stored, failed, refused) => this.#announce({ stored, failed, refused }),
      onNotice: (level, message) => listener.onNotice(level, message),
      onBroken: (error) => this.break(error),
      onLost: (runs) => {
        if (!this.isBroken) listener.onLost?.(runs)
      },
    }
    return await server.hold(async () => {
      const options = {
        breakLock,
        onNotice: (level: LogLevel, message: string) => listener.onNotice(level, message),
        onError: (error: PypetError) => this.break(error),
      }
      const store = await open(options)
      // The next owner finds the complete opening in the file: there is no idle writer to complete it later.
      this.#lock = store.lock
      store.close({ config: [], isComplete: false })
      await store.rest()
      const { opened } = store
      const { storage } = this.#settings
      this.#turns = new LockTurns({ cntFile: opened.cntFile, storage, keepCnt, ...options })
      const path = realFileOf(store.file)
      this.#file = { path, descriptor: openSync(path, 'r+') }
      const { descriptor } = this.#file
      server.left = { identity: identityOf(descriptor), head: headOf(descriptor) }
      this.#pages = new LockPages(server, this.#turns, this.#file, {
        storage,
        ...options,
      })
      server.cntFile = opened.cntFile
      server.onCommitted = () => this.#pages?.wake()
      this.#pages.noteOpened()
      return opened
    })
  }

  failRun(failure: RunFailure): void {
    // Failures that arrive while waiting for the lock are written together.
    if (this.#failures.push(failure) > 1) return
    this.#under(async (turns, server) => {
      const failures = this.#failures.splice(0)
      if (failures.length === 0) return
      const store = await turns.open(server.applied, server)
      // A worker that died may have stored the run just before, without reporting it.
      const known = store.known(failures.map(({ run }) => run))
      for (const each of failures) store.failRun(each)
      this.#announce(withKnown(store.leave(), known))
      this.#pages?.wake()
    }).catch((error: PypetError) => this.break(error))
  }

  finish(): void {
    void this.#server.then((server) => server.finish(true))
  }

  protected async extendNow(extension: Extension): Promise<void> {
    await this.#under((turns, server) => this.#extend(extension, turns, server))
  }

  async #extend(extension: Extension, turns: LockTurns, server: LockServer): Promise<void> {
    let store: TrajectoryStore | undefined
    try {
      store = await turns.open(server.applied, server)
      this.#announce(store.extend(extension))
      this.#announce(store.leave())
    } catch (error) {
      store?.drop()
      if (!isRefusal(error)) this.break(error as PypetError)
      throw error
    }
    server.finish(false)
    this.#pages?.wake()
  }

  giveUp(): void {
    this.isBroken = true
  }

  async close(ending: Ending): Promise<Closed> {
    const server = await this.#server
    this.isClosing = true
    this.isBroken = true
    this.#pages?.stop()
    const closed = await this.#under(async (turns) => {
      await this.#pages?.end()
      const { applied, left } = server
      const store = await turns.open(applied, { left, isLast: true, lock: this.#lock })
      for (const failure of this.#failures.splice(0)) store.failRun(failure)
      this.#announce(store.close(ending))
      const cntFile = await store.finish()
      // It is not missing from now on.
      if (cntFile === undefined) turns.close()
      return { cntFile, ...(store.isBehind && { isBehind: true as const }) }
    })
    const waited = server.waited()
    if (waited.turnCount > 0) this.listener?.onNotice('info', waitedText(waited))
    await this[Symbol.asyncDispose]()
    return closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.isClosing = true
    this.listener = undefined
    this.#pages?.stop()
    const server = await this.#server.catch(() => undefined)
    server?.close()
    // Nothing may be written after the file is released.
    await this.extending
    await this.#pages?.end()
    this.#turns?.close()
    this.#lock?.release()
    if (this.#file !== undefined) closeSync(this.#file.descriptor)
    this.#file = undefined
    this.#address.remove()
  }

  async #under<Result>(action: (turns: LockTurns, server: LockServer) => Promise<Result>): Promise<Result> {
    const server = await this.#server
    try {
      return await server.hold(() => action(this.#turns as LockTurns, server))
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** Whatever failed: if the file has lost its name, that is the reason, and the file is restored. */
  #explained(error: unknown): unknown {
    this.#moved ??= this.#restored() ?? (isPypetError(error, 'PYPET_FILE_MOVED') ? error : undefined)
    return this.#moved ?? error
  }

  #restored(): PypetError | undefined {
    if (this.#file === undefined) return undefined
    const cnt = this.#turns?.openCnt
    const found = displacementOf(this.#file)
    if (found !== undefined) return displacedError(this.#file, found, cnt)
    // Any other change of the .cnt file may be a compaction.
    const ofCnt = cnt === undefined ? undefined : displacementOf(cnt)
    return cnt !== undefined && ofCnt?.kind === 'removed' ? displacedError(cnt, ofCnt, undefined) : undefined
  }

  /** Several may notice it. The first one has restored the file. */
  #moved: PypetError | undefined

  #announce({ stored, failed, refused }: Commit): void {
    if (stored.length + failed.length > 0) this.listener?.onCommitted(stored, failed, refused as RefusedRun[])
  }

  protected override break(error: PypetError): void {
    if (!this.isBroken) super.break(this.#explained(error) as PypetError)
  }
}

function waitedText({ waitedMs, totalMs, turnCount }: WaitingShare): string {
  const percent = totalMs > 0 ? Math.round((100 * waitedMs) / totalMs) : 0
  return `workers spent ${percent} % of their time waiting for the lock and storing (${turnCount} turns)`
}
