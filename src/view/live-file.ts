/** A file that is being looked at while it may be written: its last commit, and what each commit has changed. */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isPypetError, PypetError } from '../errors.ts'
import { parseOwner, readText } from '../journal/lock-owner.ts'
import { realFileOf } from '../journal/real-file.ts'
import { RunSet } from '../journal/run-set.ts'
import { SRVC } from '../names.ts'
import { fateOf } from '../process-facts.ts'
import { readHdf5 } from '../reading/read-hdf5.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { chooseTrajectory } from '../results/choose-trajectory.ts'
import type { Column } from '../results/column.ts'
import type { ResultSurvey } from '../results/result-columns.ts'
import { RunData } from '../results/run-data.ts'
import { RunFacts } from '../results/run-facts.ts'
import { shellWord } from '../shell-word.ts'
import { problemOf } from './view-problem.ts'
import type { ViewColumn, ViewState } from './view-protocol.ts'

/** What one commit has changed: half-open ranges of runs, or everything. */
interface Change {
  readonly version: number
  readonly runs: readonly number[] | 'all'
  /** Whether their writer held the file before and after. */
  readonly isFresh: boolean
}

/** What has changed since a version. */
export interface Changed {
  /** Half-open ranges of runs. */
  readonly runs: readonly number[] | 'all'
  /** See `RunDataOptions`. */
  readonly fresh: RunSet | undefined
}

/**
 * Reads from what a look has found, while the file is open for the look. Called again if a writer moves on meanwhile.
 *
 * @param version of the state that the look will have
 * @param runs half-open ranges that have changed since the version before
 * @param open the columns of the state
 */
export type ReadNews = (version: number, runs: readonly number[] | 'all', open: () => RunData) => void

/** Older changes are sent as a whole. */
const CHANGES_MAX = 1000
/** The rate is that of the last seconds. */
const RATE_WINDOW_MS = 10_000
/** With the storage mode `lock`, no process holds the file between two commits. */
const QUIET_MS = 5000

