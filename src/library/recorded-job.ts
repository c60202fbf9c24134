/** What a trajectory says about the job that made it: config.environment.<environment>.seed and .job. */
import { compareEnvironments } from '../trajectory/environment-name.ts'
import type { RunIndex } from '../trajectory/path.ts'
import type { ParameterNode } from '../tree/parameter-node.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'

/** Of one environment: an expanded trajectory has several. */
export interface RecordedJob {
  readonly environment: string
  readonly sha256: string
  /** Path from the folder of the HDF5 file. */
  readonly file: string
  /** The source files, each with its SHA-256. */
  readonly sources: Readonly<Record<string, string>>
}

type Tree = Pick<TrajectoryTree, 'getGroup' | 'length' | 'runInformation'>

/**
 * The seed that the trajectory's first experiment had, which is that of run 0; undefined where none is recorded, as by
 * older versions.
 *
 * @param isOthers what is not of the file, such as the config of an experiment to come
 */
export function recordedSeed(
  tree: Tree,
  isOthers: (node: ParameterNode) => boolean = () => false,
): number | undefined {
  const seeds = seedsByEnvironment(tree, isOthers)
  const [first] = seeds.values()
  return (tree.length > 0 ? seeds.get(environmentOf(tree, 0)) : undefined) ?? first
}

/** The seed of each run: a merged trajectory has runs of several experiments. That of the first where a run names none. */
export function recordedSeeds(tree: Tree): (run: RunIndex) => number {
  const seeds = seedsByEnvironment(tree, () => false)
  const first = recordedSeed(tree) ?? 0
  return (run) => seeds.get(environmentOf(tree, run)) ?? first
}

function environmentOf(tree: Tree, run: RunIndex): string {
  return tree.runInformation(run).environmentHexsha.slice(0, HEXSHA_LENGTH)
}

/** Rows of runs hold so much of the digest that names their environment. */
const HEXSHA_LENGTH = 7

function seedsByEnvironment(tree: Tree, isOthers: (node: ParameterNode) => boolean): Map<string, number> {
  const all = recorded(tree).filter(({ node }) => !isOthers(node))
  const seeds = new Map<string, number>()
  for (const { environment, name, node } of all) {
    if (name !== 'seed') continue
    const hexsha = all.find((one) => one.environment === environment && one.name === 'hexsha')
    seeds.set(
      String(hexsha?.node.getDefault() ?? environment).slice(0, HEXSHA_LENGTH),
      Number(node.getDefault()),
    )
  }
  return seeds
}

/** In the order of time. */
export function recordedJobs(tree: Pick<Tree, 'getGroup'>): RecordedJob[] {
  const all = recorded(tree)
  return all
    .filter(({ name }) => name === 'job.sha256')
    .sort((one, other) => compareEnvironments(one.environment, other.environment))
    .map(({ environment, node }) => {
      const textOf = (wanted: string) => {
        const found = all.find((one) => one.environment === environment && one.name === wanted)
        return found === undefined ? '' : String(found.node.getDefault())
      }
      return {
        environment,
        sha256: String(node.getDefault()),
        file: textOf('job.file'),
        sources: parseSources(textOf('job.sources')),
      }
    })
}

/** `job.ts 3fa9…`, one a line: names may hold blanks, digests do not. */
function parseSources(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  )
}

function recorded(tree: Pick<Tree, 'getGroup'>) {
  return [...tree.getGroup('config').iterLeaves()].flatMap((node) => {
    const [, environment, name] = /^config\.environment\.([^.]+)\.(.+)$/.exec(node.fullName) ?? []
    if (environment === undefined || name === undefined || !node.isParameter) return []
    return [{ environment, name, node: node as ParameterNode }]
  })
}
