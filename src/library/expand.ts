/** Adding points to a stored trajectory and performing what is new: `pypet-ts expand`. */
import { resolve } from 'node:path'
import { jobArguments } from '../environment/job-arguments.ts'
import { optionWords } from '../environment/option-words.ts'
import type { PreparedExperiment } from '../environment/prepare-experiment.ts'
import { PypetError } from '../errors.ts'
import { UserCode } from '../executors/user-code.ts'
import { bundleJob } from '../experiment/bundle-job.ts'
import { type FlagValues, resolveSettings } from '../experiment/layers.ts'
import { importJob } from '../experiment/load-job.ts'
import { describePlace } from '../experiment/origin.ts'
import { expand } from '../exploration/expand.ts'
import {
  type ExplorationSpec,
  explorationLength,
  explorationNames,
  explorationReader,
} from '../exploration/exploration.ts'
import { type ExploreTexts, explorationFromFlags } from '../exploration/explore-flags.ts'
import { withTrialParameters } from '../exploration/repeat.ts'
import { shellWord } from '../shell-word.ts'
import { prepareEdits } from '../storage/edit-file.ts'
import type { LogLevel } from '../trajectory/log-level.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { findRecordedJob, recordedSeed } from './recorded-job.ts'
import type { Trajectory } from './trajectory.ts'
import { asDeclared, assertExplores, treeParameters } from './tree-experiment.ts'

/** Points that are there already are not performed again. */
export interface ExpandCall extends ExploreTexts {
  readonly file: string
  readonly trajectory?: string | undefined
  /** The job module; else the one that the file names, where it lies with the file or in the current folder. */
  readonly job?: string | undefined
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly isProcessOurs?: boolean
  /** Take over a lock of another host. */
  readonly breakLock?: boolean
  readonly onNotice?: (level: LogLevel, message: string) => void
  /** Does what an end of the process in between would leave half done. */
  readonly whole?: (work: () => Promise<void>) => Promise<void>
}

export interface Expansion {
  readonly experiment: PreparedExperiment
  /** Points that were added to the file. */
  readonly addedCount: number
  /** Points that were asked for and there already. */
  readonly knownCount: number
  /** Runs that are not completed, the added ones among them. */
  readonly missingCount: number
}

/**
 * Adds the points to the trajectory in its file, durably, and prepares the experiment that performs every run that is
 * not completed. Where it is interrupted before the first run, the same call goes on.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` when the points do not name what is explored, `PYPET_JOB_NOT_FOUND`, and as
 *   `loadTrajectory` and `prepareExperiment`
 */
