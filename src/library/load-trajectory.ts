import { basename, resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import { whileUnchanged } from '../reading/read-hdf5.ts'
import { openHdf5Reader } from '../reading/reader.ts'
import type { ParameterTree } from '../run/parameter.ts'
import { copyNode, groupAbove } from '../tree/copy.ts'
import type { TreeNode } from '../tree/nodes.ts'
import { TREE_OPTIONS, type TrajectoryTree } from '../tree/trajectory-tree.ts'
import { assertKnownOptions, givenOf } from '../values/nearest-name.ts'
import { parameterBranch } from '../values/path.ts'
import { LEVEL_NAMES, type LoadLevels } from './load-levels.ts'
import { Trajectory, type TrajectoryOptions } from './trajectory.ts'
import { trajectoryNotFound } from './trajectory-file.ts'
import { trajectoryNames } from './trajectory-info.ts'

/** Options of a trajectory that are not in the file. */
type TreeOptions = Pick<TrajectoryOptions<ParameterTree>, (typeof TREE_OPTIONS)[number] | 'lockWaitMs'>

export interface LoadOptions extends LoadLevels, TreeOptions {
  /** The name of the trajectory. By default, the only one in the file. */
  readonly name?: string
  /** Instead of the name: the position in the order of names; -1 is the last. */
  readonly index?: number
  /** Make a new trajectory under this name, with the parameters and the exploration of the stored one. */
  readonly asNew?: string | true
  /** Number of levels below the root to load. */
  readonly maxDepth?: number
  /** Load even a file from a newer pypet-ts. */
  readonly force?: boolean
}

/**
 * Loads a trajectory from a file of pypet-ts or pypet. Parameters are read at once, everything else when you ask for it.
 * Apart from the table of runs, the time does not depend on the number of runs.
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NO_TRAJECTORY`,
 *   `PYPET_TRAJECTORY_NOT_FOUND`, `PYPET_TRAJECTORY_NEWER`; `PYPET_FILE_CHANGING` if locks do not work and the file
 *   changes during every attempt to read it
 * @example
 * using traj = await loadTrajectory('experiments.h5', { name: 'multiply' })
 * traj.getFromRuns('z') // { run_00000000: 6, … }
 */
export async function loadTrajectory<Tree = ParameterTree>(
  filename: string,
  options: LoadOptions = {},
): Promise<Trajectory<Tree>> {
  assertKnownOptions(options, LOAD_OPTIONS, 'loadTrajectory')
  return await whileUnchanged(() => loadOnce(filename, options))
}

const LOAD_OPTIONS = [
  ...LEVEL_NAMES,
  'name',
  'index',
  'asNew',
  'force',
  ...TREE_OPTIONS,
  'lockWaitMs',
] as const satisfies (keyof LoadOptions)[]

/** `maxDepth` limits loading here, not searching. */
const OWN_OPTIONS = [...TREE_OPTIONS.filter((name) => name !== 'maxDepth'), 'lockWaitMs'] as const

async function loadOnce<Tree>(filename: string, options: LoadOptions): Promise<Trajectory<Tree>> {
  const name = await chooseName(resolve(filename), options)
  const own = givenOf(options, OWN_OPTIONS)
  const traj = new Trajectory<Tree>({
    autoLoad: true,
    ...own,
    // A new trajectory does not take over results.
    ...(options.asNew !== undefined && { autoLoad: false }),
    name,
    addTime: false,
    filename,
  })
  if (options.asNew === undefined) {
    try {
      return await traj.load(givenOf(options, [...LEVEL_NAMES, 'maxDepth', 'force']))
    } catch (error) {
      traj.close()
      throw error
    }
  }
  await traj.load({ parameters: 'data', derivedParameters: 'nothing', results: 'nothing', other: 'nothing' })
  const fresh = new Trajectory<Tree>({
    ...own,
    name: options.asNew === true ? name : options.asNew,
    filename,
  })
  const copy = traj.copy()
  await copyExploredDerived(traj, copy)
  traj.close()
  fresh.adopt(copy)
  return fresh
}

/** Points may include derived parameters. Other derived parameters are not copied. */
async function copyExploredDerived(from: Trajectory, to: TrajectoryTree): Promise<void> {
  const explored = Object.keys(from.exploredParameters)
  const derived = explored.filter((name) => parameterBranch(name) === 'derived_parameters')
  if (derived.length === 0) return
  from.autoLoad = true
  await from.load({ all: 'nothing' })
  for (const fullName of derived) copyNode(from.at(fullName) as TreeNode, groupAbove(to, fullName))
}

async function chooseName(
  filename: string,
  { name, index }: Pick<LoadOptions, 'name' | 'index'>,
): Promise<string> {
  using reader = await openHdf5Reader(filename)
  const names = trajectoryNames(reader)
  if (names.length === 0) {
    throw new PypetError('PYPET_FILE_NO_TRAJECTORY', `${filename} holds no trajectory`, {
      where: filename,
      hint: 'It is an HDF5 file from another program.',
    })
  }
  if (name !== undefined) {
    if (names.includes(name)) return name
    throw trajectoryNotFound(filename, name, names)
  }
  const chosen = index === undefined ? (names.length === 1 ? names[0] : undefined) : names.at(index)
  if (chosen !== undefined) return chosen
  const found =
    index === undefined
      ? `${names.length} trajectories, but none was named`
      : `no trajectory with index ${index}`
  throw new PypetError('PYPET_TRAJECTORY_NOT_FOUND', `${basename(filename)} has ${found}`, {
    where: filename,
    hint: `Name one: ${names.slice(0, 8).join(', ')}.`,
  })
}
