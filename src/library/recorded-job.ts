/** The trajectory's record of the job that made it: config.environment.<environment>.seed and .job. */
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isAtHome, refuseElsewhere } from '../environment/recorded-places.ts'
import { seenByRun, type TreeSettings, treeSettings } from '../environment/seen-nodes.ts'
import { PypetError } from '../errors.ts'
import { realFileOf } from '../journal/real-file.ts'
import { compareEnvironments } from '../names.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import { loadTrajectory } from './load-trajectory.ts'

/** The job of one environment. A trajectory that was expanded, or continued with a changed job, has several. */
export interface RecordedJob {
  readonly environment: string
  /** The part of the environment's digest that rows of runs contain. */
  readonly hexsha: string
  readonly sha256: string
  /** Path relative to the folder of the HDF5 file. */
  readonly file: string
  /** The source files, each with its SHA-256. */
  readonly sources: Readonly<Record<string, string>>
}

type Tree = Pick<TrajectoryTree, 'getGroup' | 'length' | 'runInformation'>

/**
 * The seed of the trajectory's first experiment, which is that of run 0. Undefined if none is recorded, as in files of
 * older versions.
 */
export function recordedSeed(tree: Tree): number | undefined {
  const seeds = seedsByEnvironment(tree)
  const [first] = seeds.values()
  return (tree.length > 0 ? seeds.get(environmentOf(tree, 0)) : undefined) ?? first
}

/** The seed of each run, since a merged trajectory has runs of several experiments. Falls back to the first seed. */
export function recordedSeeds(tree: Tree): (run: RunIndex) => number {
  const seeds = seedsByEnvironment(tree)
  const first = recordedSeed(tree) ?? 0
  return (run) => seeds.get(environmentOf(tree, run)) ?? first
}

/** The job that made each run; undefined if the file does not record it. */
export function recordedJobOfRun(tree: Tree): (run: RunIndex) => RecordedJob | undefined {
  const jobs = new Map(recordedJobs(tree).map((job) => [job.hexsha, job]))
  return (run) => jobs.get(environmentOf(tree, run))
}

/** The environment's digest in the row of a run; empty if there is none. */
export function environmentOf(tree: Pick<Tree, 'runInformation'>, run: RunIndex): string {
  return tree.runInformation(run).environmentHexsha.slice(0, HEXSHA_LENGTH)
}

/** Length of the digest that rows of runs contain. */
const HEXSHA_LENGTH = 7

/** How jobs of the first experiment searched and added names, if that differed from the defaults. */
export function recordedTreeSettings(tree: Tree): TreeSettings | undefined {
  const all = recorded(tree)
  const hexsha = tree.length > 0 ? environmentOf(tree, 0) : ''
  const own = all.filter(({ environment }) => hexshaOf(all, environment) === hexsha)
  const told = (wanted: string) => own.find(({ name }) => name === wanted)?.node.getDefault()
  return treeSettings({
    noClobber: told('no_clobber') === true,
    shortcuts: told('shortcuts') !== false,
    maxDepth: Number(told('max_depth') ?? Number.POSITIVE_INFINITY),
  })
}

/**
 * The results and derived parameters outside runs that the job of each run has seen, in the form of `showsSeen`. Undefined
 * if the file does not record it, because another program wrote it.
 */
export function recordedSeen(tree: Tree): (run: RunIndex) => string | undefined {
  const all = recorded(tree)
  if (!all.some(({ name }) => name === 'job.sha256')) return () => undefined
  const told = all
    .filter(({ name }) => name.startsWith('seen_from_'))
    .map(({ environment, name, node }) => ({
      hexsha: hexshaOf(all, environment),
      name,
      value: node.getDefault(),
    }))
  if (told.length === 0) return () => ''
  return (run) => {
    const hexsha = environmentOf(tree, run)
    const own = told.filter((one) => one.hexsha === hexsha)
    // An environment that continues another one, with a changed job, has no record.
    return seenByRun(own.length > 0 ? own : told, run)?.names ?? ''
  }
}

function seedsByEnvironment(tree: Tree): Map<string, number> {
  const all = recorded(tree)
  const seeds = new Map<string, number>()
  for (const { environment, name, node } of all) {
    if (name !== 'seed') continue
    seeds.set(hexshaOf(all, environment), Number(node.getDefault()))
  }
  return seeds
}

/** In order of time. */
export function recordedJobs(tree: Pick<Tree, 'getGroup'>): RecordedJob[] {
  const all = recorded(tree)
  return inOrderOfTime(
    all,
    all.filter(({ name }) => name === 'job.sha256'),
  ).map(({ environment, node }) => {
    const textOf = (wanted: string) => {
      const found = all.find((one) => one.environment === environment && one.name === wanted)
      return found === undefined ? '' : String(found.node.getDefault())
    }
    return {
      environment,
      hexsha: hexshaOf(all, environment),
      sha256: String(node.getDefault()),
      file: textOf('job.file'),
      sources: parseSources(textOf('job.sources')),
    }
  })
}

