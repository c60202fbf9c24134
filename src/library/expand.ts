/** Adds points to a stored trajectory and runs the new ones: `pypet-ts expand`. */
import { jobArguments } from '../environment/job-arguments.ts'
import { prepareJob } from '../environment/prepare-job.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { showsSeen } from '../environment/seen-nodes.ts'
import { storedNodes } from '../environment/stored-nodes.ts'
import { PypetError } from '../errors.ts'
import { type FlagValues, optionWords, resolveSettings } from '../experiment/layers.ts'
import { describePlace } from '../experiment/origin.ts'
import { concatSpec } from '../exploration/concat.ts'
import {
  type ExplorationDraft,
  type ExplorationSpec,
  explorationLength,
  explorationNames,
  explorationReader,
} from '../exploration/exploration.ts'
import { type ExploreTexts, explorationFromFlags } from '../exploration/explore-flags.ts'
import { defaultPoint } from '../exploration/extend.ts'
import { planRuns } from '../exploration/plan.ts'
import { withTrialParameters } from '../exploration/repeat.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { Parameter } from '../run/parameter.ts'
import { shellWord } from '../shell-word.ts'
import { prepareEdits } from '../storage/edit/edit-file.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { parameterLocation } from '../values/path.ts'
import { type RawValue, storedOfRaw } from '../values/raw-value.ts'
import { userValue } from '../values/user-value.ts'
import { integer } from '../values/value-forms.ts'
import { plainKey, pointKey } from '../values/value-key.ts'
import { loadTrajectory } from './load-trajectory.ts'
import {
  findRecordedJob,
  recordedJobs,
  recordedSeed,
  recordedSeen,
  recordedTreeSettings,
} from './recorded-job.ts'
import { assertLastJob } from './stored-source.ts'
import type { Trajectory } from './trajectory.ts'
import { asDeclared, explorableParameters, treeExploration, treeParameters } from './tree-experiment.ts'

/** Points that the trajectory already has do not run again. */
export interface ExpandCall extends ExploreTexts {
  readonly file: string
  readonly trajectory?: string | undefined
  /** The job module. By default the one that the file names, if it is next to the file or in the current folder. */
  readonly job?: string | undefined
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly isProcessOurs?: boolean
  /** Continue even if the job is not the last one that ran. */
  readonly allowChangedJob?: boolean
  /** Take over a lock of another host. */
  readonly breakLock?: boolean
  readonly onNotice?: (level: LogLevel, message: string) => void
  /** Does work that must not be left half done if the process is stopped. */
  readonly whole?: (work: () => Promise<void>) => Promise<void>
}

export interface Expansion {
  readonly experiment: PreparedExperiment
  /** Points that were added to the file. */
  readonly addedCount: number
  /** Requested points that already existed. */
  readonly knownCount: number
  /** Runs that are not completed, including the added ones. */
  readonly missingCount: number
}

/**
 * Adds the points to the trajectory in its file, durably, and prepares the experiment that does every run that is
 * not completed. If it is interrupted before the first run, repeat the call to continue.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` if the points do not name what is explored, `PYPET_JOB_NOT_FOUND`,
 *   `PYPET_JOB_CHANGED`, and like `loadTrajectory` and `prepareExperiment`
 */
