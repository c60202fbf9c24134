/** A job that threads load: a module of its own, with the function as its default export. */
import type { Run } from '../../src/index.ts'

export default function multiply(traj: Run<{ x: number; y: number }>) {
  traj.addResult('z', traj.par.x * traj.par.y, { comment: 'I am the product of two reals!' })
}
