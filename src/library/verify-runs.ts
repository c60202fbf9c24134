/** The two halves of `verify`: reads an experiment from its file, and repeats its runs without a writer. */
import { randomInt } from 'node:crypto'
import { changedJob } from '../environment/changed-job.ts'
import { assertReached, jobArguments, readArguments } from '../environment/job-arguments.ts'
import { prepareJob } from '../environment/prepare-job.ts'
import { runNodes, showsSeen, storedInFile } from '../environment/seen-nodes.ts'
import { storedNodes } from '../environment/stored-nodes.ts'
import type { ErrorRecord } from '../errors.ts'
import { openExecutor } from '../executors/open-executor.ts'
import { runSeeds } from '../executors/run-seeds.ts'
import type { UserCode } from '../executors/user-code.ts'
import type { JobFunction } from '../experiment/job-functions.ts'
import { type FlagValues, optionWords, resolveSettings } from '../experiment/layers.ts'
import type { Settings } from '../experiment/options.ts'
import { describePlace } from '../experiment/origin.ts'
import { planRuns } from '../exploration/plan.ts'
import { type ExplorationPlan, runPoint } from '../exploration/run-point.ts'
import { readExperiment } from '../journal/cnt-state.ts'
import { findCntFiles } from '../journal/find-cnt.ts'
import { removePartFile } from '../journal/part-file.ts'
import type { JobLocation, RunRange } from '../protocol.ts'
import { readHdf5 } from '../reading/read-hdf5.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import type { Parameter } from '../run/parameter.ts'
import type { RawRunRecord } from '../run/run-frame.ts'
import { shellWord } from '../shell-word.ts'
import { openFrameReceiver } from '../storage/queue/local-server.ts'
import { removeTemporary, temporaryFolderName } from '../temporary-names.ts'
import { type RunNodes, sentParameter } from '../tree/run-nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { ClassReference } from '../values/own-class.ts'
import type { RunIndex } from '../values/path.ts'
import { compareRun, type RunDifference } from './compare-run.ts'
import { loadTrajectory } from './load-trajectory.ts'
import {
  findRecordedJob,
  recordedJobOfRun,
  recordedSeeds,
  recordedSeen,
  recordedTreeSettings,
} from './recorded-job.ts'
import { identityBeside, type OtherSource, restoreHint, runsOfOthers, runsText } from './stored-source.ts'
import type { Trajectory } from './trajectory.ts'
import { asDeclared, treeExploration, treeParameters } from './tree-experiment.ts'

export interface VerifyOptions {
  /** The trajectory, if the file has several. */
  readonly trajectory?: string
  /** Your own classes that restore parameters, if the job does not have them, as in `loadTrajectory`. */
  readonly dynamicImports?: readonly ClassReference[]
  /** The job module or function. Default: the module that the file names. */
  readonly job?: string | URL | JobFunction
  /** Number of stored runs to draw. Default: 20. */
  readonly sample?: number
  /** Seed of the draw. Default: a new one each time, which the report names. */
  readonly sampleSeed?: number
  /** Instead of a sample: these runs, or all stored ones. */
  readonly runs?: readonly RunIndex[] | 'all'
  /** Also compare runs that another job has made. */
  readonly allowChangedJob?: boolean
  /** Arguments of the job after `traj`. Default: those that an unfinished experiment has recorded. */
  readonly args?: readonly unknown[]
  /** `ncores`, `executor`, `timeout`. */
  readonly options?: Pick<FlagValues, 'ncores' | 'executor' | 'timeout'>
  /** Called with each verdict. */
  readonly onVerdict?: (verdict: RunVerdict) => void
  /** True if the process belongs to the command and ends with it. */
  readonly isProcessOurs?: boolean
}

export type RunVerdict =
  | { readonly run: RunIndex; readonly state: 'identical' }
  | { readonly run: RunIndex; readonly state: 'different'; readonly difference: RunDifference }
  /** The run was stored, but now it fails. */
  | { readonly run: RunIndex; readonly state: 'failed'; readonly error: ErrorRecord }

