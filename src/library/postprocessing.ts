/** Post-processing with the whole trajectory: calls the user's functions and stores what they add. */
import { addsNothing, type Postprocessing } from '../environment/postprocessing.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { PypetError } from '../errors.ts'
import type { JobResults } from '../experiment/define.ts'
import type { PostprocessFunction } from '../experiment/load-job.ts'
import { foundValue } from '../experiment/option.ts'
import { exploration, isExploration } from '../exploration/exploration.ts'
import { points } from '../exploration/points.ts'
import type { Extension } from '../protocol.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import { parameterLocation } from '../values/path.ts'
import { unitOption } from '../values/unit.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { Trajectory } from './trajectory.ts'

/** A function, with the arguments that follow the results. */
export interface Postprocessor {
  readonly call: PostprocessFunction
  readonly args: readonly unknown[]
}

/** The job's own post-processing, if it has one. The trajectory is loaded at the first call. */
export function jobPostprocessing(experiment: PreparedExperiment): Postprocessing | undefined {
  const { postprocess, args, settings } = experiment
  if (postprocess === undefined) return undefined
  return trajectoryPostprocessing(trajectoryOf(experiment), settings.useHdf5, [
    { call: postprocess, args: args.common },
  ])
}

/** The trajectory of an experiment, from its file. With a storage service, only what is known here. */
function trajectoryOf(experiment: PreparedExperiment): () => Promise<Trajectory> {
  const { filename, name, useHdf5 } = experiment.settings
  const dynamicImports = [...(experiment.classes?.values() ?? [])]
  if (useHdf5) return () => loadTrajectory(filename, { name, dynamicImports })
  return async () => experimentTrajectory(experiment)
}

/** The trajectory of an experiment without its storage: parameters and points. It counts as stored. */
export function experimentTrajectory({ settings, parameters, plan }: PreparedExperiment): Trajectory {
  const { name, comment, filename } = settings
  const traj = new Trajectory({ name, comment, filename })
  for (const { name: parameter, comment: about, stored, userClass, annotations } of parameters) {
    const options = { comment: about, ...unitOption(annotations) }
    const node = traj.addLeaf(parameterLocation(parameter), 0, options) as ParameterNode
    node.restoreValue(stored, undefined)
    node.userClass = userClass
    node.unlock()
  }
  if (plan.exploration !== undefined) traj.explore(exploration(plan.exploration))
  traj.file.noteStored()
  return traj
}

/** Calls the functions one after the other. All of them see the same results. */
export function trajectoryPostprocessing(
  load: () => Promise<Trajectory>,
  hasFile: boolean,
  processors: readonly Postprocessor[],
): Postprocessing {
  let traj: Trajectory | undefined
  return {
    async call(results, extend, isQuiet) {
      const current = traj ?? (await load())
      // After a failed round, the trajectory in memory may differ from the file.
      traj = undefined
      const extendInRound = (extension: Extension) => extend(extension, { isLast: false })
      await current.file.beginExtending({ extend: extendInRound, isQuiet, hasFile })
      try {
        for (const processor of processors) await callOne(current, processor, results)
        const { extension, markStored } = current.file.takeExtension()
        // Also record that post-processing looked and found nothing to add.
        if (isQuiet || !addsNothing(extension)) await extend(extension, { isLast: true })
        markStored()
      } finally {
        current.file.endExtending()
      }
      traj = current
    },
  }
}

async function callOne(traj: Trajectory, { call, args }: Postprocessor, results: JobResults): Promise<void> {
  const returned: unknown = await call(traj as never, results, ...args)
  const added = addedPoints(returned)
  if (added !== undefined) traj.expand(added)
}

/**
 * The return value of post-processing in the form of `expand`: a list of points, an exploration, or lists by name.
 * Nothing and an empty list add nothing, and the search ends.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID`
 */
function addedPoints(returned: unknown): object | undefined {
  if (returned === undefined || returned === null) return undefined
  if (isExploration(returned)) return returned
  if (Array.isArray(returned)) return returned.length === 0 ? undefined : points(returned)
  if (isPlainObject(returned)) {
    const lists = Object.values(returned)
    return lists.length === 0 || lists.every(isEmptyList) ? undefined : returned
  }
  throw new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `it returned ${foundValue(returned)}, which is not a list of points`,
    {
      where: 'postprocess',
      hint: 'Return a list of points like [{ x: 1 }], an exploration, lists by name like { x: [1, 2] }, or nothing.',
    },
  )
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
