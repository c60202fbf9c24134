import { cartesianProduct, defineExperiment, parameter } from 'pypet-ts'

export default defineExperiment({
  name: 'multiply',
  comment: 'The product of two values',
  parameters: {
    x: parameter(1, { comment: 'first factor' }),
    y: parameter(1, { comment: 'second factor' }),
  },
  explore: cartesianProduct({ x: [1, 2, 3, 4], y: [6, 7, 8] }),
  run(traj) {
    const z = traj.par.x * traj.par.y
    traj.addResult('z', z, { comment: 'I am the product of two values!' })
  },
})
