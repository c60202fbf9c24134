import { realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isPypetError } from '../errors.ts'
import { loadH5wasm } from '../hdf5/h5wasm.ts'
import { hookFileNow } from '../hdf5/hook.ts'
import { ownIdentity } from '../hdf5/identity.ts'
import { fileChanging } from '../hdf5/read-errors.ts'
import { type CntState, readCnt } from '../journal/cnt-state.ts'
import { CntWatch } from '../journal/cnt-watch.ts'
import { type Disk, FILES } from '../journal/disk.ts'
import { isAt } from '../journal/file-identity.ts'
import { findCntFiles } from '../journal/find-cnt.ts'
import { letWriterGoFirst } from '../journal/lock-owner.ts'
import { lockShared } from '../journal/shared-lock.ts'
import { CommittedView } from './committed-view.ts'

/** A trajectory with a `.cnt` file: it is being written, was interrupted by a crash, or has failed runs. */
export interface UnfinishedTrajectory {
  readonly trajectory: string
  readonly cntFile: string
  /** Numbers of runs. */
  readonly stored: number
  readonly failed: number
}

/** A writer keeps readers out for milliseconds at a time. */
const LOCK_WAIT_MS = 1000
/** How long a writer that waits for readers goes first. */
const WRITER_TURN_MS = 2000

/**
 * An HDF5 file at its last commit, whether it is being written or was left by a crash. The pages of the `.cnt` files
 * next to it are applied over the disk's content. Nothing is written to any of these files.
 */
export class CommittedFile {
  /** The path for HDF5, spelled so that it is unique in this process. */
  readonly path: string
  /** At the last commit. */
  readonly fileBytes: number
  /** All that existed when the state was read. */
  readonly cntFiles: readonly string[]
  readonly unfinished: readonly UnfinishedTrajectory[]
  /** Notes for the user about this state, as sentences. */
  readonly notes: readonly string[]
  readonly #source: Source
  readonly #view: CommittedView
  readonly #unhook: () => void

  private constructor(source: Source, facts: Facts, view: CommittedView, path: string, unhook: () => void) {
    this.path = path
    this.fileBytes = view.size()
    this.cntFiles = facts.cntFiles
    this.unfinished = facts.unfinished
    this.notes = facts.notes
    this.#source = source
    this.#view = view
    this.#unhook = unhook
  }

  /**
   * Undefined if the file has no `.cnt` file: then it can be read as it is. The file must exist.
   *
   * @throws the system's error if the file cannot be opened. PypetError `PYPET_FILE_CHANGING` if it was replaced
   *   meanwhile.
   */
  static async open(file: string): Promise<CommittedFile | undefined> {
    if (!isUnfinished(file)) return undefined
    await loadH5wasm()
    const source = new Source(file)
    try {
      await source.lock()
    } catch (error) {
      source.close()
      throw error
    }
    return CommittedFile.#viewOf(file, source)
  }

  /**
   * As `open`, for synchronous callers. The library must be loaded. Nothing holds the writer back, so what you read is
   * only consistent while `isLost` is false.
   *
   * @throws as `open`
   */
  static openNow(file: string): CommittedFile | undefined {
    return isUnfinished(file) ? CommittedFile.#viewOf(file, new Source(file)) : undefined
  }

  static #viewOf(file: string, source: Source): CommittedFile | undefined {
    try {
      const facts = source.takeState()
      // The `.cnt` files were found by name, so they may belong to a file that came during the wait.
      if (!source.isInPlace()) throw fileChanging(file)
      if (facts === undefined) {
        source.close()
        return undefined
      }
      const view = new CommittedView({ ...facts, disk: source.disk, hasMoved: () => source.hasMoved() })
      // Resolve links first: the library would ask for the identity under that path.
      const real = realpathSync(file)
      const own = ownIdentity({ folder: dirname(real), name: basename(real) }, view.size())
      const unhook = hookFileNow(own.path, view)
      return new CommittedFile(source, facts, view, own.path, () => {
        unhook()
        own.end()
      })
    } catch (error) {
      source.close()
      throw error
    }
  }

  /** Whether a read failed because the writer had moved on. Earlier reads are valid. */
  get isLost(): boolean {
    return this.#view.isLost
  }

  close(): void {
    this.#unhook()
    this.#source.close()
  }
}