/**
 * The module that a file names as its job.
 *
 * @param call the command to show in an error, so that the user can type it again
 * @throws PypetError `PYPET_JOB_NOT_FOUND`, `PYPET_USAGE` if it is elsewhere and must be named
 */
export function findRecordedJob(
  tree: Pick<Tree, 'getGroup'>,
  file: string,
  call: { readonly command: 'expand' | 'verify'; readonly words: readonly string[] },
): string {
  const jobs = recordedJobs(tree)
  const isFunction = jobs.some(({ sources }) => Object.keys(sources).some((name) => name.endsWith('()')))
  if (isFunction) {
    throw new PypetError('PYPET_JOB_NOT_FOUND', `the job of ${file} is a function in a script`, {
      where: file,
      hint: OF_FUNCTIONS[call.command],
    })
  }
  const real = realFileOf(file)
  const folder = dirname(real)
  const files = jobs
    .filter((job) => job.file !== '')
    .map((job) => resolve(folder, job.file))
    .reverse()
  // If it no longer exists there, look for a module of that name. It may be a different one.
  const named = recorded(tree)
    .filter(({ name }) => name === 'script')
    .sort((one, other) => compareEnvironments(one.environment, other.environment))
    .map(({ node }) => basename(String(node.getDefault())))
    .reverse()
    .flatMap((script) => [resolve(script), join(folder, script)])
  const known = nearest(files, real) ?? nearest(named, real)
  if (known === undefined) {
    const places = [...new Set([...files, ...named])].join(' and ')
    throw new PypetError(
      'PYPET_JOB_NOT_FOUND',
      `the job of ${file} is not found: looked for ${places || 'nothing, since the file names none'}`,
      { where: file, hint: 'Name it: --job job.ts.' },
    )
  }
  if (isAtHome(known, real)) return known
  refuseElsewhere(file, [{ noun: 'job', flag: '--job', path: known }], call.words, call.command)
  return known
}

/** Of the existing places, one next to the file, or else the first. */
function nearest(places: readonly string[], file: string): string | undefined {
  const found = places.filter((place) => existsSync(place))
  return found.find((place) => isAtHome(place, file)) ?? found[0]
}

const OF_FUNCTIONS = {
  expand: 'Expand it there: traj.expand(points), then await env.run(theFunction).',
  verify: 'Verify it there: await verify(file, { job: theFunction }).',
}

/** `job.ts 3fa9…`, one per line. Names may contain spaces, digests do not. */
function parseSources(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  )
}

/** A record of one environment: a leaf by its name within the environment's group. */
export interface RecordedLeaf {
  readonly environment: string
  readonly name: string
  readonly node: ParameterNode
}

/** The name is only exact to the second, and two environments may start within one. */
export function inOrderOfTime<Of extends Pick<RecordedLeaf, 'environment'>>(
  all: readonly RecordedLeaf[],
  found: readonly Of[],
): Of[] {
  const times = new Map(
    all
      .filter(({ name }) => name === 'timestamp')
      .map(({ environment, node }) => [environment, Number(node.getDefault())]),
  )
  const timeOf = ({ environment }: Of) => times.get(environment)
  return [...found].sort((one, other) => {
    const [time, otherTime] = [timeOf(one), timeOf(other)]
    if (time !== undefined && otherTime !== undefined) return time - otherTime
    return compareEnvironments(one.environment, other.environment)
  })
}

export function hexshaOf(all: readonly RecordedLeaf[], environment: string): string {
  const leaf = all.find((one) => one.environment === environment && one.name === 'hexsha')
  return String(leaf?.node.getDefault() ?? environment.replace(/^environment_/, '')).slice(0, HEXSHA_LENGTH)
}

export function recorded(tree: Pick<Tree, 'getGroup'>): RecordedLeaf[] {
  return [...tree.getGroup('config').iterLeaves()].flatMap((node) => {
    const [, environment, name] = /^config\.environment\.([^.]+)\.(.+)$/.exec(node.fullName) ?? []
    if (environment === undefined || name === undefined || !node.isParameter) return []
    return [{ environment, name, node: node as ParameterNode }]
  })
}

/** The file's record of a stored trajectory, whatever is in memory: its runs, and what made them. */
export interface KnownRuns {
  readonly completed: ReadonlySet<RunIndex>
  /** In order of time. */
  readonly jobs: readonly RecordedJob[]
  /** Like `recordedSeed`. */
  readonly seed: number | undefined
}

/** Nothing is known of runs in a storage service. @throws PypetError like `loadTrajectory` */
export async function readKnownRuns(
  traj: Pick<TrajectoryTree, 'isStored' | 'name'> & { readonly filename: string },
): Promise<KnownRuns> {
  if (!traj.isStored || !existsSync(traj.filename)) return { completed: new Set(), jobs: [], seed: undefined }
  using stored = await loadTrajectory(traj.filename, { name: traj.name, all: 'nothing', other: 'skeleton' })
  const completed = stored.runNames.map((_, run) => run).filter((run) => stored.isCompleted(run))
  return { completed: new Set(completed), jobs: recordedJobs(stored), seed: recordedSeed(stored) }
}
