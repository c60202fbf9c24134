/** pypet's example 15: parameters are added one by one, as a tree, and below a group; a link is one more name. */
import { parameter, Trajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const traj = new Trajectory({
    filename: `${folder}/example_15.h5`,
    parameters: { y: parameter(2, { comment: 'I am the second dimension!' }), t: 3 },
  })
  traj.addParameter('x', 1, { comment: 'I am the first dimension!' })
  traj.getGroup('parameters').addParameter('subgroup.subsubgroup.w', 4)
  traj.addLink('mylink', 'x')
  return {
    names: Object.keys(traj.getGroup('parameters').toDict()).sort(),
    w: traj.value('subgroup.subsubgroup.w'),
    mylink: traj.value('mylink'),
  }
}
