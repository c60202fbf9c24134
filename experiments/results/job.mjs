/** Costs nothing, so that what is measured is the reading of its results. */
import { defineExperiment } from 'pypet-ts'

const WIDTH = Number(process.env.RESULTS_WIDTH ?? 0)

export default defineExperiment({
  name: 'results',
  parameters: { x: 0, y: 0 },
  run(traj) {
    const { x, y } = traj.par
    traj.addResult('z', x * y + 0.1)
    traj.addResult('w', Math.sin(x))
    for (let at = 0; at < WIDTH; at += 1) traj.addResult(`v${at}`, x + at / 7)
  },
})
