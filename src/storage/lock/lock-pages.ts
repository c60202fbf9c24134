/**
 * Brings the pages that workers have committed into the HDF5 file, in the wrap mode `lock`: from time to time, under the
 * lock, and when no reader looks. They are safe in the `.cnt` file, so there is no hurry.
 */
import { PypetError } from '../../errors.ts'
import { CntJournal } from '../../journal/cnt-journal.ts'
import type { CntState } from '../../journal/cnt-state.ts'
import { FILES, FileDisk } from '../../journal/disk.ts'
import { displacedFor, displacementOf, headOf, type OpenFile } from '../../journal/displaced.ts'
import { PENDING_BYTES_MAX } from '../../journal/page-writer.ts'
import { ReaderGate, shellReplaced } from '../../journal/reader-gate.ts'
import type { LogLevel } from '../../run/log-level.ts'
import type { LockServer } from './lock-server.ts'
import type { LockTurns } from './lock-turn.ts'

/** Pages are written at most so often. */
const REST_MS = 250
/** The same while readers are there: each time one of them may be refused for a moment. */
const REST_FOR_READERS_MS = 2000

interface PagesOptions {
  readonly readerWaitMs: number
  /** A smaller `.cnt` file is not compacted. */
  readonly compactBytes: number
  readonly onNotice: (level: LogLevel, message: string) => void
  readonly onError: (error: PypetError) => void
}

export class LockPages {
  readonly #server: LockServer
  readonly #turns: LockTurns
  readonly #options: PagesOptions
  /** Open as long as the experiment is, whatever its name becomes. */
  readonly #file: OpenFile
  #gate: ReaderGate | undefined
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | undefined
  #restMs = REST_MS
  #isStopped = false

  constructor(server: LockServer, turns: LockTurns, file: OpenFile, options: PagesOptions) {
    this.#file = file
    this.#server = server
    this.#turns = turns
    this.#options = options
  }

  /** Under the lock: takes what the opening has left in the file. */
  noteOpened(): void {
    const { isApplied, lastSequence } = this.#turns.state()
    if (isApplied) this.#server.applied = lastSequence
  }

  /** There are newly committed pages. */
  wake(): void {
    if (this.#isStopped || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#working = this.#server
        .hold(() => this.#write())
        .catch((cause) => this.#options.onError(failed(cause)))
        .finally(() => {
          this.#timer = undefined
        })
    }, this.#restMs)
    this.#timer.unref()
  }

  /** Nothing is begun any more. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  async end(): Promise<void> {
    this.stop()
    await this.#working
    await this.#gate?.end()
    this.#gate = undefined
  }

  async #write(): Promise<void> {
    if (this.#isStopped) return
    const state = this.#turns.state()
    if (state.lastSequence <= this.#server.applied) return
    const { descriptor } = this.#file
    this.#gate ??= await this.#openGate(descriptor, state.experiment.request.file)
    const hasReaders = !(await this.#gate.tryClose())
    this.#restMs = hasReaders ? REST_FOR_READERS_MS : REST_MS
    const bytes = state.pages.reduce((sum, page) => sum + page.bytes.byteLength, 0)
    // With so much waiting nobody goes on for a time, to let readers finish.
    const isClosed =
      !hasReaders || (bytes > PENDING_BYTES_MAX && (await this.#gate.waitToClose(this.#options.readerWaitMs)))
    if (!isClosed) {
      setImmediate(() => this.wake())
      return
    }
    const disk = new FileDisk(descriptor)
    try {
      this.#assertInPlace(state.fileBytes)
      for (const page of state.pages) disk.write(page.bytes, page.offset)
    } finally {
      await this.#gate.reopen()
    }
    disk.sync()
    this.#server.applied = state.lastSequence
    this.#server.left = { ...this.#server.left, head: headOf(descriptor) }
    this.#compactIfLarge(state)
  }

  /** Pages must not go into a file that nobody finds, nor over what another program has written. */
  #assertInPlace(committedBytes: number): void {
    const found = displacementOf(this.#file, { committedBytes, head: this.#server.left.head })
    if (found !== undefined) throw displacedFor(this.#file, found)
  }

  #compactIfLarge(state: CntState): void {
    const { compactBytes } = this.#options
    if (compactBytes > 0 && state.endOffset <= compactBytes + this.#worthBytes) return
    const journal = CntJournal.takeUp(FILES, state, state.lastSequence)
    journal.compact()
    this.#worthBytes = 3 * journal.bytes
    journal.close()
    // What is open of it is the old one, which has no name any more.
    this.#turns.state()
  }

  /** Much larger than what it was made by the last compaction. */
  #worthBytes = 0

  async #openGate(descriptor: number, file: string): Promise<ReaderGate> {
    const gate = await ReaderGate.open(descriptor, {
      onReplaced: () => this.#options.onNotice('warn', shellReplaced(file)),
    })
    if (gate.reason !== undefined) {
      this.#options.onNotice(
        'info',
        `readers of ${file} are not kept apart from its writer: ${gate.reason}; read it with pypet-ts snapshot`,
      )
    }
    return gate
  }
}

function failed(cause: unknown): PypetError {
  if (cause instanceof PypetError) return cause
  return new PypetError(
    'PYPET_STORAGE_FAILED',
    `the pages of a commit could not be written: ${(cause as Error).message}`,
    {
      hint: 'Check the disk.',
      cause,
    },
  )
}
