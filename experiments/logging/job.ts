/** About a millisecond of computing, and a line for the log. */
import { arange, cartesianProduct, defineExperiment, parameter } from 'pypet-ts'

export default defineExperiment({
  name: 'logging',
  parameters: {
    x: 0,
    terms: parameter(25_000, { comment: 'of the sum; so many take about a millisecond' }),
  },
  explore: cartesianProduct({ x: arange(0, 5000) }),
  run(traj) {
    let sum = 0
    for (let term = 1; term <= traj.par.terms; term += 1) sum += Math.sin(term + traj.par.x) / term
    traj.log.info(`the sum is ${sum}`)
    traj.addResult('sum', sum)
  },
})
