/** The state that the records of a `.cnt` file add up to. */
import { basename, dirname, join } from 'node:path'
import type { PypetError } from '../errors.ts'
import { type ExplorationSpec, explorationLength, explorationNames } from '../exploration/exploration.ts'
import { extendedExploration, withoutPools } from '../exploration/extend.ts'
import { RUNS_MAX } from '../names.ts'
import type { OpenRequest, RunEnvironment } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'
import type {
  CntRecord,
  CommitRecord,
  ExperimentRecord,
  FailedRun,
  MemoryDelta,
  PageImage,
} from './cnt-record.ts'
import { damaged, readRecords } from './cnt-records.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { PageSet } from './page-set.ts'
import { RunSet } from './run-set.ts'

export interface CntState {
  readonly path: string
  /**
   * The experiment with the current path of the HDF5 file (next to the `.cnt` file), the points added since, and its
   * last environment. One reader returns the same object as long as the experiment is the same.
   */
  readonly experiment: ExperimentRecord
  readonly stored: RunSet
  /** Runs whose last attempt failed. */
  readonly failed: ReadonlyMap<RunIndex, FailedRun>
  /** All changes combined. */
  readonly memory: MemoryDelta
  /** When the very first run started, in seconds since 1970. Undefined before that. */
  readonly startTimestamp: number | undefined
  /** 0 before the first commit. */
  readonly lastSequence: number
  /** Size of the HDF5 file at the last commit, or before the first one. */
  readonly fileBytes: number
  /** The largest possible size of the HDF5 file. */
  readonly protectedBytes: number
  /** `superblockOf` the HDF5 file at the last commit, or before the first one. */
  readonly superblock: string
  /** Possible states of the HDF5 file: the last applied commit, and each later one. */
  readonly knownSuperblocks: readonly string[]
  /** Images that may not be in the HDF5 file yet. */
  readonly pages: readonly PageImage[]
  /** Every commit is in the HDF5 file. Others may have written to it since. */
  readonly isApplied: boolean
  /** Every run is stored. */
  readonly isComplete: boolean
  /** The last commit has closed the trajectory: every run had ended, and post-processing had seen them. */
  readonly hasEnded: boolean
  /** Where the next record goes. Anything after it is unfinished. */
  readonly endOffset: number
}

/**
 * Reads a `.cnt` file. Nothing in it is executed.
 *
 * @throws PypetError `PYPET_CNT_NOT_FOUND`, `PYPET_CNT_NOT_CNT`, `PYPET_CNT_NEWER`, `PYPET_CNT_DAMAGED`
 */
export function readCnt(path: string, system: DiskSystem = FILES): CntState {
  const replay = new Replay(path)
  const endOffset = readRecords(path, system, (record) => replay.take(record))
  return replay.state(endOffset)
}

/** Reads only the experiment record. As `readCnt`. */
export function readExperiment(path: string, system: DiskSystem = FILES): ExperimentRecord {
  let experiment: ExperimentRecord | undefined
  readRecords(path, system, (record) => {
    if (record.type === 'experiment') experiment = record
    return 'stop'
  })
  if (experiment === undefined) throw noExperiment(path)
  return atHome(experiment, path)
}

/** Whether anything was committed, judged by the intact records. As `readCnt`. */
export function hasCommit(path: string, system: DiskSystem = FILES): boolean {
  let isFound = false
  readRecords(path, system, (record) => {
    if (record.type !== 'commit') return undefined
    isFound = true
    return 'stop'
  })
  return isFound
}

