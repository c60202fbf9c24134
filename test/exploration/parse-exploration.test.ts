import { describe, expect, test } from 'vitest'
import { cartesianProduct } from '../../src/exploration/cartesian.ts'
import { explorationLength } from '../../src/exploration/exploration.ts'
import { parseExploration } from '../../src/exploration/parse-exploration.ts'
import { settle } from '../../src/exploration/settle.ts'
import { ValuePools } from '../../src/exploration/value-pool.ts'
import { flattenParameters, type Parameter } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'
import { explorationPoint } from './exploration-point.ts'

const parameters = flattenParameters(
  { x: 1, y: 1, n: integer(1), seed: 1n, on: true, kind: 'a', list: [1], neuron: { tau: 20, g: 1 } },
  'parameters',
)
const settled = (value: unknown, declared: readonly Parameter[]) =>
  settle(
    parseExploration(value, { parameters: declared, origin: 'pypet.config.json' }),
    {
      parameterOf: (name) => declared.find((parameter) => parameter.name === name),
      pools: new ValuePools(),
    },
    'explore',
  )
const parse = (value: unknown) => settled(value, parameters)
const pointsOf = (value: unknown) => {
  const spec = parse(value)
  return Array.from({ length: explorationLength(spec) }, (_, run) => explorationPoint(spec, run))
}

describe('a mapping', () => {
  test('of ranges advances together, as f_explore does', () => {
    expect(pointsOf({ x: [1, 2], neuron: { tau: [3, 4] } })).toEqual([
      { x: 1, 'neuron.tau': 3 },
      { x: 2, 'neuron.tau': 4 },
    ])
  })

  test('takes every kind of range', () => {
    const last = {
      x: { linspace: [0, 1, 3] },
      y: { logspace: [0, 2, 3] },
      n: '0:6:2',
      seed: '5,1:3',
      neuron: { tau: { arange: [0, 0.3, 0.1] } },
      'neuron.g': new Float64Array([7, 8, 9]),
    }
    expect(pointsOf(last)[2]).toEqual({ x: 1, y: 100, n: 4, seed: 2n, 'neuron.tau': 0.2, 'neuron.g': 9 })
  })
})

test('operations and their ranges mean what the builders mean', () => {
  expect(parse({ product: { x: [1, 2], y: { arange: [0, 1, 0.5] } }, combined: [['x', 'y']] })).toEqual(
    parse({ product: { x: [1, 2], y: '0:1:0.5' }, combined: [['x', 'parameters.y']] }),
  )
  expect(parse({ product: { x: [1, 2], kind: ['a', 'b'] } })).toEqual(
    cartesianProduct({ x: [1, 2], kind: ['a', 'b'] }).spec,
  )
  expect(pointsOf({ zip: { on: [true, false], y: { logspace: [0, 1, 2] } } })).toEqual([
    { on: true, y: 1 },
    { on: false, y: 10 },
  ])
  expect(
    pointsOf({
      concat: [{ points: [{ x: 1, neuron: { tau: 2 } }] }, { product: { x: [3, 4], 'neuron.tau': [5] } }],
    }),
  ).toEqual([
    { x: 1, 'neuron.tau': 2 },
    { x: 3, 'neuron.tau': 5 },
    { x: 4, 'neuron.tau': 5 },
  ])
})

test('an exploration built by code is taken as it is', () => {
  const built = cartesianProduct({ x: [1, 2] })
  expect(parse(built)).toBe(built.spec)
})

test('whole numbers and digits become bigints where the default is one', () => {
  expect(pointsOf({ seed: [1, '9007199254740993', 3n] }).map(({ seed }) => seed)).toEqual([
    1n,
    9007199254740993n,
    3n,
  ])
  expect(pointsOf({ points: [{ seed: 7 }] })).toEqual([{ seed: 7n }])
})

test('a parameter called like an operation or a generator is that parameter', () => {
  const named = flattenParameters({ points: 1, noise: { linspace: 1 } }, 'parameters')
  const spec = settled({ points: [1, 2], noise: { linspace: [3, 4] } }, named)
  expect(explorationPoint(spec, 1)).toEqual({ points: 2, 'noise.linspace': 4 })
})

