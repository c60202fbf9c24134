/**
 * The commit point of a file. When `commit` returns, everything applied before is durable. If the process ends,
 * everything applied after the last commit is undone. Every commit of every storage mode goes through here.
 *
 * HDF5 has no journal, so it gets one from below: `StagedFile` holds what would overwrite committed bytes, the `.cnt`
 * file takes it at the commit, and `PageWriter` writes it into the file when there is no reader. At any moment, the
 * file on disk with the pages of the `.cnt` file over it is the last committed state.
 *
 * The order of a commit makes it safe:
 * 1. HDF5 flushes. All bytes beyond the committed end are written and synced.
 * 2. One record with the overwritten pages and the runs is appended to the `.cnt` file, and synced. From this moment,
 *    the runs are stored.
 * 3. Later, when there is no reader, the pages are written over the old ones.
 * 4. Step 1 of the next commit makes them durable. Its record says that they are no longer needed.
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
import { displacedError, displacedFor, displacementOf, headOf, notTheSame } from './displaced.ts'
import { PageWriter } from './page-writer.ts'
import { openGate, type ReaderGate } from './reader-gate.ts'
import { realFileOf } from './real-file.ts'
import { StagedFile } from './staged-file.ts'
import { WatchedDisk } from './watched-disk.ts'

export type TransactionFacts = Omit<CommitFacts, 'fileBytes' | 'superblock' | 'pages'>

export interface TransactionOptions {
  /** The HDF5 file, which exists. */
  readonly path: string
  /** Whether the file is new. Then it is created, with its own superblock. */
  readonly isNewFile: boolean
  readonly disk: Disk
  /** What another process has committed but not written to the file. Undefined if the file is complete. */
  readonly left?: Pick<CntState, 'fileBytes' | 'protectedBytes' | 'pages'>
  /** Committed pages stay in the `.cnt` file. Another process writes them into the HDF5 file. */
  readonly leavesPages?: boolean
  /** One of several turns. If the file loses its name, the process that keeps it open restores it. */
  readonly isTurn?: boolean
  /** `headOf` the file, if another process has left it. */
  readonly head?: string | undefined
  /** Creates the journal, once HDF5 has opened the file and before anything is written. */
  readonly openJournal: () => CntJournal
  /** Longest wait for readers if too many pages accumulate, and at the end. Smaller `.cnt` files are not compacted. */
  readonly storage: Pick<StorageSettings, 'readerWaitMs' | 'cntCompactBytes'>
  /** See `PageWriterOptions`. */
  readonly pageRestMs?: number | undefined
  /** See `PageWriterListener`. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  readonly onNotice: (level: LogLevel, message: string) => void
  /** The disk failed outside a call. The file takes no more commits. */
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
  /** All pages up to this commit have been written to the file. */
  #writtenSequence = 0
  /** The first bytes of the file as this writer left them. Undefined before its first commit. */
  #head: string | undefined
  /** The first bytes of the last commit. They are in the file when its pages are. */
  #superblock: string | undefined
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
        if (this.#superblock !== undefined) this.#head = this.#superblock
      },
      onReopened: () => this.#compactIfLarge(),
      onError: (cause) => options.onError(this.#failed('write the pages of a commit', cause)),
    })
  }

  /**
   * Opens the file for writing. Its current content counts as committed.
   *
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`, `PYPET_FILE_MOVED` if it lost its name after `disk` was opened, and
   *   as `openJournal`
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

  /** Readers blocked the last pages until the end: they are only in the `.cnt` file. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /**
   * Makes everything applied so far durable.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`. Then nothing since the last commit may be reported as stored.
   */
  commit(facts: TransactionFacts): void {
    this.#durably('commit', () => {
      this.file.flush()
      this.#append(facts)
    })
    if (this.#options.leavesPages !== true) this.#pages.wake()
  }

  /** The file has been renamed, and its `.cnt` file gets a new name too. */
  noteRenamed(path: string, cntFile: string): void {
    this.#options = { ...this.#options, path }
    this.#journal.rename(cntFile)
  }

  /** Resolves when new commits are welcome. Undefined if they are welcome now. */
  room(): Promise<void> | undefined {
    return this.#pages.isCrowded ? this.#makeRoom() : undefined
  }

  /**
   * Closes the HDF5 file with the last commit. Durable on return. Call `finish` next.
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
   * Writes everything into the HDF5 file, once there is no reader.
   *
   * @param removesCnt the trajectory is complete and its `.cnt` file is not wanted
   * @returns whether there still is a `.cnt` file
   * @throws PypetError `PYPET_STORAGE_FAILED`. Nothing committed is lost.
   */
  async finish(removesCnt: boolean): Promise<boolean> {
    const { path, storage, onNotice } = this.#options
    const { readerWaitMs } = storage
    try {
      const isWritten = await this.#pages.finish(readerWaitMs, () =>
        onNotice(
          'warn',
          `${path} is open in another program; waiting up to ${readerWaitMs / 1000} s for it to close`,
        ),
      )
      if (!isWritten) {
        this.#isBehind = true
        onNotice(
          'warn',
          `${path} is still open in another program: its last changes stay in ${this.#journal.path}`,
        )
        return true
      }
      this.#staged.finish()
      this.#assertInPlace()
      if (removesCnt) this.#journal.remove()
      else this.#journal.appendApplied()
      // Otherwise, if the file was taken away before, nothing would be left.
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

  /** The process exits in between: nothing uncommitted is left. */
  forget(): void {
    if (this.#journal.lastSequence === 0) this.#journal.remove()
  }

  /** After `close`: leaves the committed pages in the `.cnt` file, for the next process. */
  leave(): void {
    this.#journal.close()
    this.#disk.close()
  }

  /** Closes everything without a commit, and leaves the committed state to the next process. */
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
   * Closes everything without a commit: what was applied since the last one is undone. Writes the committed state into
   * the file and removes the `.cnt` file, unless readers or the disk prevent it.
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

  /** After an error, HDF5 may fail to close. What it holds is discarded anyway. */
  #closeFile(): void {
    try {
      this.file.close()
    } catch {
      // Report the earlier error instead.
    }
  }

  /** The page writer and a commit may both notice it. Restore the file only once. */
  #moved: PypetError | undefined

  /** @throws PypetError `PYPET_FILE_MOVED` if the path no longer leads to the file being written */
  #assertInPlace(): void {
    const { descriptor } = this.#disk
    if (descriptor === undefined) return
    if (this.#moved !== undefined) throw this.#moved
    const file = { path: realFileOf(this.#options.path), descriptor }
    // After a failure, the first bytes may be from a partial write.
    const head = this.#disk.failure === undefined ? this.#head : undefined
    const found = displacementOf(file, { committedBytes: this.#committedBytes, head })
    if (found === undefined) return
    this.#moved = this.#options.isTurn
      ? displacedFor(file, found)
      : displacedError(file, found, this.#journal.openFile)
    throw this.#moved
  }

  /** @throws PypetError `PYPET_FILE_MOVED` if the `.cnt` file was removed: without it, a crash would lose the pages in it */
  #assertJournalInPlace(): void {
    const cnt = this.#journal.openFile
    const found = cnt === undefined ? undefined : displacementOf(cnt)
    if (cnt === undefined || found?.kind !== 'removed') return
    this.#moved = this.#options.isTurn ? notTheSame(cnt.path) : displacedError(cnt, found, undefined)
    throw this.#moved
  }

  #append(facts: TransactionFacts): void {
    this.#assertInPlace()
    this.#assertJournalInPlace()
    const pages = this.#staged.prepare()
    // The pages that `prepare` has synced are no longer needed.
    if (this.#writtenSequence > 0) this.#journal.noteApplied(this.#writtenSequence)
    const head = new Uint8Array(SUPERBLOCK_BYTES)
    const superblock = superblockOf(head.subarray(0, this.#staged.read(head, 0)))
    const isWritten = this.#writtenSequence === this.#journal.lastSequence && pages.length === 0
    const sequence = this.#journal.append({ ...facts, fileBytes: this.#staged.size(), superblock, pages })
    this.#staged.commit()
    // Without pages, there is nothing to write: nobody else would note it.
    if (isWritten) this.#writtenSequence = sequence
    this.#committedBytes = this.#staged.size()
    this.#superblock = superblock
    // From now on, only the page writer changes it. What is on the disk later may be from another program.
    const { descriptor } = this.#disk
    if (descriptor !== undefined) this.#head ??= headOf(descriptor)
  }

  /** Only if all pages are in the file: a compaction drops the others. */
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
    onNotice('warn', `${path} stays open in another program: its changes accumulate in ${this.#journal.path}`)
  }

  #durably(step: string, write: () => void): void {
    try {
      write()
    } catch (cause) {
      throw this.#failed(step, cause)
    }
  }

  /** HDF5 may fail because others have changed the file. */
  #displacement(): PypetError | undefined {
    try {
      this.#assertInPlace()
    } catch (error) {
      if (isPypetError(error)) return error
    }
    return undefined
  }

  /** The error of applying operations, with the cause from the disk if there is one. */
  explain(error: unknown): unknown {
    return this.#disk.failure === undefined ? (this.#displacement() ?? error) : this.#failed('write', error)
  }

  /** The error of an operation on the file, with the cause from the disk if there is one. */
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

/** HDF5 opens a file by name, a moment after `disk`, and reads what others may have written meanwhile. */
function movedError(
  { path, isNewFile, isTurn, left, head }: TransactionOptions,
  disk: Disk,
): PypetError | undefined {
  if (isNewFile || disk.descriptor === undefined) return undefined
  const file = { path: realFileOf(path), descriptor: disk.descriptor }
  const found = displacementOf(file, { committedBytes: left?.fileBytes, head })
  if (found === undefined) return undefined
  return isTurn ? displacedFor(file, found) : displacedError(file, found, undefined)
}

/** Longest time to hold runs back at once: readers may never end. */
const ROOM_WAIT_MS = 10_000

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

function spaceText(path: string, neededBytes: number): string {
  const needed = `This commit needs ${kibibytes(neededBytes)}, later runs need more`
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return `Free some space: the disk of ${dirname(path)} has ${kibibytes(bavail * bsize)} left. ${needed}.`
  } catch {
    return `Free some space. ${needed}.`
  }
}

function kibibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024).toLocaleString('en')} KiB`
}
