/**
 * The commit point of a file: what was applied before a `commit` is durable when it returns, what was
 * applied after the last one never happened, should the process end. Every commit of every storage mode
 * goes through here.
 *
 * HDF5 has no journal, so it gets one from below: `StagedFile` keeps what would overwrite committed bytes,
 * the `.cnt` file takes it at the commit, and `PageWriter` brings it into the file when no reader looks. At
 * any moment the file on disk, with the pages of the `.cnt` file laid over it, is the last committed state.
 *
 * Order of a commit, which is what makes it safe:
 * 1. HDF5 flushes; all bytes beyond the committed end reach the disk, and are synced.
 * 2. One record with the overwritten pages and the runs is appended to the `.cnt` file, and synced. This is
 *    the moment from which the runs are stored.
 * 3. Later, when no reader looks, the pages are written over the old ones.
 * 4. The next commit's step 1 makes them durable; its record says that they need not be laid any more.
 */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import { Hdf5File } from '../hdf5/file.ts'
import { hdf5Cause } from '../hdf5/h5wasm.ts'
import { hookFile } from '../hdf5/hook.ts'
import type { StorageSettings } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import type { CntJournal } from './cnt-journal.ts'
import type { CommitFacts } from './cnt-record.ts'
import type { CntState } from './cnt-state.ts'
import type { Disk } from './disk.ts'
import { displacedError, displacedFor, displacementOf, headOf } from './displaced.ts'
import { PageWriter } from './page-writer.ts'
import { openGate, type ReaderGate } from './reader-gate.ts'
import { realFileOf } from './real-file.ts'
import { StagedFile } from './staged-file.ts'
import { WatchedDisk } from './watched-disk.ts'

export type TransactionFacts = Omit<CommitFacts, 'fileBytes' | 'superblock' | 'pages'>

export interface TransactionOptions {
  /** The HDF5 file; it exists. */
  readonly path: string
  /** Whether the file is new: then it is created, with a superblock of its own. */
  readonly isNewFile: boolean
  readonly disk: Disk
  /** What is committed and not in the file, where another process has left it; else all that the file holds is. */
  readonly left?: Pick<CntState, 'fileBytes' | 'protectedBytes' | 'pages'>
  /** Committed pages stay in the `.cnt` file: somebody else brings them into the HDF5 file. */
  readonly leavesPages?: boolean
  /** One of several: who has the file open all the time puts it back, should it lose its name. */
  readonly isTurn?: boolean
  /** `headOf` the file as it was left, where another process has left it. */
  readonly head?: string | undefined
  /** Makes the journal, once HDF5 has taken the file, and before anything is written to it. */
  readonly openJournal: () => CntJournal
  /** Longest wait for readers where too many pages pile up, and at the end; a smaller `.cnt` file is not compacted. */
  readonly storage: Pick<StorageSettings, 'readerWaitMs' | 'cntCompactBytes'>
  /** As of `PageWriterOptions`. */
  readonly pageRestMs?: number | undefined
  /** As of `PageWriterListener`. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  readonly onNotice: (level: LogLevel, message: string) => void
  /** The disk failed outside of a call: the file can take no more commits. */
  readonly onError: (error: PypetError) => void
}

export class Hdf5Transaction {
  readonly file: Hdf5File
  #options: TransactionOptions
  readonly #disk: WatchedDisk
  readonly #staged: StagedFile
  readonly #journal: CntJournal
  readonly #pages: PageWriter
  readonly #unhook: () => void
  /** The commit up to which all pages have been written to the file. */
  #writtenSequence = 0
  /** The first bytes of the file on the disk, as this writer left them; undefined before its first commit. */
  #head: string | undefined
  #committedBytes = 0
  #isBehind = false

