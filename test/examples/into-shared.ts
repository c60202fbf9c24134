/** The job of example 12: threads share one array. */
import type { Run } from '../../src/index.ts'

export default function multiply(traj: Run<{ x: number; y: number }>, shared: Int32Array) {
  shared[traj.idx] = traj.par.x * traj.par.y
}
