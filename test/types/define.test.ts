import { expectTypeOf, test } from 'vitest'
import { defineExperiment } from '../../src/experiment/define.ts'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { concat } from '../../src/exploration/concat.ts'
import { derive } from '../../src/exploration/derive.ts'
import type { Exploration, ExplorationSpec } from '../../src/exploration/exploration.ts'
import { onlyIf } from '../../src/exploration/only-if.ts'
import { points } from '../../src/exploration/points.ts'
import { arange, linspace } from '../../src/exploration/range.ts'
import { repeat } from '../../src/exploration/repeat.ts'
import { latinHypercube, random, sobol } from '../../src/exploration/sample.ts'
import { between, choice, logBetween } from '../../src/exploration/sample-range.ts'
import { findUniquePoints } from '../../src/exploration/unique.ts'
import { where } from '../../src/exploration/where.ts'
import { parameter } from '../../src/run/parameter.ts'
import type { ResultNode } from '../../src/tree/nodes.ts'
import type { TrajectoryTree } from '../../src/tree/trajectory-tree.ts'
import { integer } from '../../src/values/value-forms.ts'

/** The compiler is under test: `tsc -p test` fails when a line marked wrong compiles. Nothing here runs. */
const compiled = (_program: () => void): void => undefined

const parameters = {
  x: 1,
  y: parameter(1.5, { comment: 'second factor' }),
  n: integer(3),
  seed: 1n,
  kind: 'poisson',
  noisy: false,
  weights: [1, 2, 3],
  kernel: new Float64Array(3),
  matrix: [
    [1, 2],
    [3, 4],
  ],
  cube: [[[integer(1)]]],
  neuron: { tau: 20, name: parameter('lif'), synapse: { g: 0.1, count: parameter(integer(2)) } },
}

test('a job sees the tree with the types of the trajectory', () => {
  compiled(() =>
    defineExperiment({
      parameters,
      run(traj) {
        expectTypeOf(traj.value<number>('tau')).toEqualTypeOf<number>()
        expectTypeOf(traj.get).toEqualTypeOf<TrajectoryTree['get']>()
        expectTypeOf(traj.getResult('z')).toEqualTypeOf<ResultNode>()
        expectTypeOf(traj.dpar).toEqualTypeOf<TrajectoryTree['dpar']>()
        expectTypeOf(traj.res).toEqualTypeOf<TrajectoryTree['res']>()
        expectTypeOf(traj.exploredParameters).toEqualTypeOf<TrajectoryTree['exploredParameters']>()
        // @ts-expect-error: names of the tree are no properties
        traj.tau
        // @ts-expect-error: what is explored is decided before the runs begin
        traj.explore({ x: [1, 2] })
      },
    }),
  )
})

test('a job sees its parameters with their types', () => {
  compiled(() =>
    defineExperiment({
      parameters,
      run(traj) {
        expectTypeOf(traj.par.x).toEqualTypeOf<number>()
        expectTypeOf(traj.par.y).toEqualTypeOf<number>()
        expectTypeOf(traj.par.n).toEqualTypeOf<number>()
        expectTypeOf(traj.par.seed).toEqualTypeOf<bigint>()
        expectTypeOf(traj.par.kind).toEqualTypeOf<string>()
        expectTypeOf(traj.par.noisy).toEqualTypeOf<boolean>()
        expectTypeOf(traj.par.weights).toEqualTypeOf<readonly number[]>()
        expectTypeOf(traj.par.matrix).toEqualTypeOf<number[][]>()
        expectTypeOf(traj.par.cube).toEqualTypeOf<number[][][]>()
        expectTypeOf(traj.par.neuron.tau).toEqualTypeOf<number>()
        expectTypeOf(traj.par.neuron.name).toEqualTypeOf<string>()
        expectTypeOf(traj.par.neuron.synapse.g).toEqualTypeOf<number>()
        expectTypeOf(traj.par.neuron.synapse.count).toEqualTypeOf<number>()
        // @ts-expect-error there is no parameter z
        traj.par.z
        // @ts-expect-error there is no parameter neuron.taux
        traj.par.neuron.taux
        // @ts-expect-error parameters are not assigned in a run
        traj.par.x = 2
      },
    }),
  )
})

test('parameters written in place are typed like declared ones', () => {
  compiled(() =>
    defineExperiment({
      name: 'multiply',
      comment: 'The product of two values',
      parameters: { x: parameter(1, { comment: 'first' }), y: 1, kind: 'a', neuron: { tau: 20, on: true } },
      explore: cartesianProduct({
        x: [1, 2, 3, 4],
        y: [6, 7, 8],
        kind: ['b', 'c'],
        neuron: { on: [true, false] },
      }),
      run(traj) {
        expectTypeOf(traj.par.x).toEqualTypeOf<number>()
        expectTypeOf(traj.par.kind).toEqualTypeOf<string>()
        expectTypeOf(traj.par.neuron.on).toEqualTypeOf<boolean>()
        return traj.par.x * traj.par.y
      },
    }),
  )
})