export async function prepareExpansion(call: ExpandCall): Promise<Expansion> {
  const named = call.trajectory === undefined ? {} : { name: call.trajectory }
  // Checked before any code of the job is executed, and again before each write.
  const { whole = (work) => work() } = call
  await whole(() => assertExpandable(call, named))
  const traj = await loadTrajectory(call.file, { ...named, other: 'data' })
  try {
    const tree = traj as unknown as TrajectoryTree
    const words = wordsOf(call)
    const jobFile = call.job ?? findRecordedJob(tree, call.file, { command: 'expand', words })
    return await prepareJob(jobFile, { isProcessOurs: call.isProcessOurs === true }, async (job) => {
      // Before any code of it is executed.
      assertLastJob(recordedJobs(tree), job, {
        file: traj.filename,
        isAllowed: call.allowChangedJob === true,
      })
      const loaded = await job.load()
      const { definition, postprocess } = loaded
      const { settings, origins, warnings } = resolveSettings({
        jobFile: job.file,
        flags: call.flags ?? {},
        env: call.env ?? {},
        definition,
      })
      const before = treeExploration(tree)
      const known = before === undefined ? explorableParameters(tree) : treeParameters(tree)
      const parameters = asDeclared(known, definition)
      const asked = explorationFromFlags(call, parameters, {
        declared: () => undefined,
        repeat: { given: settings.repeat, where: describePlace('repeat', origins.repeat) },
      })
      const withTrials = withTrialParameters(parameters, asked)
      // Check the request first, so that messages name its places.
      const settled =
        asked === undefined ? undefined : planRuns({ parameters: withTrials, exploration: asked }).exploration
      if (before === undefined) addTrials(traj, withTrials)
      const all = before === undefined ? withTrials : parameters
      const first = before ?? firstPoint(traj, settled, all)
      const { added, addedCount, knownCount } = newPoints(traj, all, first, asked)
      const isMissing = Array.from({ length: traj.length }, (_, run) => run).some(
        (run) => !traj.isCompleted(run),
      )
      // If nothing is written, the file stays as it is.
      if (added !== undefined || isMissing) await whole(() => traj.compactDeleted())
      if (added !== undefined) {
        traj.expand(added)
        await whole(async () => void (await traj.store()))
      }
      const ofRuns = asDeclared(treeParameters(tree), definition)
      const plan = planRuns({ parameters: ofRuns, exploration: treeExploration(tree) })
      // Like earlier runs: additions after their end are not part of the experiment.
      const shows = showsSeen(recordedSeen(tree)(0))
      const seen = await storedNodes(traj.filename, traj.name, { shows })
      const missing = Array.from(traj.runNames, (_, run) => run).filter((run) => !traj.isCompleted(run))
      return {
        experiment: {
          settings: {
            ...settings,
            filename: traj.filename,
            name: traj.name,
            comment: traj.comment,
            overwrite: false,
            addTime: false,
            // Added points get the seed they would have had from the start.
            seed: recordedSeed(traj) ?? settings.seed,
          },
          origins,
          warnings,
          job: await job.locate(loaded),
          identifyJob: job.identity,
          opening: { kind: 'expand' },
          parameters: ofRuns,
          plan,
          userCode: job.userCode,
          args: jobArguments({ common: [] }),
          postprocess,
          seen,
          ...(missing[0] !== undefined && { seenFrom: missing[0] }),
          tree: recordedTreeSettings(tree),
          [Symbol.asyncDispose]: job.dispose,
        },
        addedCount,
        knownCount,
        missingCount: missing.length,
      }
    })
  } finally {
    traj.close()
  }
}

/** Refuses a trajectory that is unfinished or being written. Removes leftovers next to the file. */
async function assertExpandable(
  { file, breakLock = false, onNotice }: ExpandCall,
  named: { readonly name?: string },
): Promise<void> {
  using traj = await loadTrajectory(file, {
    ...named,
    parameters: 'nothing',
    results: 'nothing',
    derivedParameters: 'nothing',
    other: 'nothing',
  })
  const { filename, name: trajectory } = traj
  traj.close()
  await prepareEdits(filename, { trajectory, breakLock, ...(onNotice !== undefined && { onNotice }) })
}

/** The call's own flags, as they are written in a command. */
function wordsOf({
  trajectory,
  explore = [],
  sample,
  flags = {},
  allowChangedJob,
  ...texts
}: ExpandCall): string[] {
  const repeated = {
    '--explore': explore,
    '--only-if': texts.onlyIf,
    '--derive': texts.derive,
    '--where': texts.where,
  }
  return [
    ...(trajectory === undefined ? [] : ['--trajectory', shellWord(trajectory)]),
    ...Object.entries(repeated).flatMap(([flag, values = []]) =>
      values.flatMap((value) => [flag, shellWord(value)]),
    ),
    ...(sample === undefined ? [] : ['--sample', shellWord(sample)]),
    ...(allowChangedJob === true ? ['--allow-changed-job'] : []),
    ...optionWords(flags),
  ]
}

