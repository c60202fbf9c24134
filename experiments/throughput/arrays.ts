import { arange, defineExperiment } from 'pypet-ts'

const LENGTH = 100_000
const RUNS = 200
/** For `prepared`: made before the first run, so that the road of a result is measured and not `Math.random`. */
const samples = Float64Array.from({ length: LENGTH + RUNS }, Math.random)

/** Large results: 200 arrays of 100,000 random float64, 160 MB in all. */
export default defineExperiment({
  name: 'arrays',
  comment: 'One array of 100,000 float64 a run',
  parameters: { i: 0, prepared: false },
  explore: { i: arange(RUNS) },
  run(traj) {
    const start = traj.par.i % RUNS
    const random = traj.par.prepared
      ? samples.subarray(start, start + LENGTH)
      : Float64Array.from({ length: LENGTH }, Math.random)
    traj.addResult('samples', random)
  },
})