test('explorations of declared names and types compile', () => {
  compiled(() => {
    const run = () => undefined
    defineExperiment({ parameters, explore: { x: [1, 2], y: [3, 4] }, run })
    defineExperiment({ parameters, explore: { x: linspace(0, 1, 5), n: [integer(1), integer(2)] }, run })
    defineExperiment({ parameters, explore: { n: [1, 2], seed: [1n, 2n], noisy: [true, false] }, run })
    defineExperiment({ parameters, explore: { seed: new BigInt64Array(2), x: new Float64Array(2) }, run })
    defineExperiment({ parameters, explore: { neuron: { tau: [1], synapse: { g: [0.5] } } }, run })
    defineExperiment({ parameters, explore: { 'neuron.tau': [1], 'parameters.x': [1] }, run })
    defineExperiment({
      parameters,
      explore: cartesianProduct({ x: [1, 2], 'neuron.tau': arange(0, 1, 0.1) }),
      run,
    })
    defineExperiment({
      parameters,
      explore: cartesianProduct({ neuron: { tau: [1, 2] }, kind: ['a', 'b'] }),
      run,
    })
    defineExperiment({ parameters, explore: cartesianProduct({ x: [1], y: [2] }, ['y', ['x']]), run })
    defineExperiment({ parameters, explore: cartesianProduct({ 'parameters.x': [1, 2] }), run })
    defineExperiment({ parameters, explore: zip({ n: [1, 2], noisy: [true, false], seed: [1n, 2n] }), run })
    defineExperiment({ parameters, explore: points([{ x: 1, neuron: { tau: 2 } }]), run })
    defineExperiment({ parameters, explore: concat(zip({ x: [1], y: [2] }), points([{ x: 1, y: 2 }])), run })
    const measured: number[] = [1, 2]
    defineExperiment({ parameters, explore: zip({ x: measured, y: measured }), run })
    defineExperiment({ parameters, explore: { x: measured }, run })
    defineExperiment({ parameters, explore: undefined as never, run })
  })
})

test('an unknown name does not compile', () => {
  compiled(() => {
    const run = () => undefined
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: { x: [1, 2], z: [3, 4] }, run })
    // @ts-expect-error neuron.taux is not a parameter
    defineExperiment({ parameters, explore: { neuron: { taux: [3, 4] } }, run })
    // @ts-expect-error neuron.taux is not a parameter
    defineExperiment({ parameters, explore: { 'neuron.taux': [3, 4] }, run })
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: cartesianProduct({ x: [1, 2], z: [3, 4] }), run })
    // @ts-expect-error neuron.taux is not a parameter
    defineExperiment({ parameters, explore: cartesianProduct({ x: [1], neuron: { taux: [1] } }), run })
    // @ts-expect-error neuron.taux is not a parameter
    defineExperiment({ parameters, explore: zip({ 'neuron.taux': [1] }), run })
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: points([{ x: 1, z: 2 }]), run })
    // @ts-expect-error a group has no values
    defineExperiment({ parameters, explore: zip({ neuron: [1] }), run })
    // @ts-expect-error z has no range
    cartesianProduct({ x: [1], y: [2] }, ['x', ['y', 'z']])
  })
})

test('a value of another type does not compile', () => {
  compiled(() => {
    const run = () => undefined
    // @ts-expect-error x is a number
    defineExperiment({ parameters, explore: { x: ['a', 'b'] }, run })
    // @ts-expect-error x is a number
    defineExperiment({ parameters, explore: { x: [1, 'b'] }, run })
    // @ts-expect-error neuron.tau is a number
    defineExperiment({ parameters, explore: { neuron: { tau: [true] } }, run })
    // @ts-expect-error neuron.tau is a number
    defineExperiment({ parameters, explore: { 'neuron.tau': ['a'] }, run })
    // @ts-expect-error kind is a string
    defineExperiment({ parameters, explore: { kind: linspace(0, 1, 3) }, run })
    // @ts-expect-error seed is a bigint
    defineExperiment({ parameters, explore: { seed: [1, 2] }, run })
    // @ts-expect-error x is a number
    defineExperiment({ parameters, explore: cartesianProduct({ x: ['a'] }), run })
    // @ts-expect-error x is a number
    defineExperiment({ parameters, explore: cartesianProduct({ x: [1, 'a'] }), run })
    // @ts-expect-error neuron.tau is a number
    defineExperiment({ parameters, explore: zip({ neuron: { tau: [true] } }), run })
    // @ts-expect-error noisy is a boolean
    defineExperiment({ parameters, explore: zip({ noisy: [0, 1] }), run })
    // @ts-expect-error x is a number
    defineExperiment({ parameters, explore: zip({ x: new BigInt64Array(2) }), run })
    // @ts-expect-error y is a number
    defineExperiment({ parameters, explore: points([{ x: 1, y: 'a' }]), run })
    // @ts-expect-error the second exploration lacks y
    defineExperiment({ parameters, explore: concat(zip({ x: [1], y: [1] }), zip({ x: ['a'] })), run })
    // @ts-expect-error a range is a list
    zip({ x: 1 })
  })
})