export interface StoredExperiment extends AsyncDisposable {
  readonly file: string
  readonly trajectory: string
  readonly jobFile: string
  /** How the job has changed since these runs were made; undefined if the file does not record what made them. */
  readonly jobChangesOf: (runs: readonly RunIndex[]) => string | undefined
  readonly seedOf: (run: RunIndex) => number
  /** All stored runs. */
  readonly completed: readonly RunIndex[]
  /** Those that another job has made, unless that is allowed. They cannot be compared. */
  readonly others: readonly OtherSource[]
  readonly runCount: number
  readonly settings: Settings
  readonly job: JobLocation
  readonly userCode: UserCode
  readonly parameters: readonly Parameter[]
  readonly plan: ExplorationPlan
  readonly args: ReturnType<typeof jobArguments>
  /** The other nodes that the job of a run sees. */
  readonly nodesOf: (run: RunIndex) => RunNodes
}

type ReadOptions = Omit<VerifyOptions, 'job'> & { readonly job?: string | JobFunction | undefined }

/** Like `verify`. Dispose of the result. */
export async function readStoredExperiment(file: string, options: ReadOptions): Promise<StoredExperiment> {
  const { trajectory: name, allowChangedJob = false, isProcessOurs = false } = options
  using traj = await loadTrajectory(file, { ...(name !== undefined && { name }), other: 'data' })
  const tree = traj as unknown as TrajectoryTree
  const given = options.job ?? findRecordedJob(tree, file, { command: 'verify', words: wordsOf(options) })
  return await prepareJob(given, { isProcessOurs }, async (job) => {
    const completed = traj.runNames.map((_, run) => run).filter((run) => traj.isCompleted(run))
    const now = identityBeside(job, file)
    // The file is closed while runs are executed.
    const jobs = completedFacts(completed, recordedJobOfRun(tree))
    const others = allowChangedJob ? [] : runsOfOthers(completed, jobs, now)
    assertComparable(options.runs ?? 'all', { completed, others, file, job: job.file })
    const loaded = await job.load()
    const parameters = asDeclared(treeParameters(tree), loaded.definition)
    const seedOf = completedFacts(completed, recordedSeeds(tree))
    const flags = { ...(typeof options.job === 'function' && { executor: 'inline' }), ...options.options }
    const { settings, origins } = resolveSettings({ jobFile: job.file, flags })
    const args =
      options.args === undefined ? keptArguments(file, traj.name) : jobArguments({ common: options.args })
    const location = await job.locate(loaded, options.dynamicImports)
    assertReached(args, settings.executor, describePlace('executor', origins.executor))
    return {
      file,
      trajectory: traj.name,
      jobFile: job.file,
      jobChangesOf(runs) {
        if (runs.every((run) => jobs(run) === undefined)) return undefined
        return [...new Set(runsOfOthers(runs, jobs, now).map(({ jobChanges }) => jobChanges))].join('; ')
      },
      seedOf,
      completed,
      others,
      runCount: traj.length,
      settings,
      job: location,
      userCode: job.userCode,
      parameters,
      plan: planRuns({ parameters, exploration: treeExploration(tree) }),
      args,
      nodesOf: await seenNodesOf(traj, completed, {
        parameters,
        config: [],
        tree: recordedTreeSettings(tree),
      }),
      [Symbol.asyncDispose]: job.dispose,
    }
  })
}

/** The nodes that runs have seen, without later additions. */
async function seenNodesOf(
  traj: Trajectory,
  runs: readonly RunIndex[],
  given: Parameters<typeof runNodes>[1],
): Promise<(run: RunIndex) => RunNodes> {
  const namesOf = completedFacts(runs, recordedSeen(traj as unknown as TrajectoryTree))
  const nodes = new Map<string | undefined, RunNodes>()
  for (const names of new Set(runs.map(namesOf))) {
    const seen = await storedNodes(traj.filename, traj.name, { shows: showsSeen(names) })
    nodes.set(names, runNodes(seen, given))
  }
  return (run) => nodes.get(namesOf(run)) as RunNodes
}

