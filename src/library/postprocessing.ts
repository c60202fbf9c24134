/** Post-processing with the whole trajectory: the user's functions, and what they add. */
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
import { isPlainObject } from '../values/value-forms.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { Trajectory } from './trajectory.ts'

/** A function with the arguments that it is called with behind the results. */
export interface Postprocessor {
  readonly call: PostprocessFunction
  readonly args: readonly unknown[]
}

/** The job's own post-processing, if it has one. The trajectory is loaded when it is first called. */
export function jobPostprocessing(experiment: PreparedExperiment): Postprocessing | undefined {
  const { postprocess, args, settings } = experiment
  if (postprocess === undefined) return undefined
  return trajectoryPostprocessing(trajectoryOf(experiment), settings.useHdf5, [
    { call: postprocess, args: args.common },
  ])
}

/** The trajectory of an experiment, from its file; where a service has it, what is known of it here. */
function trajectoryOf(experiment: PreparedExperiment): () => Promise<Trajectory> {
  const { filename, name, useHdf5 } = experiment.settings
  const dynamicImports = [...(experiment.classes?.values() ?? [])]
  if (useHdf5) return () => loadTrajectory(filename, { name, dynamicImports })
  return async () => experimentTrajectory(experiment)
}

/** What is known of an experiment without its storage: parameters and points. It counts as stored. */
export function experimentTrajectory({ settings, parameters, plan }: PreparedExperiment): Trajectory {
  const { name, comment, filename } = settings
  const traj = new Trajectory({ name, comment, filename })
  for (const { name: parameter, comment: about, stored, userClass } of parameters) {
    const node = traj.addLeaf(parameterLocation(parameter), 0, { comment: about }) as ParameterNode
    node.restoreValue(stored, undefined)
    node.userClass = userClass
    node.unlock()
  }
  if (plan.exploration !== undefined) traj.explore(exploration(plan.exploration))
  traj.file.noteStored()
  return traj
}

/** Calls the functions one after the other; all of them see the same results. */
export function trajectoryPostprocessing(
  load: () => Promise<Trajectory>,
  hasFile: boolean,
  processors: readonly Postprocessor[],
): Postprocessing {
  let traj: Trajectory | undefined
  return {
    async call(results, extend, isQuiet) {
      const current = traj ?? (await load())
      // Only a trajectory that has come through a round is as the file is.
      traj = undefined
      const extendInRound = (extension: Extension) => extend(extension, { isLast: false })
      await current.file.beginExtending({ extend: extendInRound, isQuiet, hasFile })
      try {
        for (const processor of processors) await callOne(current, processor, results)
        const { extension, markStored } = current.file.takeExtension()
        // That it has looked, and found nothing to add, is to be known as well.
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
 * What post-processing returned, as `expand` takes it: a list of points, an exploration, or lists by name. Nothing, and
 * an empty list, add nothing: the search has come to its end.
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
      hint: 'Return a list of points as [{ x: 1 }], an exploration, lists by name as { x: [1, 2] }, or nothing.',
    },
  )
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
