/** pypet's example 5: arrays are explored, a function is an argument of the job, and its source is kept as a text. */
import { deepStrictEqual, ok } from 'node:assert/strict'
import { Environment } from '../../src/index.ts'
import { integrate, STARTS } from './differential.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_05.h5`
  await using env = new Environment({
    trajectory: 'Example_05_Euler_Integration',
    filename,
    comment: 'Go for Euler!',
  })
  const { values, isSource, explored } = await integrate(env, filename)
  ok(isSource)
  deepStrictEqual(explored, STARTS)
  return values
}
