import { arange, defineExperiment } from 'pypet-ts'
import { work } from './spin.mjs'

/** Jobs that compute: the overhead of a run should vanish beside 50 ms of work. */
export default defineExperiment({
  name: 'work',
  comment: 'About 50 ms of arithmetic a run',
  parameters: { i: 0, iterations: 1 },
  explore: { i: arange(400) },
  run(traj) {
    traj.addResult('sum', work(traj.par.iterations))
  },
})
