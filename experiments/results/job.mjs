/** Costs nothing, so that what is measured is the reading of its results. */
import { defineExperiment } from 'pypet-ts'

/** Further results of a run. */
const WIDTH = Number(process.env.RESULTS_WIDTH ?? 0)
/** Elements of an array. */
const LENGTH = Number(process.env.RESULTS_LENGTH ?? 0)

export default defineExperiment({
  name: 'results',
  parameters: { x: 0, y: 0 },
  run(traj) {
    const { x, y } = traj.par
    traj.addResult('z', x * y + 0.1)
    traj.addResult('w', Math.sin(x))
    if (LENGTH > 0)
      traj.addResult(
        'trace',
        Float64Array.from({ length: LENGTH }, (_, at) => x + at / 7),
      )
    for (let at = 0; at < WIDTH; at += 1) traj.addResult(`v${at}`, x + at / 7)
  },
})
