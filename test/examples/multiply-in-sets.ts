/** The job of example 18: results lie in buckets of 1,000 runs. */
import type { Run } from '../../src/index.ts'

export default function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('$set.$.z', traj.par.x * traj.par.y, { comment: 'In buckets of 1,000 runs each' })
}
