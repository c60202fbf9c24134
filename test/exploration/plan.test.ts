import { describe, expect, test } from 'vitest'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { concat } from '../../src/exploration/concat.ts'
import type { Exploration } from '../../src/exploration/exploration.ts'
import { exploredColumn, planRuns, runSummary } from '../../src/exploration/plan.ts'
import { points } from '../../src/exploration/points.ts'
import { arange, linspace, logspace } from '../../src/exploration/range.ts'
import { runPoint } from '../../src/exploration/run-point.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const parameters = flattenParameters(
  {
    x: 1,
    y: 1,
    n: integer(3),
    seed: 1n,
    on: true,
    kind: 'a',
    list: [1],
    kernel: new Float64Array(2),
    neuron: { tau: 20, x: 2 },
  },
  'parameters',
)
const plan = ({ spec }: Exploration<never> | { spec: Exploration['spec'] }) =>
  planRuns({ parameters, exploration: spec })

test('without an exploration there is one run with the defaults', () => {
  const defaults = planRuns({ parameters, exploration: undefined })
  expect(defaults).toMatchObject({ runCount: 1, explored: [] })
  expect(runPoint(defaults, 0)).toEqual({})
  expect(runSummary(defaults, 0)).toBe('')
})

test('the plan tells run count, names in order, parameters and stored types', () => {
  const multiply = plan(cartesianProduct({ y: [6, 7, 8], kind: ['b', 'ü'], n: [1, 2] }))
  expect(multiply.runCount).toBe(12)
  expect(multiply.explored.map(({ name, dtype, textBytesMax }) => [name, dtype, textBytesMax])).toEqual([
    ['y', 'float64', 0],
    ['kind', 'str', 2],
    ['n', 'int64', 0],
  ])
  expect(multiply.explored[0]?.parameter).toBe(parameters[1])
  expect(Object.isFrozen(multiply)).toBe(true)
})

test('a plan survives structured cloning', () => {
  const original = plan(cartesianProduct({ x: arange(0, 1, 0.1), seed: new BigInt64Array([1n, 2n]) }))
  const copy = structuredClone(original)
  expect(runPoint(copy, 7)).toEqual(runPoint(original, 7))
  expect(runSummary(copy, 7)).toBe('seed: 2,   x: 0.3')
})

test('a job sees numbers for integers and bigints where the default is one, also from generated ranges', () => {
  expect(runPoint(plan(zip({ n: arange(3), seed: arange(3) })), 2)).toEqual({ n: 2, seed: 2n })
  expect(runPoint(plan(zip({ n: [integer(5)], seed: [6n] })), 0)).toEqual({ n: 5, seed: 6n })
})

test('columns are typed as they are stored, and may be read in parts', () => {
  const all = plan(
    zip({ x: [1, 2, 3], n: [4, 5, 6], seed: arange(3), on: [true, false, true], kind: ['a', 'b', 'c'] }),
  )
  expect(exploredColumn(all, 'x', 1, 3)).toEqual(new Float64Array([2, 3]))
  expect(exploredColumn(all, 'n', 0, 2)).toEqual(new BigInt64Array([4n, 5n]))
  expect(exploredColumn(all, 'seed', 0, 3)).toEqual(new BigInt64Array([0n, 1n, 2n]))
  expect(exploredColumn(all, 'on', 0, 3)).toEqual(new Int8Array([1, 0, 1]))
  expect(exploredColumn(all, 'kind', 2, 3)).toEqual(['c'])
  expect(exploredColumn(all, 'x', 2, 2)).toEqual(new Float64Array(0))
  expect(() => exploredColumn(all, 'y', 0, 1)).toThrow(
    expect.objectContaining({ code: 'PYPET_PARAMETER_UNKNOWN' }),
  )
})

describe('C06: every value has the type of the default', () => {
  test.each([
    [
      zip({ neuron: { tau: [1, 2, 3, 'a'] } }),
      'explore.neuron.tau[3]',
      'neuron.tau is a float64 (default 20), found "a"',
    ],
    [zip({ x: [1, 2n] }), 'explore.x[1]', 'found 2n'],
    [zip({ x: [true] }), 'explore.x[0]', 'found true'],
    [zip({ x: new BigInt64Array(1) }), 'explore.x[0]', 'found 0n'],
    [zip({ n: [1, 1.5] }), 'explore.n[1]', 'n is an int64 (default 3), found 1.5'],
    [zip({ n: [2 ** 53] }), 'explore.n[0]', 'found 9007199254740992'],
    [zip({ n: [1n] }), 'explore.n[0]', 'found 1n'],
    [zip({ seed: [1n, 2] }), 'explore.seed[1]', 'seed is an int64 (default 1n), found 2'],
    [zip({ seed: [2n ** 63n] }), 'explore.seed[0]', 'found 9223372036854775808n'],
    [zip({ on: [0, 1] }), 'explore.on[0]', 'on is a bool'],
    [zip({ kind: [1] }), 'explore.kind[0]', 'kind is a str (default "a"), found 1'],
    [zip({ kind: linspace(0, 1, 2) }), 'explore.kind[0]', 'found 0'],
    [zip({ n: linspace(0, 1, 3) }), 'explore.n[1]', 'found 0.5'],
    [zip({ n: linspace(0, 0.5, 2) }), 'explore.n[1]', 'found 0.5'],
    [zip({ n: arange(0, 3, 0.5) }), 'explore.n[1]', 'found 0.5'],
    [zip({ n: arange(0.5, 3) }), 'explore.n[0]', 'found 0.5'],
    [zip({ n: logspace(0, 20, 21) }), 'explore.n[16]', 'found 10000000000000000'],
    [points([{ x: 1 }, { x: 'a' }]), 'explore[1].x', 'found "a"'],
    [concat(zip({ x: [1] }), zip({ x: ['a'] }) as never), 'explore[1].x[0]', 'found "a"'],
    [zip({ list: [1] }), 'explore.list[0]', 'list is a list of float64, found 1'],
    [zip({ kernel: [1] }), 'explore.kernel[0]', 'kernel is a float64 array [2]'],
  ])('%# at %s: %s', (exploration, where, message) => {
    expect(() => plan(exploration)).toThrow(
      expect.objectContaining({
        code: 'PYPET_PARAMETER_TYPE',
        where,
        message: expect.stringContaining(message),
      }),
    )
  })

  test.each([
    zip({ n: linspace(0, 10, 6) }),
    zip({ n: logspace(0, 3, 4) }),
    zip({ n: linspace(5, 5, 4) }),
    zip({ x: new Int32Array(2) }),
    zip({ seed: new BigInt64Array(2) }),
  ])('whole values fit: %#', (exploration) => {
    expect(plan(exploration).runCount).toBeGreaterThan(1)
  })
})