interface Facts {
  readonly fileBytes: number
  readonly pages: CntState['pages']
  readonly cntFiles: readonly string[]
  readonly unfinished: readonly UnfinishedTrajectory[]
  readonly notes: readonly string[]
}

/** The open files from which a state is read. */
class Source {
  readonly disk: Disk
  readonly #file: string
  readonly #watches: CntWatch[] = []
  #isLocked = false

  constructor(file: string) {
    this.#file = file
    this.disk = FILES.open(file, 'read')
  }

  /** With the lock, the writer postpones changes of the state. Without it, the watches notice possible changes. */
  async lock(): Promise<void> {
    await letWriterGoFirst(this.#file, WRITER_TURN_MS)
    this.#isLocked = await lockShared(this.disk.descriptor as number, LOCK_WAIT_MS)
  }

  /** Undefined if the `.cnt` files are gone because their trajectories are complete. */
  takeState(): Facts | undefined {
    const notes: string[] = []
    const cntFiles = cntFilesOf(this.#file, (error) =>
      notes.push(`${(error as Error).message}; if it belongs to this file, the last runs may be missing`),
    )
    if (cntFiles.length === 0 && notes.length === 0) return undefined
    const states: CntState[] = []
    for (const cntFile of cntFiles) {
      const state = this.#follow(cntFile, notes)
      if (state !== undefined) states.push(state)
    }
    const unapplied = states.find(({ isApplied }) => !isApplied)
    return {
      fileBytes: unapplied?.fileBytes ?? this.disk.size(),
      pages: unapplied?.pages ?? [],
      cntFiles,
      unfinished: states.map(({ path, experiment, stored, failed }) => ({
        trajectory: experiment.request.trajectory.name,
        cntFile: path,
        stored: stored.count,
        failed: failed.size,
      })),
      notes,
    }
  }

  /** Whether the path still leads to the opened file. */
  isInPlace(): boolean {
    return isAt(this.#file, this.disk.descriptor as number)
  }

  hasMoved(): boolean {
    return !this.#isLocked && this.#watches.some((watch) => watch.hasMoved())
  }

  close(): void {
    for (const watch of this.#watches.splice(0)) watch.close()
    this.disk.close()
  }

  #follow(cntFile: string, notes: string[]): CntState | undefined {
    let watch: CntWatch | undefined
    try {
      // Start the watch first, so that it notices changes between the two.
      watch = new CntWatch(cntFile)
      const state = readTwice(cntFile)
      watch.expect(state.lastSequence)
      this.#watches.push(watch)
      return state
    } catch (error) {
      watch?.close()
      // Its trajectory was completed just now.
      if (!isPypetError(error) && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (isPypetError(error, 'PYPET_CNT_NOT_FOUND')) return undefined
      const { message } = error as Error
      notes.push(`${message}; reading the HDF5 file without it, so the last runs may be missing`)
      return undefined
    }
  }
}

/** A write in progress may look like damage, but not twice. */
function readTwice(cntFile: string): CntState {
  try {
    return readCnt(cntFile)
  } catch (error) {
    if (!isPypetError(error, 'PYPET_CNT_DAMAGED')) throw error
    return readCnt(cntFile)
  }
}

/** Whether a file has `.cnt` files, or unreadable ones that may belong to it. */
export function isUnfinished(file: string): boolean {
  let unreadableCount = 0
  const cntFiles = cntFilesOf(file, () => {
    unreadableCount += 1
  })
  return cntFiles.length + unreadableCount > 0
}

/** The `.cnt` files of a file. They are next to the real file, not to links to it. */
export function cntFilesOf(file: string, onUnreadable: (error: unknown) => void = () => {}): string[] {
  return findCntFiles(file, FILES, onUnreadable)
}
