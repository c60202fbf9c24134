import { arange, defineExperiment } from 'pypet-ts'

/** The smallest run there is: everything measured is the road of a run, nothing the job. */
export default defineExperiment({
  name: 'throughput',
  comment: 'One scalar result a run',
  parameters: { i: 0 },
  explore: { i: arange(1000) },
  run(traj) {
    traj.addResult('z', traj.par.i * 0.5)
  },
})
