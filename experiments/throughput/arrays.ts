import { arange, defineExperiment } from 'pypet-ts'

const LENGTH = 100_000

/** Large results: 200 arrays of 100,000 random float64, 160 MB in all. */
export default defineExperiment({
  name: 'arrays',
  comment: 'One array of 100,000 float64 a run',
  parameters: { i: 0 },
  explore: { i: arange(200) },
  run(traj) {
    traj.addResult('samples', Float64Array.from({ length: LENGTH }, Math.random))
  },
})
