/**
 * In the wrap mode `lock`: writes the pages that workers have committed into the HDF5 file, from time to time, in a
 * separate turn, while there is no reader. The pages are safe in the `.cnt` file, so there is no hurry.
 */
import { PypetError } from '../../errors.ts'
import { CntJournal } from '../../journal/cnt-journal.ts'
import type { CntState } from '../../journal/cnt-state.ts'
import { FILES, FileDisk } from '../../journal/disk.ts'
import { displacedFor, displacementOf, type OpenFile } from '../../journal/displaced.ts'
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
  /** Open as long as the experiment, even if the file is renamed. */
  readonly #file: OpenFile
  readonly #writer: PageWriter
  /** Known during a turn. */
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
      // Everyone else waits meanwhile, so this is only worth it if too much accumulates.
      attemptMs: (isCrowded) => (isCrowded ? storage.readerWaitMs : 0),
      onWriting: () => this.#assertInPlace(),
      onReopened: () => this.#noteWritten(),
      onError: (cause) => onError(failed(cause)),
    })
  }

  /** During a turn: takes over the pages of the opening. */
  noteOpened(): void {
    const { isApplied, lastSequence } = this.#turns.state()
    if (isApplied) this.#server.applied = lastSequence
  }

  /** There are newly committed pages. */
  wake(): void {
    this.#pendingBytes = Math.max(1, this.#pendingBytes)
    this.#writer.wake()
  }

  /** Starts nothing more. */
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

  /** Whether nothing is left to write. */
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
    // Not read from the disk: another program may just have written there.
    this.#server.left = { ...this.#server.left, head: state.superblock }
    this.#compactIfLarge(state)
  }

  /** Pages must not go into a file that no path leads to, nor over data of another program. */
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
    // The open file is the old one, which no longer has a name.
    this.#turns.state()
  }

  /** The size that justifies another compaction. */
  #worthBytes = 0
}

function failed(cause: unknown): PypetError {
  if (cause instanceof PypetError) return cause
  return new PypetError(
    'PYPET_STORAGE_FAILED',
    `cannot write the pages of a commit: ${(cause as Error).message}`,
    { hint: 'Check the disk.', cause },
  )
}
