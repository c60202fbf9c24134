/**
 * Brings the pages that workers have committed into the HDF5 file, in the wrap mode `lock`: from time to time, in a turn of
 * its own, and when no reader looks. They are safe in the `.cnt` file, so there is no hurry.
 */
import { PypetError } from '../../errors.ts'
import { CntJournal } from '../../journal/cnt-journal.ts'
import type { CntState } from '../../journal/cnt-state.ts'
import { FILES, FileDisk } from '../../journal/disk.ts'
import { displacedFor, displacementOf, headOf, type OpenFile } from '../../journal/displaced.ts'
import { type PageSource, PageWriter } from '../../journal/page-writer.ts'
import { openGate } from '../../journal/reader-gate.ts'
import type { StorageSettings } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import type { LockServer } from './lock-server.ts'
import type { LockTurns } from './lock-turn.ts'

interface PagesOptions {
  readonly storage: Pick<StorageSettings, 'readerWaitMs' | 'cntCompactBytes'>
  readonly onNotice: (level: LogLevel, message: string) => void
  readonly onError: (error: PypetError) => void
}

export class LockPages implements PageSource {
  readonly #server: LockServer
  readonly #turns: LockTurns
  readonly #compactBytes: number
  /** Open as long as the experiment is, whatever its name becomes. */
  readonly #file: OpenFile
  readonly #writer: PageWriter
  /** Known within a turn. */
  #state: CntState | undefined
  #pendingBytes = 0

  constructor(server: LockServer, turns: LockTurns, file: OpenFile, options: PagesOptions) {
    const { storage, onNotice, onError } = options
    this.#file = file
    this.#server = server
    this.#turns = turns
    this.#compactBytes = storage.cntCompactBytes
    this.#writer = new PageWriter(this, () => openGate(file, onNotice), {
      inTurn: (attempt) => server.hold(async () => this.#look() || (await attempt())),
      // Nobody goes on meanwhile: that is worth it only where too much waits.
      attemptMs: (isCrowded) => (isCrowded ? storage.readerWaitMs : 0),
      onWriting: () => this.#assertInPlace(),
      onWritten: () => undefined,
      onReopened: () => this.#noteWritten(),
      onError: (cause) => onError(failed(cause)),
    })
  }

  /** In a turn: takes what the opening has left in the file. */
  noteOpened(): void {
    const { isApplied, lastSequence } = this.#turns.state()
    if (isApplied) this.#server.applied = lastSequence
  }

  /** There are newly committed pages. */
  wake(): void {
    this.#pendingBytes = Math.max(1, this.#pendingBytes)
    this.#writer.wake()
  }

  /** Nothing is begun any more. */
  stop(): void {
    this.#writer.stop()
  }

  async end(): Promise<void> {
    this.stop()
    await this.#writer.end()
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  writePages(): void {
    const disk = new FileDisk(this.#file.descriptor)
    for (const page of this.#state?.pages ?? []) disk.write(page.bytes, page.offset)
  }

  /** Whether nothing waits. */
  #look(): boolean {
    this.#state = this.#turns.state()
    const isNothing = this.#state.lastSequence <= this.#server.applied
    this.#pendingBytes = isNothing
      ? 0
      : Math.max(
          1,
          this.#state.pages.reduce((sum, page) => sum + page.bytes.byteLength, 0),
        )
    return isNothing
  }

  #noteWritten(): void {
    const state = this.#state as CntState
    const { descriptor } = this.#file
    new FileDisk(descriptor).sync()
    this.#pendingBytes = 0
    this.#server.applied = state.lastSequence
    this.#server.left = { ...this.#server.left, head: headOf(descriptor) }
    this.#compactIfLarge(state)
  }

  /** Pages must not go into a file that nobody finds, nor over what another program has written. */
  #assertInPlace(): void {
    const committedBytes = this.#state?.fileBytes
    const found = displacementOf(this.#file, { committedBytes, head: this.#server.left.head })
    if (found !== undefined) throw displacedFor(this.#file, found)
  }

  #compactIfLarge(state: CntState): void {
    if (this.#compactBytes > 0 && state.endOffset <= this.#compactBytes + this.#worthBytes) return
    const journal = CntJournal.takeUp(FILES, state, state.lastSequence)
    journal.compact()
    this.#worthBytes = 3 * journal.bytes
    journal.close()
    // What is open of it is the old one, which has no name any more.
    this.#turns.state()
  }

  /** Much larger than what it was made by the last compaction. */
  #worthBytes = 0
}

function failed(cause: unknown): PypetError {
  if (cause instanceof PypetError) return cause
  return new PypetError(
    'PYPET_STORAGE_FAILED',
    `the pages of a commit could not be written: ${(cause as Error).message}`,
    { hint: 'Check the disk.', cause },
  )
}
