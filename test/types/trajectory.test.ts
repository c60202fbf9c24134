import { expectTypeOf, test } from 'vitest'
import { cartesianProduct, Environment, parameter, Trajectory } from '../../src/index.ts'

/** The compiler is under test: `tsc -p test` fails when a line marked wrong compiles. Nothing here runs. */
const compiled = (_program: () => void): void => undefined

const parameters = { x: 1, name: 'a', weights: [1, 2], neuron: { tau: parameter(20) } }

test('a typed trajectory explores the parameters it has, with values of their types', () => {
  compiled(() => {
    const traj = new Trajectory({ parameters })
    traj.explore({ x: [1, 2], 'neuron.tau': [10, 20] })
    traj.explore({ neuron: { tau: [10] }, name: ['b'], weights: [[1], [2, 3]] })
    traj.explore(cartesianProduct({ x: [1, 2], neuron: { tau: [10] } })).expand({ x: [3] })
    // @ts-expect-error there is no parameter nope
    traj.explore({ nope: [1, 2] })
    // @ts-expect-error there is no parameter neuron.nope
    traj.explore({ neuron: { nope: [1] } })
    // @ts-expect-error x is a number
    traj.explore({ x: ['1'] })
    // @ts-expect-error there is no parameter nope
    traj.explore(cartesianProduct({ x: [1], nope: [1] }))
    // @ts-expect-error there is no parameter nope
    traj.expand({ nope: [1, 2] })
    const env = new Environment({ parameters })
    // @ts-expect-error there is no parameter nope
    env.trajectory.explore({ nope: [1, 2] })
    env.addPostprocessing((tree) => {
      // @ts-expect-error there is no parameter nope
      tree.expand({ nope: [1, 2] })
    })
  })
})

test('parameters that are added one by one are calculated with as they are', () => {
  compiled(() => {
    const env = new Environment()
    env.trajectory.addParameter('x', 1).set(42)
    env.trajectory.explore({ x: [1, 2, 3] })
    void env.run((run, scale: number) => run.par.x * run.par.neuron.tau * scale, 10)
    expectTypeOf(env.trajectory.par.x).toBeAny()
    const typed = new Environment({ parameters })
    void typed.run((run) => expectTypeOf(run.par.x).toEqualTypeOf<number>())
    expectTypeOf(typed.trajectory.par.neuron.tau).toEqualTypeOf<number>()
  })
})