test.each([
  [{ product: { neuron: { tau: [1, 2, 3, 'a'] } } }, 'PYPET_PARAMETER_TYPE', 'explore.product.neuron.tau[3]'],
  [{ x: [1, 2], y: [1, null] }, 'PYPET_PARAMETER_TYPE', 'explore.y[1]'],
  [{ points: [{ x: 1 }, { x: true }] }, 'PYPET_PARAMETER_TYPE', 'explore.points[1].x'],
  [{ concat: [{ x: [1] }, { zip: { x: ['a'] } }] }, 'PYPET_PARAMETER_TYPE', 'explore.concat[1].zip.x[0]'],
  [{ n: [1, 1.5] }, 'PYPET_PARAMETER_TYPE', 'explore.n[1]'],
  [{ n: { linspace: [0, 1, 3] } }, 'PYPET_PARAMETER_TYPE', 'explore.n[1]'],
  [{ seed: [1, 1.5] }, 'PYPET_PARAMETER_TYPE', 'explore.seed[1]'],
  [{ kind: { linspace: [0, 1, 3] } }, 'PYPET_PARAMETER_TYPE', 'explore.kind[0]'],
  [{ list: [[1], ['a']] }, 'PYPET_PARAMETER_TYPE', 'explore.list[1]'],
  [{ list: [1, 2] }, 'PYPET_PARAMETER_TYPE', 'explore.list[0]'],
  [{ x: [[1], [2]] }, 'PYPET_PARAMETER_TYPE', 'explore.x[0]'],
  [{ x: [1, 2], y: [1] }, 'PYPET_EXPLORATION_LENGTH', 'explore.y'],
  [{ product: { x: [] } }, 'PYPET_EXPLORATION_EMPTY', 'explore.product.x'],
  [{ product: {} }, 'PYPET_EXPLORATION_EMPTY', 'explore.product'],
  [{ concat: [] }, 'PYPET_EXPLORATION_EMPTY', 'explore.concat'],
  [{ points: [] }, 'PYPET_EXPLORATION_EMPTY', 'explore.points'],
  [{ z: [1] }, 'PYPET_PARAMETER_UNKNOWN', 'explore.z'],
  [{ zip: { neuron: { tua: [1] } } }, 'PYPET_PARAMETER_UNKNOWN', 'explore.zip.neuron.tua'],
  [{ points: [{ z: 1 }] }, 'PYPET_PARAMETER_UNKNOWN', 'explore.points[0].z'],
  [{ x: [1], 'parameters.x': [2] }, 'PYPET_NAME_TAKEN', 'explore.x'],
  [{ x: 5 }, 'PYPET_EXPLORATION_INVALID', 'explore.x'],
  [{ kind: '0:1' }, 'PYPET_EXPLORATION_INVALID', 'explore.kind'],
  [{ x: '0:1:0' }, 'PYPET_EXPLORATION_INVALID', 'explore.x'],
  [{ x: { arange: [0, 1, 0] } }, 'PYPET_EXPLORATION_INVALID', 'explore.x.arange'],
  [{ x: { arange: [0, 'a'] } }, 'PYPET_EXPLORATION_INVALID', 'explore.x.arange'],
  [{ x: { linspace: 5 } }, 'PYPET_EXPLORATION_INVALID', 'explore.x.linspace'],
  [{ product: [1] }, 'PYPET_EXPLORATION_INVALID', 'explore.product'],
  [{ product: { x: [1] }, y: [2] }, 'PYPET_EXPLORATION_INVALID', 'explore.y'],
  [{ product: { x: [1] }, combined: ['x', [5]] }, 'PYPET_EXPLORATION_INVALID', 'explore.combined[1]'],
  [{ concat: { x: [1] } }, 'PYPET_EXPLORATION_INVALID', 'explore.concat'],
  [[1, 2], 'PYPET_EXPLORATION_INVALID', 'explore'],
  ['x=1', 'PYPET_EXPLORATION_INVALID', 'explore'],
  [null, 'PYPET_EXPLORATION_INVALID', 'explore'],
])('%j is refused with %s at %s, naming the file', (value, code, where) => {
  expect(() => parse(value)).toThrow(
    expect.objectContaining({
      code,
      where,
      message: expect.stringContaining('pypet.config.json: explore'),
      hint: expect.stringMatching(/./),
    }),
  )
})
