/** What a run's random numbers depend on, and that they are always the same. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runSeeds } from '../../src/executors/run-seeds.ts'
import { flattenParameters, type ParameterTree } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const parametersOf = (tree: ParameterTree) => flattenParameters(tree, 'parameters')
const seedOf = (tree: ParameterTree, point = {}, seed = 0) =>
  runSeeds({ seed, parameters: parametersOf(tree) })(point).seed

/** A change here makes every stored result that drew a number impossible to verify. */
test('the numbers of a run stay as they were in every release', () => {
  const { seed, random } = runSeeds({
    seed: 42,
    parameters: parametersOf({ x: 1, neuron: { tau: integer(20) } }),
  })({
    x: 2.5,
  })
  expect({
    seed,
    uniform: [...random.uniform(0, 1, 3)],
    normal: [...random.normal(0, 1, 3)],
    integers: [...random.integers(0, 1000, 5)],
    shuffled: random.shuffle([1, 2, 3, 4, 5]),
    noise: random.stream('noise').uniform(),
    inner: random.stream('noise').stream('inner').normal(10, 2),
  }).toMatchInlineSnapshot(`
    {
      "inner": 12.042993160127388,
      "integers": [
        462,
        557,
        718,
        948,
        973,
      ],
      "noise": 0.6484906489891703,
      "normal": [
        -0.3078145669894328,
        -0.7237030406551386,
        2.1641001212318782,
      ],
      "seed": 2575395441023592,
      "shuffled": [
        4,
        3,
        1,
        5,
        2,
      ],
      "uniform": [
        0.44748277818521776,
        0.8325453150269739,
        0.46603391870006006,
      ],
    }
  `)
})

/** As above: one of each type of value, as computed before explored arrays. */
test.each<readonly [string, unknown, number]>([
  ['a number', 1.5, 6613785731324747],
  ['an integer', integer(3), 2244380328778080],
  ['a bigint', 2n ** 60n, 915419492065734],
  ['a bool', true, 855794546506536],
  ['a text', 'ä', 8703347798518184],
  ['null', null, 7691659771706847],
  ['a date', new Date(0), 7507418538877644],
  ['a complex number', { re: 1, im: 2 }, 6604790930700779],
  ['a NaN', Number.NaN, 5330273129287554],
  ['a list', [1, 2.5], 5780359786333079],
  ['a list of bigints', [1n, 2n], 1846578039581322],
  ['a list of bools', [true, false], 3810759694384768],
  ['a list of texts', ['a', 'bc'], 1102375783032307],
  ['an empty list', [], 3719502045266655],
  ['a list of complex numbers', [{ re: 1, im: 2 }], 2683837451948556],
  ['a list of NaN and -0', [Number.NaN, -0], 1486893902494005],
  ['a Float64Array', Float64Array.of(1, 2), 2524202207973289],
  ['a Float32Array', Float32Array.of(1, 2), 7286029361931008],
  ['an Int8Array', Int8Array.of(-1), 8103802555816754],
  ['a BigInt64Array', BigInt64Array.of(5n), 369696799290953],
  ['a Uint8Array', Uint8Array.of(7), 5381429161292292],
  ['a matrix', { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] }, 1718873953066229],
  ['a matrix of texts', { data: ['a', 'b'], shape: [1, 2] }, 622958051239361],
  ['an array of bools', { data: Uint8Array.of(0, 1), shape: [2], dtype: 'bool' }, 8551473987201131],
  [
    'an array of complex numbers',
    { data: Float64Array.of(1, 2), shape: [1], dtype: 'complex128' },
    1277129099883248,
  ],
  ['a sparse matrix', { indptr: [0, 1, 1], indices: [1], data: [2.5], shape: [2, 2] }, 3339863929384803],
])('the seed that follows from %s stays as it was in every release', (_, value, seed) => {
  expect(seedOf({ x: value } as ParameterTree, {}, 7)).toBe(seed)
})