  private constructor(
    options: TransactionOptions,
    parts: {
      readonly file: Hdf5File
      readonly disk: WatchedDisk
      readonly staged: StagedFile
      readonly unhook: () => void
    },
  ) {
    this.#options = options
    this.file = parts.file
    this.#disk = parts.disk
    this.#staged = parts.staged
    this.#unhook = parts.unhook
    this.#journal = options.openJournal()
    this.#writtenSequence = options.left === undefined ? this.#journal.lastSequence : 0
    this.#committedBytes = options.left?.fileBytes ?? 0
    this.#head = options.head
    this.#pages = new PageWriter(this.#staged, () => this.#openGate(), {
      restMs: options.pageRestMs,
      onWaiting: options.onWaiting,
      onWriting: () => this.#assertInPlace(),
      onWritten: () => {
        this.#writtenSequence = this.#journal.lastSequence
        this.#noteHead()
      },
      onReopened: () => this.#compactIfLarge(),
      onError: (cause) => options.onError(this.#failed('write the pages of a commit', cause)),
    })
  }

  /**
   * Opens the file for writing. What it holds now is taken for committed.
   *
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`, `PYPET_FILE_MOVED` when it lost its name after `disk` was opened, and as
   *   `openJournal`
   */
  static async begin(options: TransactionOptions): Promise<Hdf5Transaction> {
    const { path, isNewFile, left } = options
    const disk = new WatchedDisk(options.disk)
    const staged = new StagedFile(disk, left?.fileBytes ?? disk.size())
    if (left !== undefined) staged.takeUp(left.pages, left.protectedBytes)
    const unhook = await hookFile(path, staged)
    try {
      const file = await Hdf5File.open(path, isNewFile ? 'create' : 'append')
      return new Hdf5Transaction(options, { file, disk, staged, unhook })
    } catch (error) {
      unhook()
      const moved = movedError(options, disk)
      disk.close()
      throw moved ?? error
    }
  }

  get cntFile(): string {
    return this.#journal.path
  }

  /** Readers have kept the last pages out of the HDF5 file to the end: they are in the `.cnt` file. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /**
   * Makes everything applied so far durable.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`; then nothing since the last commit may be announced
   */
  commit(facts: TransactionFacts): void {
    this.#durably('commit', () => {
      this.file.flush()
      this.#append(facts)
    })
    if (this.#options.leavesPages !== true) this.#pages.wake()
  }

  /** The file has another name now, and its `.cnt` file gets one. */
  noteRenamed(path: string, cntFile: string): void {
    this.#options = { ...this.#options, path }
    this.#journal.rename(cntFile)
  }

  /** Resolves when new commits are welcome; undefined when they are now. */
  room(): Promise<void> | undefined {
    return this.#pages.isCrowded ? this.#makeRoom() : undefined
  }

  /**
   * Closes the HDF5 file: the last commit. Durable when this returns; `finish` follows.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`
   */
  close(facts: TransactionFacts): void {
    this.#durably('close', () => {
      this.file.close()
      this.#unhook()
      this.#append(facts)
    })
  }

  /**
   * Brings everything into the HDF5 file, once its readers are gone.
   *
   * @param removesCnt the trajectory is complete and its `.cnt` file is not wanted
   * @returns whether there still is a `.cnt` file
   * @throws PypetError `PYPET_STORAGE_FAILED`; nothing committed is lost
   */
  async finish(removesCnt: boolean): Promise<boolean> {
    const { path, storage, onNotice } = this.#options
    const { readerWaitMs } = storage
    try {
      const isWritten = await this.#pages.finish(readerWaitMs, () =>
        onNotice(
          'warn',
          `${path} is open elsewhere; waiting for its readers, up to ${readerWaitMs / 1000} s`,
        ),
      )
      if (!isWritten) {
        this.#isBehind = true
        onNotice('warn', `${path} is still open elsewhere: its last changes stay in ${this.#journal.path}`)
        return true
      }
      this.#staged.finish()
      this.#assertInPlace()
      if (removesCnt) this.#journal.remove()
      else this.#journal.appendApplied()
      // Whoever took the file away before that would be left with nothing.
      this.#assertInPlace()
      return !removesCnt
    } catch (cause) {
      throw this.#failed('finish', cause)
    } finally {
      await this.#pages.end()
      this.#journal.close()
      this.#disk.close()
    }
  }

  /** As the process exits in between: of what has no commit nothing is left. */
  forget(): void {
    if (this.#journal.lastSequence === 0) this.#journal.remove()
  }

  /** After `close`: leaves the committed pages in the `.cnt` file, to whoever goes on. */
  leave(): void {
    this.#journal.close()
    this.#disk.close()
  }

  /** Closes everything without a commit, and leaves what was committed to whoever goes on. */
  drop(): void {
    try {
      this.#closeFile()
      this.#unhook()
      this.#staged.discard()
    } finally {
      this.leave()
    }
  }

  /**
   * Closes everything without a commit: what was applied since the last one never happened. What was committed is
   * brought into the file, and the `.cnt` file removed, unless readers or the disk prevent it.
   */
  async abandon(): Promise<void> {
    const { readerWaitMs } = this.#options.storage
    try {
      this.#closeFile()
      this.#unhook()
      this.#staged.discard()
      const isWritten =
        this.#disk.failure === undefined && (await this.#pages.finish(readerWaitMs, () => undefined))
      if (!isWritten) return
      this.#staged.finish()
      this.#journal.remove()
    } finally {
      await this.#pages.end()
      this.#journal.close()
      this.#disk.close()
    }
  }

  #openGate(): Promise<ReaderGate> {
    const { path, onNotice } = this.#options
    return openGate({ path, descriptor: this.#disk.descriptor }, onNotice)
  }

  /** After an error HDF5 may not be able to; what it holds is thrown away anyway. */
  #closeFile(): void {
    try {
      this.file.close()
    } catch {
      // The error that led here is the one to tell.
    }
  }

  /** The page writer and a commit may both notice it: what the first has put back is not to be rescued again. */
  #moved: PypetError | undefined

  /** @throws PypetError `PYPET_FILE_MOVED` when the file that is written is not the one that is found */
  #assertInPlace(): void {
    const { descriptor } = this.#disk
    if (descriptor === undefined) return
    if (this.#moved !== undefined) throw this.#moved
    const file = { path: realFileOf(this.#options.path), descriptor }
    // After a failure the first bytes may be of our own pages, of which not all were written.
    const head = this.#disk.failure === undefined ? this.#head : undefined
    const found = displacementOf(file, { committedBytes: this.#committedBytes, head })
    if (found === undefined) return
    this.#moved = this.#options.isTurn
      ? displacedFor(file, found)
      : displacedError(file, found, this.#journal.openFile)
    throw this.#moved
  }

  #noteHead(): void {
    const { descriptor } = this.#disk
    if (descriptor !== undefined) this.#head = headOf(descriptor)
  }

  #append(facts: TransactionFacts): void {
    this.#assertInPlace()
    const pages = this.#staged.prepare()
    // What `prepare` has synced need never be laid again.
    if (this.#writtenSequence > 0) this.#journal.noteApplied(this.#writtenSequence)
    const head = new Uint8Array(SUPERBLOCK_BYTES)
    const superblock = superblockOf(head.subarray(0, this.#staged.read(head, 0)))
    this.#journal.append({ ...facts, fileBytes: this.#staged.size(), superblock, pages })
    this.#staged.commit()
    this.#committedBytes = this.#staged.size()
    this.#noteHead()
  }

  /** Only of pages that are all in the file: others would be lost with the commits that hold them. */
  #compactIfLarge(): void {
    const isAllWritten = this.#writtenSequence === this.#journal.lastSequence
    if (
      !this.#journal.isLarge(this.#options.storage.cntCompactBytes) ||
      !isAllWritten ||
      this.#staged.pendingBytes > 0
    )
      return
    this.#staged.sync()
    this.#journal.compact()
  }

  async #makeRoom(): Promise<void> {
    const { path, storage, onNotice } = this.#options
    const { readerWaitMs } = storage
    if (await this.#pages.makeRoom(Math.min(readerWaitMs, ROOM_WAIT_MS))) return
    onNotice('warn', `${path} has been open elsewhere for long: its changes pile up in ${this.#journal.path}`)
  }

  #durably(step: string, write: () => void): void {
    try {
      write()
    } catch (cause) {
      throw this.#failed(step, cause)
    }
  }

  /** HDF5 stumbles over what others have made of the file. */
  #displacement(): PypetError | undefined {
    try {
      this.#assertInPlace()
    } catch (error) {
      if (isPypetError(error)) return error
    }
    return undefined
  }

  /** The error of applying operations, with what the disk knows of it. */
  explain(error: unknown): unknown {
    return this.#disk.failure === undefined ? (this.#displacement() ?? error) : this.#failed('write', error)
  }

  /** The error of an operation on the file, of which the disk may know a better cause. */
  #failed(step: string, thrown: unknown): PypetError {
    const { path } = this.#options
    if (isPypetError(thrown, 'PYPET_FILE_MOVED')) return thrown
    const displacement = this.#displacement()
    if (displacement !== undefined) return displacement
    const cause = this.#disk.failure ?? thrown
    const isFull = FULL.has((cause as NodeJS.ErrnoException).code ?? '')
    return new PypetError('PYPET_STORAGE_FAILED', `${path}: ${step} failed: ${hdf5Cause(cause)}`, {
      where: path,
      hint: isFull ? spaceText(path, this.#staged.uncommittedBytes) : 'Check the disk.',
      cause,
    })
  }
}

/** HDF5 opens a file by its name, a moment after `disk`. */
function movedError({ path, isNewFile, isTurn }: TransactionOptions, disk: Disk): PypetError | undefined {
  if (isNewFile || disk.descriptor === undefined) return undefined
  const file = { path: realFileOf(path), descriptor: disk.descriptor }
  const found = displacementOf(file)
  if (found === undefined) return undefined
  return isTurn ? displacedFor(file, found) : displacedError(file, found, undefined)
}

/** Runs are not held back for longer at a time: readers may never end. */
const ROOM_WAIT_MS = 10_000

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

function spaceText(path: string, neededBytes: number): string {
  const needed = `This commit needs ${kibibytes(neededBytes)} there, the runs that follow more`
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return `The disk of ${dirname(path)} has ${kibibytes(bavail * bsize)} left. ${needed}: free some.`
  } catch {
    return `${needed}: free some.`
  }
}

function kibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024).toLocaleString('en')} KiB`
}
