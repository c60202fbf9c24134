/** pypet's example 5: a parameter of a class of our own keeps the source of the equation; arrays are explored. */
import { deepStrictEqual } from 'node:assert/strict'
import { Environment } from '../../src/index.ts'
import { FunctionSource, integrate, STARTS } from './differential.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_05.h5`
  await using env = new Environment({
    trajectory: 'Example_05_Euler_Integration',
    filename,
    comment: 'Go for Euler!',
  })
  const { values, source, equation, explored } = await integrate(env, filename)
  deepStrictEqual(source, new FunctionSource(equation))
  deepStrictEqual(explored, STARTS)
  return values
}
