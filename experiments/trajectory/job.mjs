import { defineExperiment } from 'pypet-ts'

export default defineExperiment({
  name: 'scalars',
  parameters: { x: 1 },
  run(traj) {
    traj.addResult('z', traj.par.x * 2)
  },
})