test('samplers, filters, conditions, formulas and repeats of declared names and types compile', () => {
  compiled(() => {
    const run = () => undefined
    const of = { count: 10, seed: 1 }
    defineExperiment({
      parameters,
      explore: random({ x: [0, 1], neuron: { tau: logBetween(1, 10) } }, of),
      run,
    })
    defineExperiment({
      parameters,
      explore: sobol({ n: between(1, 6), seed: [1n, 9n], noisy: [true, false], y: arange(3) }, of),
      run,
    })
    defineExperiment({
      parameters,
      explore: latinHypercube({ kind: choice(['a', 'b']), x: choice([1, 2]) }, of),
      run,
    })
    defineExperiment({
      parameters,
      explore: where(cartesianProduct({ x: [1, 2], kind: ['a'] }), (point) => {
        expectTypeOf(point).toEqualTypeOf<Readonly<{ x: number; kind: string }>>()
        return point.x < 2
      }),
      run,
    })
    defineExperiment({
      parameters,
      explore: repeat(
        derive(
          onlyIf(cartesianProduct({ x: [1, 2], 'neuron.tau': [1, 2] }), { 'neuron.tau': ({ x }) => x > 1 }),
          { y: (point) => point.x + point['neuron.tau'], noisy: () => true, n: () => integer(2) },
        ),
        3,
      ),
      run,
    })
    defineExperiment({ parameters, explore: concat(zip({ x: [1] }), sobol({ x: [0, 1] }, of)), run })
    expectTypeOf(derive(zip({ x: [1] }), { z: (point) => point.x > 1, k: () => 'a' })).toExtend<
      Exploration<{ x: number; z: boolean; k: string }>
    >()
  })
})

test('samplers, filters, conditions and formulas of unknown names or other types do not compile', () => {
  compiled(() => {
    const run = () => undefined
    const of = { count: 10 }
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: random({ x: [0, 1], z: [0, 1] }, of), run })
    // @ts-expect-error neuron.taux is not a parameter
    defineExperiment({ parameters, explore: sobol({ neuron: { taux: [0, 1] } }, of), run })
    // @ts-expect-error kind is a string
    defineExperiment({ parameters, explore: latinHypercube({ kind: [0, 1] }, of), run })
    // @ts-expect-error seed is a bigint
    defineExperiment({ parameters, explore: random({ seed: between(0, 1) }, of), run })
    // @ts-expect-error kind is a string
    defineExperiment({ parameters, explore: random({ kind: choice([1, 2]) }, of), run })
    // @ts-expect-error bounds are two numbers
    random({ x: [0, 1, 2] }, of)
    // @ts-expect-error how many points is missing
    sobol({ x: [0, 1] }, {})
    // @ts-expect-error y is not explored
    where(cartesianProduct({ x: [1] }), (point) => point.y < 1)
    // @ts-expect-error a condition is true or false
    where(cartesianProduct({ x: [1] }), (point) => point.x)
    // @ts-expect-error y is not explored
    onlyIf(cartesianProduct({ x: [1] }), { y: () => true })
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: derive(zip({ x: [1] }), { z: () => 1 }), run })
    // @ts-expect-error y is a number
    defineExperiment({ parameters, explore: derive(zip({ x: [1] }), { y: () => 'a' }), run })
    const unknown = where(zip({ z: [1] }), () => true)
    // @ts-expect-error z is not a parameter
    defineExperiment({ parameters, explore: repeat(unknown, 2), run })
  })
})

test('unknown options and missing jobs do not compile', () => {
  compiled(() => {
    // @ts-expect-error the option is called explore
    defineExperiment({ parameters, exploration: { x: [1] }, run: () => undefined })
    // @ts-expect-error there is no job
    defineExperiment({ parameters })
    // @ts-expect-error a function cannot be stored
    defineExperiment({ parameters: { x: () => 1 }, run: () => undefined })
  })
})

test('builders tell the names and types they explore', () => {
  compiled(() => {
    expectTypeOf(cartesianProduct({ x: [1, 2], neuron: { kind: ['a'] } })).toEqualTypeOf<
      Exploration<{ x: number; 'neuron.kind': string }, ExplorationSpec>
    >()
    expectTypeOf(zip({ seed: new BigInt64Array(1), n: [integer(1)], on: [true] })).toEqualTypeOf<
      Exploration<{ seed: bigint; n: number; on: boolean }, ExplorationSpec>
    >()
    expectTypeOf(points([{ x: 1, neuron: { tau: 2 } }])).toEqualTypeOf<
      Exploration<{ x: number; 'neuron.tau': number }, ExplorationSpec>
    >()
    expectTypeOf(findUniquePoints(zip({ x: [1] }))[0]?.point).toEqualTypeOf<
      Readonly<{ x: number }> | undefined
    >()
  })
})