/**
 * Repeats the runs, and resolves to the outcome of each. Runs with the same seed and the same seen nodes use the
 * same workers.
 */
export async function performAgain(
  experiment: StoredExperiment,
  runs: readonly RunIndex[],
  onVerdict: (verdict: RunVerdict) => void,
): Promise<RunVerdict[]> {
  // The output of the jobs was already shown when the runs were stored.
  experiment.userCode.listen({ onLine: () => undefined, onStrayError: () => undefined })
  const verdicts: RunVerdict[] = []
  for (const seed of new Set(runs.map(experiment.seedOf))) {
    const ofSeed = runs.filter((run) => experiment.seedOf(run) === seed)
    for (const nodes of new Set(ofSeed.map(experiment.nodesOf))) {
      const alike = ofSeed.filter((run) => experiment.nodesOf(run) === nodes)
      verdicts.push(...(await performAlike(experiment, { seed, nodes }, alike, onVerdict)))
    }
  }
  return verdicts
}

async function performAlike(
  experiment: StoredExperiment,
  { seed, nodes }: { readonly seed: number; readonly nodes: RunNodes },
  runs: readonly RunIndex[],
  onVerdict: (verdict: RunVerdict) => void,
): Promise<RunVerdict[]> {
  const { settings, userCode, plan, args, parameters, job } = experiment
  const verdicts: RunVerdict[] = []
  const take = (verdict: RunVerdict) => {
    verdicts.push(verdict)
    onVerdict(verdict)
  }
  const comparison = new Comparison(experiment, take)
  const folder = temporaryFolderName()
  using _folder = { [Symbol.dispose]: () => removeTemporary(folder) }
  await using receiver = await openFrameReceiver((record) => comparison.add(record))
  const setup = {
    job,
    parameters: parameters.map(sentParameter),
    nodes,
    seed,
    runCount: plan.runCount,
    args: args.common,
    tellsReturned: false,
    storage: { kind: 'queue' as const, address: receiver.address },
    parts: { folder, areTaken: true },
    niceness: settings.niceness,
    logLevel: 'error' as const,
    logStdout: true,
    timeoutMs: settings.timeout * 1000,
  }
  await using executor = await openExecutor(
    settings,
    setup,
    () => undefined,
    userCode,
    storedInFile(experiment.file, experiment.trajectory),
  )
  const queue = [...runs].reverse()
  const next = (): RunRange | undefined => {
    if (comparison.isBehind) return undefined
    const run = queue.pop()
    if (run === undefined) return undefined
    const { runCount } = plan
    return {
      run,
      count: 1,
      attempt: 1,
      runCount,
      ...(args.each !== undefined && { args: [args.each[run]] }),
    }
  }
  const source = {
    next,
    pointAt: (run: RunIndex) => runPoint(plan, run),
    putBack: ({ run }: RunRange) => void queue.push(run),
  }
  do {
    await executor.perform(source, (outcome) => {
      if (outcome.state === 'handed-over') comparison.expect()
      else take({ run: outcome.failure.run, state: 'failed', error: outcome.failure.error })
    })
    await comparison.settled()
  } while (queue.length > 0)
  return verdicts
}

/** If this many records wait to be compared, no more runs start. */
const WAITING_MAX = 256

/** Compares records as they arrive, several per opening of the file. */
class Comparison {
  readonly #experiment: StoredExperiment
  readonly #take: (verdict: RunVerdict) => void
  #waiting: RawRunRecord[] = []
  #expectedCount = 0
  #comparing: Promise<void> | undefined
  #error: { readonly thrown: unknown } | undefined
  #resolve: (() => void) | undefined

  constructor(experiment: StoredExperiment, take: (verdict: RunVerdict) => void) {
    this.#experiment = experiment
    this.#take = take
  }

  get isBehind(): boolean {
    return this.#waiting.length >= WAITING_MAX || this.#error !== undefined
  }

  /** Called when a worker has handed over its record. */
  expect(): void {
    this.#expectedCount += 1
  }

  add(record: RawRunRecord): void {
    this.#waiting.push(record)
    this.#comparing ??= this.#compareAll()
  }