export class LiveFile {
  readonly file: string
  readonly #wanted: string | undefined
  #state: ViewState
  #stamp = ''
  /** Of each run. */
  #marks: Uint32Array = new Uint32Array()
  /** Runs that were stored when the columns were looked for. */
  #columnsAt = 0
  /** Of the columns in the state. */
  #survey: ResultSurvey | undefined
  #changes: Change[] = []
  #isMissing = false
  /** Who held the file at the last change. */
  #writer: string | undefined
  #pace: { readonly ms: number; readonly count: number }[] = []
  /** Reads come one after the other. */
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(file: string, trajectory: string | undefined) {
    this.file = file
    this.#wanted = trajectory
    this.#state = {
      version: 0,
      file: shownPath(file),
      trajectory: trajectory ?? '',
      comment: '',
      runCount: 0,
      storedCount: 0,
      failedCount: 0,
      columns: [],
      progress: { state: 'ended', runsPerSecond: undefined, changedMs: 0, command: undefined },
      problem: undefined,
      notes: [],
    }
  }

  /**
   * Reads the last commit.
   *
   * @throws as `readHdf5` and `chooseTrajectory`
   */
  static async open(file: string, trajectory: string | undefined): Promise<LiveFile> {
    const live = new LiveFile(file, trajectory)
    live.#stamp = stampOf(file)
    await live.#take()
    return live
  }

  get state(): ViewState {
    return this.#state
  }

  changedSince(version: number): Changed {
    const later = this.#changes.filter((change) => change.version > version)
    const isKnown = version <= this.#state.version && version >= (this.#changes[0]?.version ?? 1) - 1
    if (!isKnown) return { runs: 'all', fresh: undefined }
    const runs = new RunSet()
    for (const change of later) {
      if (change.runs === 'all') return { runs: 'all', fresh: undefined }
      runs.addRanges(change.runs)
    }
    return { runs: runs.toRanges(), fresh: freshOf(later) }
  }

  /** Reads from the last commit. The file is only open meanwhile. @param fresh see `RunDataOptions` */
  read<Value>(use: (data: RunData, reader: Hdf5Reader) => Value, fresh?: RunSet): Promise<Value> {
    return this.#inTurn(() =>
      readHdf5(this.file, (reader) => use(RunData.open(reader, this.#state.trajectory, { fresh }), reader)),
    )
  }

  /** Finds what was committed since the last look. @returns whether the state has changed */
  async look(readNews?: ReadNews): Promise<boolean> {
    const before = JSON.stringify(this.#state)
    const stamp = stampOf(this.file)
    if (stamp === this.#stamp && this.#state.problem === undefined) {
      this.#state = {
        ...this.#state,
        progress: this.#progress(this.#state.progress.command, this.#isMissing),
      }
    } else {
      // First, so that a commit during the read is seen by the next look.
      this.#stamp = stamp
      try {
        await this.#take(readNews)
      } catch (error) {
        this.#stamp = ''
        this.#state = { ...this.#state, problem: this.#problem(error) }
      }
    }
    return JSON.stringify(this.#state) !== before
  }

  #problem(error: unknown) {
    if (!isPypetError(error, 'PYPET_FILE_NOT_FOUND')) return problemOf(error)
    const { file } = this.#state
    return problemOf(
      new PypetError('PYPET_FILE_NOT_FOUND', `${file} was removed or renamed`, {
        hint: 'You see what it held before. The page goes on when the file is back.',
      }),
    )
  }

  async #take(readNews?: ReadNews): Promise<void> {
    const found = await this.#inTurn(() =>
      readHdf5(this.file, (reader) => {
        // In its turn: another look may have come before.
        const version = this.#state.version + 1
        const trajectory = chooseTrajectory(reader, this.#wanted)
        const facts = new RunFacts(reader, `/${trajectory}`)
        const { total, done, failed } = facts.states
        const isSame = trajectory === this.#state.trajectory && total === this.#state.runCount
        const isKnown = isSame && this.#knowsColumnsOf(done)
        const surveyed = isKnown ? undefined : RunData.open(reader, trajectory, { facts })
        const columns = surveyed?.columns.map(viewColumn) ?? this.#state.columns
        const survey = surveyed?.survey ?? this.#survey
        const marks = marksOf(facts)
        const isOther = !isSame || haveTypesChanged(this.#state.columns, columns)
        const change: Change = {
          version,
          runs: isOther ? 'all' : changedRuns(this.#marks, marks),
          isFresh: this.#writer !== undefined && this.#writer === writerOf(this.file),
        }
        let data: RunData | undefined
        readNews?.(version, change.runs, () => {
          data ??= RunData.open(reader, trajectory, { facts, fresh: freshOf([change]), survey })
          return data
        })
        const comment = reader.attribute(`/${trajectory}`, SRVC.comment)
        return {
          facts: {
            trajectory,
            comment: typeof comment === 'string' ? comment : '',
            runCount: total,
            storedCount: done,
            failedCount: failed,
            columns,
            notes: reader.notes,
          },
          command: continueCommand(reader, trajectory, total),
          marks,
          change,
          survey,
        }
      }),
    )
    const { facts, command, marks, change, survey } = found
    if (facts.columns !== this.#state.columns) this.#columnsAt = facts.storedCount
    this.#writer = writerOf(this.file)
    this.#changes = [...this.#changes, change].slice(-CHANGES_MAX)
    this.#marks = marks
    this.#survey = survey
    const doneCount = facts.storedCount + facts.failedCount
    this.#pace.push({ ms: Date.now(), count: doneCount })
    this.#isMissing = command !== undefined && doneCount < facts.runCount
    this.#state = {
      ...this.#state,
      ...facts,
      version: change.version,
      problem: undefined,
      progress: this.#progress(command, this.#isMissing),
    }
  }

  /** New results come with early runs, or with the last ones. To look for them takes longer than all the rest. */
  #knowsColumnsOf(storedCount: number): boolean {
    return storedCount < 2 * this.#columnsAt && this.#state.progress.state === 'running'
  }

  /** @param isMissing whether there are runs that have neither been stored nor failed */
  #progress(command: string | undefined, isMissing: boolean): ViewState['progress'] {
    const now = Date.now()
    const changedMs = changeTimeOf(this.file)
    const isBusy = isMissing && now - changedMs < QUIET_MS
    const state = writerOf(this.file) !== undefined || isBusy ? 'running' : isMissing ? 'stopped' : 'ended'
    // Slow runs may have only two commits to compare.
    const isRecent = ({ ms }: { readonly ms: number }, index: number) =>
      ms > now - RATE_WINDOW_MS || index >= this.#pace.length - 2
    this.#pace = state === 'running' ? this.#pace.filter(isRecent) : []
    const [first, last] = [this.#pace[0], this.#pace.at(-1)]
    const seconds = first === undefined || last === undefined ? 0 : (last.ms - first.ms) / 1000
    const runsPerSecond = seconds > 0 ? ((last?.count ?? 0) - (first?.count ?? 0)) / seconds : undefined
    return { state, changedMs, command, runsPerSecond: round(runsPerSecond) }
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}

/** Runs that were last changed while one writer held the file. */
function freshOf(changes: readonly Change[]): RunSet {
  const fresh = new RunSet()
  for (const { runs, isFresh } of changes) {
    if (runs === 'all') fresh.clear()
    else if (isFresh) fresh.addRanges(runs)
    else fresh.removeRanges(runs)
  }
  return fresh
}

/** So that the state only changes if the rate does. */
function round(rate: number | undefined): number | undefined {
  return rate === undefined || rate <= 0 ? undefined : Number(rate.toPrecision(3))
}

function viewColumn(column: Column): ViewColumn {
  const { name, fullName, kind, dtype, shape, unit, comment, isExplored } = column
  const isArray = shape !== undefined ? shape.length > 0 : dtype !== 'mixed'
  const isConstant = kind === 'parameter' && !isExplored
  return { name, fullName, kind, dtype, shape, unit, comment, isExplored, isConstant, isSingle: !isArray }
}

/** New columns change nothing for those that were there. */
function haveTypesChanged(before: readonly ViewColumn[], after: readonly ViewColumn[]): boolean {
  const typeOf = ({ dtype, shape, name }: ViewColumn) => JSON.stringify([dtype, shape, name])
  const types = new Map(after.map((column) => [column.fullName, typeOf(column)]))
  return before.some((column) => types.get(column.fullName) !== typeOf(column))
}

/** Of each run a number that changes when it is stored, fails or is tried again. */
function marksOf(facts: RunFacts): Uint32Array {
  const { states } = facts
  const attempts = facts
    .sources()
    .find(({ fullName }) => fullName === 'attempts')
    ?.read(0, states.total)
  const counts = attempts?.form === 'number' ? attempts.values : []
  return Uint32Array.from({ length: states.total }, (_, run) => {
    const state = STATES.indexOf(states.stateOf(run))
    return Number(counts[run] ?? 0) * STATES.length + state
  })
}

const STATES = ['left', 'done', 'failed'] as const

function changedRuns(before: Uint32Array, after: Uint32Array): readonly number[] {
  const runs = new RunSet()
  let start = -1
  for (let run = 0; run <= after.length; run += 1) {
    const isChanged = run < after.length && after[run] !== before[run]
    if (isChanged && start < 0) start = run
    if (!isChanged && start >= 0) {
      runs.addRange(start, run)
      start = -1
    }
  }
  return runs.toRanges()
}

/** Undefined if no run is missing or failed. */
function continueCommand(reader: Hdf5Reader, trajectory: string, runCount: number): string | undefined {
  const unfinished = reader.unfinished.find((each) => each.trajectory === trajectory)
  if (unfinished === undefined) return undefined
  const { cntFile, stored, failed } = unfinished
  if (stored >= runCount) return undefined
  const retry = stored + failed < runCount ? '' : ' --retry-failed'
  return `pypet-ts continue ${shellWord(shownPath(cntFile))}${retry}`
}

/** Who holds the lock of the file, and since when. Undefined if nobody does, or if the process is gone. */
function writerOf(file: string): string | undefined {
  const owner = parseOwner(readText(`${realFileOf(file)}.lock`) ?? '')
  if (owner === undefined || fateOf(owner) === 'gone') return undefined
  return JSON.stringify({ ...owner, waitingSinceMs: undefined })
}

/** Changes with each commit: of the file, and of the `.cnt` files next to it. */
function stampOf(file: string): string {
  return watchedFiles(file)
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats === undefined ? '' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`
    })
    .join()
}

function changeTimeOf(file: string): number {
  const times = watchedFiles(file).map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return Math.round(Math.max(...times))
}

function watchedFiles(file: string): string[] {
  try {
    const real = realFileOf(file)
    const folder = dirname(real)
    const cntFiles = readdirSync(folder).filter((name) => name.endsWith('.cnt'))
    return [real, ...cntFiles.map((name) => join(folder, basename(name)))]
  } catch {
    // The folder is gone, too.
    return [file]
  }
}
