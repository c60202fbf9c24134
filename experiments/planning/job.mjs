import { defineExperiment, integer } from 'pypet-ts'

/** Five parameters to plan with; the job itself is beside the point. */
export default defineExperiment({
  name: 'planning',
  parameters: { a: 0, b: 0, c: 1, n: integer(1), kind: 'x', sum: 0 },
  run(traj) {
    traj.addResult('a', traj.par.a)
  },
})