export async function prepareExpansion(call: ExpandCall): Promise<Expansion> {
  const named = call.trajectory === undefined ? {} : { name: call.trajectory }
  // Before anything of the job is executed; it is asked again whenever something is written.
  const { whole = (work) => work() } = call
  await whole(() => assertExpandable(call, named))
  const traj = await loadTrajectory(call.file, { ...named, other: 'data' })
  try {
    const tree = traj as unknown as TrajectoryTree
    const words = wordsOf(call)
    const jobFile = call.job ?? findRecordedJob(tree, call.file, { command: 'expand', words })
    const userCode = new UserCode(resolve(jobFile), { isProcessOurs: call.isProcessOurs === true })
    const bundle = await bundleJob(jobFile)
    try {
      const { definition, postprocess } = await userCode.call(() => importJob(bundle, userCode.failed))
      const { settings, origins, warnings } = resolveSettings({
        jobFile: bundle.file,
        flags: call.flags ?? {},
        env: call.env ?? {},
        definition,
      })
      const parameters = asDeclared(treeParameters(tree), definition)
      const before = assertExplores(tree, traj.filename)
      const asked = explorationFromFlags(call, parameters, {
        declared: () => undefined,
        repeat: { given: settings.repeat, where: describePlace('repeat', origins.repeat) },
      })
      const settled = expand({
        parameters: withTrialParameters(parameters, asked),
        exploration: asked,
      }).exploration
      const { added, knownCount } = newPoints(traj, before, settled)
      const exploration: ExplorationSpec =
        added === undefined ? before : { kind: 'concat', parts: [before, added] }
      const plan = expand({ parameters, exploration })
      if (added !== undefined) {
        traj.expand(columnsOf(added))
        await whole(async () => void (await traj.store()))
      }
      const missingCount = traj.runNames.filter((_, run) => !traj.isCompleted(run)).length
      return {
        experiment: {
          settings: {
            ...settings,
            filename: traj.filename,
            name: traj.name,
            comment: traj.comment,
            overwrite: false,
            addTime: false,
            // Added points are to be as if they had been there from the beginning.
            seed: recordedSeed(traj) ?? settings.seed,
          },
          origins,
          warnings,
          job: { url: bundle.url, file: bundle.file },
          identifyJob: (folder) => bundle.identity(folder),
          opening: { kind: 'expand' },
          parameters,
          plan,
          userCode,
          args: jobArguments({ common: [] }),
          postprocess,
          async [Symbol.asyncDispose]() {
            userCode[Symbol.dispose]()
            await bundle.dispose()
          },
        },
        addedCount: added === undefined ? 0 : explorationLength(added),
        knownCount,
        missingCount,
      }
    } catch (error) {
      userCode.flush()
      userCode[Symbol.dispose]()
      await bundle.dispose()
      throw error
    }
  } finally {
    traj.close()
  }
}

/** Whose trajectory is unfinished, or being written, is refused; and what was left beside the file is gone then. */
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

/** The call's own flags, as they stand in a command. */
function wordsOf({ trajectory, explore = [], sample, flags = {}, ...texts }: ExpandCall): string[] {
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
    ...optionWords(flags),
  ]
}

/** Of the points asked for, those that the trajectory does not have. */
function newPoints(
  traj: Trajectory,
  before: ExplorationSpec,
  asked: ExplorationSpec | undefined,
): { readonly added: Extract<ExplorationSpec, { kind: 'points' }> | undefined; readonly knownCount: number } {
  if (asked === undefined) return { added: undefined, knownCount: 0 }
  const names = explorationNames(before)
  const given = explorationNames(asked)
  const missing = names.filter((name) => !given.includes(name))
  const others = given.filter((name) => !names.includes(name))
  if (missing.length > 0 || others.length > 0) {
    const found =
      missing.length > 0 ? `${missing.join(', ')} is missing` : `${others.join(', ')} is not explored there`
    throw new PypetError('PYPET_EXPLORATION_INVALID', `cannot expand ${traj.name}: ${found}`, {
      where: '--explore',
      hint: `Name exactly what it explores: ${names.map((name) => `--explore ${name}=…`).join(' ')}.`,
    })
  }
  const known = new Set<string>()
  const keyOf = (spec: ExplorationSpec) => {
    const readers = names.map((name) => explorationReader(spec, name))
    return (run: number) => readers.map((read) => String(read(run))).join('\u0001')
  }
  const keyBefore = keyOf(before)
  for (let run = 0; run < explorationLength(before); run += 1) known.add(keyBefore(run))
  const keyAsked = keyOf(asked)
  const runs: number[] = []
  for (let run = 0; run < explorationLength(asked); run += 1) {
    const key = keyAsked(run)
    if (known.has(key)) continue
    known.add(key)
    runs.push(run)
  }
  const knownCount = explorationLength(asked) - runs.length
  if (runs.length === 0) return { added: undefined, knownCount }
  const columns = names.map((name) => {
    const read = explorationReader(asked, name)
    return { name, range: { kind: 'values', values: runs.map((run) => read(run)) } as const }
  })
  return { added: { kind: 'points', columns }, knownCount }
}

function columnsOf(spec: Extract<ExplorationSpec, { kind: 'points' }>): Record<string, readonly unknown[]> {
  return Object.fromEntries(
    spec.columns.map(({ name, range }) => [name, (range as { readonly values: readonly unknown[] }).values]),
  )
}