interface NewPoints {
  /** Values by name, in the form of `Trajectory.expand`. */
  readonly added: Readonly<Record<string, readonly unknown[]>> | undefined
  readonly addedCount: number
  readonly knownCount: number
}

/** If nothing is explored yet: the point of the existing run, whose parameters had their defaults. */
function firstPoint(
  traj: Trajectory,
  asked: ExplorationSpec | undefined,
  parameters: readonly Parameter[],
): ExplorationSpec | undefined {
  if (asked === undefined || !traj.isCompleted(0)) return undefined
  return defaultPoint(explorationNames(asked), parameters)
}

/**
 * Adds a parameter that counts repeats, if there is none.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` if a run was stored without it, since its random numbers would change
 */
function addTrials(traj: Trajectory, parameters: readonly Parameter[]): void {
  for (const { name, comment } of parameters) {
    if (traj.at(parameterLocation(name)) !== undefined) continue
    if (traj.isCompleted(0)) {
      throw new PypetError(
        'PYPET_EXPLORATION_INVALID',
        `cannot expand ${traj.name}: its run has no parameter ${name} to count the repeats`,
        { where: '--repeat', hint: 'Run the job with --repeat into a new trajectory.' },
      )
    }
    traj.addParameter(name, integer(0), { comment })
  }
}

/** The requested points that the trajectory does not have. */
function newPoints(
  traj: Trajectory,
  parameters: readonly Parameter[],
  before: ExplorationSpec | undefined,
  asked: ExplorationDraft | undefined,
): NewPoints {
  if (asked === undefined) return { added: undefined, addedCount: 0, knownCount: 0 }
  const names = explorationNames(before ?? asked)
  assertSameNames(traj.name, names, explorationNames(asked))
  // Plan both together, so that equal lists and arrays have the same number.
  const { exploration, explored } = planRuns({
    parameters,
    exploration: before === undefined ? asked : concatSpec([before, asked], '--explore'),
  })
  const all = exploration as ExplorationSpec
  const readers = names.map((name) => explorationReader(all, name))
  const known = new Set<string>()
  const knownUntil = before === undefined ? 0 : explorationLength(before)
  const runs: number[] = []
  for (let run = 0; run < explorationLength(all); run += 1) {
    const key = pointKey(readers.map((read) => plainKey(read(run))))
    if (run >= knownUntil && !known.has(key)) runs.push(run)
    known.add(key)
  }
  const knownCount = explorationLength(all) - knownUntil - runs.length
  if (runs.length === 0) return { added: undefined, addedCount: 0, knownCount }
  const columns = names.map((name, index) => {
    const read = readers[index] as (run: number) => unknown
    const pool = explored.find((candidate) => candidate.name === name)?.pool ?? []
    if (pool.length === 0) return [name, runs.map(read)] as const
    const seen = new Map<unknown, unknown>()
    const values = runs.map((run) => {
      const number = read(run)
      if (!seen.has(number)) seen.set(number, userValue(storedOfRaw(pool[number as number] as RawValue)))
      return seen.get(number)
    })
    return [name, values] as const
  })
  return { added: Object.fromEntries(columns), addedCount: runs.length, knownCount }
}

function assertSameNames(trajectory: string, names: readonly string[], given: readonly string[]): void {
  const missing = names.filter((name) => !given.includes(name))
  const others = given.filter((name) => !names.includes(name))
  if (missing.length + others.length === 0) return
  const found =
    missing.length > 0 ? `${missing.join(', ')} is missing` : `${others.join(', ')} is not explored in it`
  throw new PypetError('PYPET_EXPLORATION_INVALID', `cannot expand ${trajectory}: ${found}`, {
    where: '--explore',
    hint: `Name exactly what it explores: ${names.map((name) => `--explore ${name}=…`).join(' ')}.`,
  })
}
