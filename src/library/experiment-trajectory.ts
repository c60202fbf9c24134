import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { exploration } from '../exploration/exploration.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import { parameterLocation } from '../values/path.ts'
import { Trajectory } from './trajectory.ts'

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
