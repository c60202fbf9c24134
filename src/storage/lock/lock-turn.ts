/** One turn at the file of an experiment that several processes or threads write, one after the other. */
import type { PypetError } from '../../errors.ts'
import { cannotWrite, systemRefusal } from '../../errors.ts'
import { planRuns } from '../../exploration/plan.ts'
import type { ExplorationPlan } from '../../exploration/run-point.ts'
import { CntJournal } from '../../journal/cnt-journal.ts'
import type { ExperimentRecord } from '../../journal/cnt-record.ts'
import type { CntState } from '../../journal/cnt-state.ts'
import { CntTail } from '../../journal/cnt-tail.ts'
import { type Disk, FILES } from '../../journal/disk.ts'
import { displacedFor, displacementOf, notTheSame, type OpenFile } from '../../journal/displaced.ts'
import { type FileIdentity, identityOf } from '../../journal/file-identity.ts'
import type { FileLock } from '../../journal/file-lock.ts'
import { RunSet } from '../../journal/run-set.ts'
import { Hdf5Transaction } from '../../journal/transaction.ts'
import { LayoutMemory } from '../../layout/layout-memory.ts'
import { TrajectoryLayout } from '../../layout/trajectory-layout.ts'
import type { StorageSettings } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import { continuedStorage } from '../continued-request.ts'
import { type Commit, type EndedRuns, TrajectoryStore } from '../trajectory-store.ts'

/** Reports runs of an earlier commit once more: whoever committed them may have died before reporting them. */
export function withKnown(commit: Commit, known: EndedRuns): Commit {
  return {
    ...commit,
    stored: [...commit.stored, ...known.stored],
    failed: [...commit.failed, ...known.failed],
  }
}

/** The state of the file when it was left: the same inode, and the same first bytes. */
export interface LeftFile {
  readonly identity: FileIdentity | undefined
  readonly head: string | undefined
}

/** @throws PypetError `PYPET_FILE_MOVED` if the file was moved, replaced or damaged */
function openSame(file: string, { identity, head }: LeftFile, committedBytes: number): Disk {
  let disk: Disk
  try {
    disk = FILES.open(file, 'write')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw notTheSame(file, cause)
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
  try {
    const open = { path: file, descriptor: disk.descriptor as number }
    if (identity !== undefined && identityOf(open.descriptor) !== identity) throw notTheSame(file)
    const found = displacementOf(open, { committedBytes, head })
    if (found !== undefined) throw displacedFor(open, found)
    return disk
  } catch (error) {
    disk.close()
    throw error
  }
}

export interface TurnOptions {
  readonly cntFile: string
  /** Replaces the settings in the `.cnt` file: they may have changed since the experiment began. */
  readonly storage: StorageSettings
  readonly keepCnt: boolean
  readonly onNotice: (level: LogLevel, message: string) => void
  readonly onError: (error: PypetError) => void
}

/**
 * Opens the file for one turn after the other. Between two turns, others write it. Their changes are in the `.cnt`
 * file, of which only the new part is read. A process that dies during a turn does no harm: its uncommitted data is
 * beyond the end of both files, or in its memory.
 */
export class LockTurns {
  readonly #options: TurnOptions
  readonly #tail: CntTail
  #plan: { readonly of: ExperimentRecord; readonly plan: ExplorationPlan } | undefined

  constructor(options: TurnOptions) {
    this.#options = options
    this.#tail = new CntTail(options.cntFile)
  }

  /**
   * The committed state. Call it only during your turn.
   *
   * @throws PypetError `PYPET_FILE_MOVED` if the `.cnt` file is gone, and as `CntTail.readOn`
   */
  state(): CntState {
    try {
      return this.#tail.readOn()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw notTheSame(this.#tail.path, cause)
    }
  }

  /**
   * Opens the file. Call it only during your turn.
   *
   * @param applied pages up to this commit are durably in the HDF5 file
   * @param left the state of the file when it was left
   * @param isLast the turn ends with the experiment: its pages are written into the file
   */
  async open(
    applied: number,
    {
      left = { identity: undefined, head: undefined },
      isLast = false,
      lock,
    }: {
      readonly left?: LeftFile
      readonly isLast?: boolean
      readonly lock?: FileLock | undefined
    } = {},
  ): Promise<TrajectoryStore> {
    const { storage, keepCnt, onNotice, onError } = this.#options
    const state = this.state()
    const recorded = state.experiment.request
    const request = { ...recorded, storage: continuedStorage(recorded, storage), keepCnt }
    const disk = openSame(request.file, left, state.fileBytes)
    const transaction = await Hdf5Transaction.begin({
      path: request.file,
      isNewFile: false,
      disk,
      // Pages that are already in the file need not be in memory.
      left: state.lastSequence <= applied ? { ...state, pages: [] } : state,
      leavesPages: !isLast,
      isTurn: true,
      head: left.head,
      storage,
      onWaiting: lock?.noteWaiting,
      onNotice,
      onError,
      openJournal: () => CntJournal.takeUp(FILES, state, Math.min(applied, state.lastSequence)),
    })
    const plan = this.#planOf(state)
    const memory = new LayoutMemory(state.memory)
    const { stored, failed } = state
    return TrajectoryStore.takeUp({
      request,
      runCount: plan.runCount,
      keepCnt,
      layout: new TrajectoryLayout(request, plan, memory, { stored, failed: failed.keys() }),
      memory,
      transaction,
      stored,
      failed: RunSet.of(failed.keys()),
      reopened: new RunSet(),
      startTimestamp: state.startTimestamp,
      lock,
    })
  }

  close(): void {
    this.#tail.close()
  }

  /** The `.cnt` file, as last found. */
  get openCnt(): OpenFile | undefined {
    return this.#tail.openFile
  }

  #planOf({ experiment }: CntState): ExplorationPlan {
    if (this.#plan?.of !== experiment) {
      const { parameters, exploration } = experiment.request
      this.#plan = { of: experiment, plan: planRuns({ parameters, exploration }) }
    }
    return this.#plan.plan
  }
}