/** Takes one record after the other. Of a commit, it keeps the pages and the runs. */
export class Replay {
  readonly #path: string
  #experiment: ExperimentRecord | undefined
  readonly #stored = new RunSet()
  readonly #failed = new Map<RunIndex, FailedRun>()
  readonly #added: Record<string, string[]> = {}
  readonly #values: Record<string, number | boolean> = {}
  readonly #extensions: ExplorationSpec[] = []
  /** Number of lists and arrays, by parameter. */
  readonly #poolSizes = new Map<string, number>()
  #environment: RunEnvironment | undefined
  /** Including points added since. */
  #runCount = 0
  #startTimestamp: number | undefined
  #last: CommitRecord | undefined
  /** Commits whose pages may be missing in the HDF5 file, and the one before them. */
  #commits: Pick<CommitRecord, 'sequence' | 'pages' | 'superblock' | 'fileBytes'>[] = []
  #isApplied = false
  /** The current experiment, until points are added. */
  #grown: ExperimentRecord | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @throws PypetError `PYPET_CNT_DAMAGED` if a record contradicts earlier ones */
  take(record: CntRecord): void {
    switch (record.type) {
      case 'experiment': {
        if (this.#experiment !== undefined) throw damaged(this.#path, 'it describes two experiments')
        this.#experiment = record
        const { exploration } = record.request
        this.#runCount = exploration === undefined ? 1 : explorationLength(exploration)
        if (exploration !== undefined) this.#takePools(exploration, 0, 'the experiment, exploration')
        break
      }
      case 'commit':
        this.#commit(record)
        break
      case 'applied':
        if (this.#experiment === undefined) throw noExperiment(this.#path)
        if (record.sequence !== (this.#last?.sequence ?? 0))
          throw damaged(this.#path, `commit ${record.sequence} is marked as applied, but is not the last one`)
        this.#isApplied = true
        this.#commits = this.#commits.slice(-1).map((commit) => ({ ...commit, pages: [] }))
        break
    }
  }

  #commit(record: CommitRecord): void {
    const before = this.#last?.sequence ?? 0
    // A compaction leaves one commit instead of many, as the first one.
    if (record.sequence !== before + 1 && this.#last !== undefined) {
      throw damaged(this.#path, `commit ${record.sequence} follows commit ${before}`)
    }
    if (record.added !== undefined) this.#grow(record.added, record.sequence)
    if (record.environment !== undefined) this.#goOnWith(record.environment)
    this.#checkRuns(record)
    this.#last = record
    this.#isApplied = false
    for (const { run } of record.failed) this.#failed.delete(run)
    this.#stored.addRanges(record.stored)
    this.#stored.removeRanges(record.reopened)
    const reopened = RunSet.ofRanges(record.reopened)
    // Iterate over `#failed`: unlike a list of ranges, it is never longer than the file.
    for (const run of [...this.#failed.keys()]) if (reopened.has(run)) this.#failed.delete(run)
    for (const failure of record.failed) this.#failed.set(failure.run, failure)
    for (const [set, texts] of Object.entries(record.memory.added)) {
      const known = this.#added[set]
      if (known === undefined) this.#added[set] = [...texts]
      else for (const text of texts) known.push(text)
    }
    Object.assign(this.#values, record.memory.values)
    this.#startTimestamp = record.startTimestamp ?? this.#startTimestamp
    // All earlier commits are in the file, with any changes by others since.
    if (record.foundSuperblock !== undefined)
      this.#commits = [{ sequence: before, superblock: record.foundSuperblock, pages: [], fileBytes: 0 }]
    this.#commits.push(record)
    // Keep the last applied commit without pages: the file may still have its superblock.
    const applied = this.#commits.findLastIndex(({ sequence }) => sequence <= record.applied)
    if (applied >= 0) {
      this.#commits = this.#commits.slice(applied)
      this.#commits[0] = { ...(this.#commits[0] as CommitRecord), pages: [] }
    }
  }

  /** It has its own times, not those of the previous environment. */
  #goOnWith(environment: RunEnvironment): void {
    this.#environment = environment
    this.#startTimestamp = undefined
    this.#grown = undefined
  }

  #grow(added: ExplorationSpec, sequence: number): void {
    const { exploration, parameters } = (this.#experiment ?? this.#missing()).request
    const first = exploration ?? this.#extensions[0]
    const expected = first === undefined ? parameters.map(({ name }) => name) : explorationNames(first)
    const names = explorationNames(added)
    const known = new Set(expected)
    const wrong = names.find((name) => !known.has(name))
    if (wrong !== undefined || (first !== undefined && names.length !== expected.length))
      throw damaged(
        this.#path,
        `in commit ${sequence}, added: expected the explored names, found ${wrong ?? names}`,
      )
    // If nothing was explored, the default is the first value.
    this.#takePools(added, first === undefined ? 1 : 0, `commit ${sequence}, added`)
    this.#runCount += explorationLength(added)
    if (this.#runCount > RUNS_MAX)
      throw damaged(
        this.#path,
        `in commit ${sequence}, added: expected at most ${RUNS_MAX} runs, found ${this.#runCount}`,
      )
    this.#extensions.push(added)
    this.#grown = undefined
  }

  /** Added lists and arrays are numbered after the existing ones. */
  #takePools(added: ExplorationSpec, firstOfNew: number, where: string): void {
    const [, pools] = withoutPools(added)
    for (const [name, { first, values }] of Object.entries(pools)) {
      const expected = this.#poolSizes.get(name) ?? firstOfNew
      if (first !== expected)
        throw damaged(
          this.#path,
          `in ${where}: expected values of ${name} starting at ${expected}, found ${first}`,
        )
      this.#poolSizes.set(name, first + values.length)
    }
  }

  /** A run outside the exploration would otherwise be counted as one of its runs. */
  #checkRuns({ sequence, stored, reopened, failed, returned }: CommitRecord): void {
    if (this.#experiment === undefined) throw noExperiment(this.#path)
    const runCount = this.#runCount
    const fields = {
      stored: (stored.at(-1) ?? 0) - 1,
      reopened: (reopened.at(-1) ?? 0) - 1,
      failed: failed.find(({ run }) => run >= runCount)?.run ?? 0,
      returned: returned.find(({ run }) => run >= runCount)?.run ?? 0,
    }
    for (const [field, run] of Object.entries(fields)) {
      if (run >= runCount)
        throw damaged(
          this.#path,
          `in commit ${sequence}, ${field}: expected runs below ${runCount}, found ${run}`,
        )
    }
  }

  #missing(): never {
    throw noExperiment(this.#path)
  }

  state(endOffset: number): CntState {
    const recorded = this.#experiment
    if (recorded === undefined) throw noExperiment(this.#path)
    this.#grown ??= withEnvironment(grown(atHome(recorded, this.#path), this.#extensions), this.#environment)
    const experiment = this.#grown
    const fileBytes = this.#last?.fileBytes ?? experiment.baseBytes
    const { useHdf5 } = experiment.request.continuation.settings
    if (useHdf5 !== false && this.#stored.count > fileBytes)
      throw damaged(
        this.#path,
        `${this.#stored.count} runs are stored, but the HDF5 file has ${fileBytes} bytes`,
      )
    const pages = new PageSet()
    for (const commit of this.#commits) for (const page of commit.pages) pages.lay(page)
    const base = this.#commits.length === (this.#last?.sequence ?? 0) ? [experiment.baseSuperblock] : []
    return {
      path: this.#path,
      experiment,
      stored: this.#stored,
      failed: this.#failed,
      memory: { added: this.#added, values: this.#values },
      startTimestamp: this.#startTimestamp,
      lastSequence: this.#last?.sequence ?? 0,
      fileBytes,
      protectedBytes: Math.max(
        base.length > 0 ? experiment.baseBytes : 0,
        ...this.#commits.map(({ fileBytes }) => fileBytes),
      ),
      superblock: this.#last?.superblock ?? experiment.baseSuperblock,
      knownSuperblocks: [...base, ...this.#commits.map(({ superblock }) => superblock)],
      pages: pages.images(fileBytes),
      isApplied: this.#isApplied,
      isComplete: this.#last?.isComplete ?? false,
      hasEnded: this.#last?.hasEnded ?? false,
      endOffset,
    }
  }
}

/** The HDF5 file is named without its folder: it is next to the `.cnt` file, even after a move. */
function atHome(experiment: ExperimentRecord, path: string): ExperimentRecord {
  // Only in this folder: a name that leads elsewhere was not written by pypet-ts.
  const file = join(dirname(path), basename(experiment.request.file))
  return { ...experiment, request: { ...experiment.request, file } }
}

function grown(experiment: ExperimentRecord, extensions: readonly ExplorationSpec[]): ExperimentRecord {
  if (extensions.length === 0) return experiment
  const { request } = experiment
  const exploration = extensions.some(({ kind }) => kind === 'pooled')
    ? extensions.reduce<ExplorationSpec | undefined>(
        (before, added) => extendedExploration(before, added, request.parameters),
        request.exploration,
      )
    : extendedExploration(request.exploration, { kind: 'concat', parts: extensions }, request.parameters)
  return { ...experiment, request: { ...request, exploration } }
}

function withEnvironment(
  experiment: ExperimentRecord,
  environment: RunEnvironment | undefined,
): ExperimentRecord {
  if (environment === undefined) return experiment
  return { ...experiment, request: inEnvironment(experiment.request, environment) }
}

/** The experiment in another environment. It is still identified by the first one. */
export function inEnvironment(request: OpenRequest, environment: RunEnvironment): OpenRequest {
  const { name: environmentName, job, hexsha, timestamp } = environment
  const continuation = { ...request.continuation, job, environmentName, environment: { hexsha, timestamp } }
  return { ...request, continuation }
}

function noExperiment(path: string): PypetError {
  return damaged(path, 'it describes no experiment')
}