  /** Resolves when all expected records are compared. */
  async settled(): Promise<void> {
    while (this.#expectedCount > 0 && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
    }
    if (this.#error !== undefined) throw this.#error.thrown
  }

  async #compareAll(): Promise<void> {
    const { file, trajectory } = this.#experiment
    try {
      // Compare frames together that arrived together.
      await new Promise((resolve) => setImmediate(resolve))
      while (this.#waiting.length > 0) {
        const records = this.#waiting.splice(0)
        const verdicts = await readHdf5(file, (reader) => {
          const source = new Hdf5Source(reader, trajectory)
          return records.map((record): RunVerdict => {
            const difference = compareRun(source, record)
            const { run } = record
            return difference === undefined
              ? { run, state: 'identical' }
              : { run, state: 'different', difference }
          })
        })
        // Only after everything is read: it may be read again.
        for (const { partFile } of records) if (partFile !== undefined) removePartFile(partFile)
        for (const verdict of verdicts) this.#take(verdict)
        this.#expectedCount -= records.length
      }
    } catch (thrown) {
      this.#error = { thrown }
    }
    this.#comparing = undefined
    this.#resolve?.()
  }
}

/** The arguments that an unfinished experiment has recorded. */
function keptArguments(file: string, trajectory: string): ReturnType<typeof jobArguments> {
  const ofTrajectory = findCntFiles(file)
    .map((path) => readExperiment(path).request)
    .find((request) => request.trajectory.name === trajectory && request.isEdit !== true)
  return ofTrajectory === undefined
    ? { common: [] }
    : readArguments(
        ofTrajectory.continuation,
        file,
        'Give them in a script: await verify(file, { args: […] }).',
      )
}

/** The call's own flags, as they are written in a command. */
function wordsOf({ trajectory, sample, sampleSeed, runs, allowChangedJob, options }: ReadOptions): string[] {
  return [
    ...(sample === undefined ? [] : ['--sample', String(sample)]),
    ...(sampleSeed === undefined ? [] : ['--sample-seed', String(sampleSeed)]),
    ...(runs === 'all' ? ['--all'] : runs === undefined ? [] : ['--runs', runs.join(',')]),
    ...(trajectory === undefined ? [] : ['--trajectory', shellWord(trajectory)]),
    ...(allowChangedJob === true ? ['--allow-changed-job'] : []),
    ...optionWords(options ?? {}),
  ]
}

function completedFacts<Fact>(
  completed: readonly RunIndex[],
  factOf: (run: RunIndex) => Fact,
): (run: RunIndex) => Fact {
  const facts = new Map(completed.map((run) => [run, factOf(run)]))
  return (run) => facts.get(run) as Fact
}

/** All named runs must be comparable. Without names, at least one run must be. */
function assertComparable(
  asked: readonly RunIndex[] | 'all',
  {
    completed,
    others,
    file,
    job,
  }: Pick<StoredExperiment, 'completed' | 'others' | 'file'> & { readonly job: string },
): void {
  const wanted = new Set(asked === 'all' ? completed : asked)
  const changed = others
    .map((other) => ({ ...other, runs: other.runs.filter((run) => wanted.has(run)) }))
    .filter(({ runs }) => runs.length > 0)
  const [first] = changed
  const runs = changed.flatMap((other) => other.runs)
  if (first === undefined || (asked === 'all' && runs.length < completed.length)) return
  const changes = [...new Set(changed.map(({ jobChanges }) => jobChanges))].join('; ')
  const isWhole = runs.length === completed.length
  throw changedJob(job, isWhole ? file : `${runsText(runs)} of ${file}`, changes, restoreHint(file, first))
}

export function freshSeed(): number {
  return randomInt(2 ** 32)
}

/** Draws without repetition and with equal probability. Sorted by index. */
export function drawRuns(completed: readonly RunIndex[], count: number, seed: number): RunIndex[] {
  const { random } = runSeeds({ seed, parameters: [] })({})
  return random
    .shuffle([...completed])
    .slice(0, count)
    .sort((a, b) => a - b)
}
