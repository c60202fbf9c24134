/** pypet's example 6: a parameter is preset before it is added, and decides which others are. */
import { Environment } from '../../src/index.ts'
import { integrate } from './differential.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_06.h5`
  await using env = new Environment({ trajectory: 'Example_06_Euler_Integration', filename })
  env.trajectory.presetParameter('diff_name', 'roessler')
  const { values } = await integrate(env, filename)
  return values
}