test('strings that no file can hold are refused at their place', () => {
  expect(() => plan(zip({ kind: ['a', 'b\0'] }))).toThrow(
    expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED', where: 'explore.kind[1]' }),
  )
})

test('unknown names are told the nearest, groups what they hold', () => {
  expect(() => plan(zip({ tau: [1] }))).toThrow(
    expect.objectContaining({
      code: 'PYPET_PARAMETER_UNKNOWN',
      where: 'explore.tau',
      hint: 'Did you mean neuron.tau?',
    }),
  )
  expect(() => plan(zip({ neuron: [1] }))).toThrow(
    expect.objectContaining({ code: 'PYPET_PARAMETER_UNKNOWN', hint: 'It holds: neuron.tau, neuron.x.' }),
  )
})

test('more runs than the file can number are refused', () => {
  expect(() => plan(cartesianProduct({ x: arange(100_000), y: arange(100_000) }))).toThrow(
    expect.objectContaining({
      code: 'PYPET_EXPLORATION_INVALID',
      message: expect.stringContaining('10000000000 points'),
    }),
  )
})

test('texts that would be padded beyond reason are refused before anything is written', () => {
  const kind = ['a', 'ü'.repeat(200_000)]
  const refused = expect.objectContaining({
    code: 'PYPET_EXPLORATION_INVALID',
    where: 'explore.kind',
    message: expect.stringContaining('each of 3000 runs would take the 400000 bytes of the longest text'),
  })
  expect(() => plan(cartesianProduct({ kind, x: arange(1500) }))).toThrow(refused)
  expect(plan(cartesianProduct({ kind, x: arange(1300) })).runCount).toBe(2600)
})

test('a product of ten million points is checked by its ranges alone', () => {
  // Ten million values read one by one would still pass, but a range that counts its reads shows the difference.
  let reads = 0
  const counted = new Proxy([1, 2], {
    get(target, key, receiver) {
      if (key === '0' || key === '1') reads += 1
      return Reflect.get(target, key, receiver)
    },
  })
  const spec = {
    kind: 'product',
    factors: [
      [{ name: 'x', range: { kind: 'values', values: counted } }],
      [{ name: 'y', range: arange(5_000_000) }],
    ],
  } as const
  expect(planRuns({ parameters, exploration: spec }).runCount).toBe(10_000_000)
  expect(reads).toBeLessThan(10)
})

describe('the summary of a run', () => {
  test('is sorted by name, with values as Python prints them', () => {
    const all = plan(
      zip({ y: [6], x: [1], on: [true], kind: ["it's"], n: [4], seed: [5n], neuron: { tau: [1e-5] } }),
    )
    expect(runSummary(all, 0)).toBe(
      `kind: "it's",   n: 4,   on: True,   seed: 5,   tau: 1e-05,   x: 1.0,   y: 6.0`,
    )
  })

  test('tells parameters of one name apart', () => {
    expect(runSummary(plan(zip({ x: [1], 'neuron.x': [2] })), 0)).toBe('x: 2.0,   parameters.x: 1.0')
  })

  test('is cut to 512 bytes, never within a character', () => {
    const ascii = runSummary(plan(zip({ kind: ['a'.repeat(600)] })), 0)
    expect(ascii).toHaveLength(512)
    expect(ascii.endsWith('aaa...')).toBe(true)
    expect(runSummary(plan(zip({ kind: ['a'.repeat(504)] })), 0)).toBe(`kind: '${'a'.repeat(504)}'`)
    const wide = runSummary(plan(zip({ kind: ['é'.repeat(600)] })), 0)
    expect(new TextEncoder().encode(wide).length).toBeLessThanOrEqual(512)
    expect(wide).toMatch(/^kind: 'é+\.\.\.$/)
  })
})
