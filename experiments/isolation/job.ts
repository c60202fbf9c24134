/** The smallest run there is, to be performed in a process of its own. */
import { arange, cartesianProduct, defineExperiment } from 'pypet-ts'

export default defineExperiment({
  name: 'isolation',
  parameters: { i: 0 },
  explore: cartesianProduct({ i: arange(0, 40) }),
  run(traj) {
    traj.addResult('z', traj.par.i)
  },
})