/** Drawn by the code of before numbers were drawn ahead. */
test('single draws, arrays and streams in any order give the numbers that they always gave', () => {
  const { random } = runSeeds({ seed: 7, parameters: [] })({})
  const streams = [random, random.stream('a'), random.stream('a').stream('b')]
  const hash = createHash('sha256')
  for (let call = 0; call < 3000; call += 1) {
    const from = streams[call % 3] as typeof random
    const kind = Math.floor(call / 3) % 9
    const length = (call * 7919) % 300
    const draws = [
      () => from.uniform(),
      () => from.uniform(-3, 1e10),
      () => [...from.uniform(0, 1, length)],
      () => from.normal(),
      () => [...from.normal(1, 2, length)],
      () => from.integers(0, 1 + call * 1e11),
      () => [...from.integers(-5, 2 ** 52, length)],
      () => from.shuffle([1, 2, 3, 4, 5, 6]),
      () => [from.bool(0.3), from.choice('abcdef')],
    ]
    hash.update(JSON.stringify(draws[kind]?.()))
  }
  expect(hash.digest('hex')).toBe('a9df2b97a82dfaa3ba6e363e1db3419b6d2af74fdf50522e84638fff9699aa37')
})

describe('the point', () => {
  const bits = fc.constantFrom<number | bigint | string | boolean>(
    0,
    -0,
    1,
    Number.NaN,
    1e-310,
    3,
    3n,
    '3',
    true,
    'ä',
    '',
  )
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'g.a', 'g.b', 'h.i.j'), { minLength: 1 })

  test('the order of declaration does not matter, nor whether a value is a default or explored', () => {
    fc.assert(
      fc.property(names, fc.array(bits, { minLength: 6, maxLength: 6 }), fc.nat(), (chosen, values, seed) => {
        const entries = chosen.map((name, index) => [name, values[index]] as const)
        const parameters = entries.flatMap(([name, value]) => parametersOf({ [name]: value as number }))
        const expected = runSeeds({ seed, parameters })({})
        const others = { 0: 9, true: false, text: 'other', big: 9n }
        const defaults = entries.flatMap(([name, value]) => {
          const other = { number: others[0], boolean: others.true, string: others.text, bigint: others.big }
          return parametersOf({ [name]: other[typeof value as 'number'] })
        })
        const explored = runSeeds({ seed, parameters: defaults.reverse() })(Object.fromEntries(entries))
        expect(explored.seed).toBe(expected.seed)
        expect(explored.random.uniform()).toBe(expected.random.uniform())
      }),
      { seed: 20_260_101 },
    )
  })

  test('each bit of each value, each name and the seed matter', () => {
    const points: ParameterTree[] = [
      {},
      { x: 3 },
      { x: 3n },
      { x: '3' },
      { x: true },
      { x: 1 },
      { x: 0 },
      { x: -0 },
      { y: 3 },
      { x: 3, y: 3 },
      { x: { y: 3 } },
      { x: [3] },
      { x: [3, 4] },
      { x: Float64Array.of(3) },
      { x: Float32Array.of(3) },
      { x: Int32Array.of(3) },
      { x: { data: Float64Array.of(1, 2), shape: [1, 2] } },
      { x: { data: Float64Array.of(1, 2), shape: [2, 1] } },
      { x: ['ab', 'c'] },
      { x: ['a', 'bc'] },
      { x: { re: 1, im: 2 } },
    ]
    const seeds = [
      ...points.map((tree) => seedOf(tree)),
      seedOf({ x: 3 }, {}, 1),
      seedOf({}, {}, 2 ** 53 - 1),
    ]
    expect(new Set(seeds).size).toBe(seeds.length)
    for (const seed of seeds) expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true)
  })

  test('whole numbers that are stored alike are one value, however they are written', () => {
    expect(seedOf({ x: integer(3) })).toBe(seedOf({ x: 3n }))
    expect(seedOf({ x: integer(9) }, { x: 3 })).toBe(seedOf({ x: 3n }))
    expect(seedOf({ x: Number.NaN })).toBe(seedOf({ x: -Number.NaN }))
  })

  test('seeds of many points are all different', () => {
    const at = runSeeds({ seed: 0, parameters: parametersOf({ x: 0 }) })
    const seeds = new Set(Array.from({ length: 1000 }, (_, x) => at({ x }).seed))
    expect(seeds.size).toBe(1000)
  })
})
