import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { concat } from '../../src/exploration/concat.ts'
import { derive } from '../../src/exploration/derive.ts'
import type { Exploration, ExplorationSpec } from '../../src/exploration/exploration.ts'
import { onlyIf } from '../../src/exploration/only-if.ts'
import { exploredColumn, planRuns, runSummary } from '../../src/exploration/plan.ts'
import { points } from '../../src/exploration/points.ts'
import { arange } from '../../src/exploration/range.ts'
import { repeat, withTrialParameters } from '../../src/exploration/repeat.ts'
import { runPoint } from '../../src/exploration/run-point.ts'
import { sobol } from '../../src/exploration/sample.ts'
import { findUniquePoints } from '../../src/exploration/unique.ts'
import { where } from '../../src/exploration/where.ts'
import { decodeTaggedJson, encodeTaggedJson } from '../../src/journal/tagged-json.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const declared = flattenParameters(
  {
    x: 1,
    y: 1,
    z: 1,
    n: integer(3),
    big: 1n,
    on: true,
    mode: 'fast',
    list: [1],
    neuron: { tau: 20 },
  },
  'parameters',
)
type Given = Pick<Exploration, 'spec'>
const planOf = ({ spec }: Given) =>
  planRuns({ parameters: withTrialParameters(declared, spec), exploration: spec })
const pointsOf = (explored: Given) => {
  const plan = planOf(explored)
  return Array.from({ length: plan.runCount }, (_, run) => runPoint(plan, run))
}

describe('where', () => {
  test('keeps the points for which the condition is true, in their order', () => {
    const explored = where(cartesianProduct({ x: [1, 2, 3], y: [1, 2, 3] }), ({ x, y }) => x < y)
    expect(pointsOf(explored)).toEqual([
      { x: 1, y: 2 },
      { x: 1, y: 3 },
      { x: 2, y: 3 },
    ])
  })

  test('a filter keeps exactly what filtering all points would', () => {
    const lists = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lists, lists, fc.integer({ min: 1, max: 4 }), (x, y, modulus) => {
        const all = pointsOf(cartesianProduct({ x, y }))
        const kept = all.filter((point) => ((point.x as number) + (point.y as number)) % modulus === 0)
        const explored = where(cartesianProduct({ x, y }), (point) => (point.x + point.y) % modulus === 0)
        if (kept.length === 0) expect(() => planOf(explored)).toThrow(/none of the/)
        else expect(pointsOf(explored)).toEqual(kept)
      }),
    )
  })

  test('is called once for each point, when the exploration is expanded and not before', () => {
    let calls = 0
    const explored = where(cartesianProduct({ x: arange(10), n: arange(10) }), ({ n }) => {
      calls += 1
      return n > 4
    })
    expect(calls).toBe(0)
    const plan = planOf(explored)
    expect({ calls, runCount: plan.runCount }).toEqual({ calls: 100, runCount: 50 })
    runPoint(plan, 49)
    expect(planRuns({ parameters: declared, exploration: plan.exploration }).runCount).toBe(50)
    expect(calls).toBe(100)
  })

  test('sees bigints where the default is one', () => {
    const explored = where(
      zip({ big: arange(3) }) as Given as Exploration<{ big: bigint }>,
      ({ big }) => big === 2n,
    )
    expect(pointsOf(explored)).toEqual([{ big: 2n }])
  })

  test('a million points take four bytes each that is kept', () => {
    const plan = planOf(
      where(cartesianProduct({ x: arange(1000), y: arange(1000) }), (point) => point.x + point.y < 1000),
    )
    expect(plan.runCount).toBe(500_500)
    expect((plan.exploration as { runs: Uint32Array }).runs.buffer.byteLength).toBe(4 * 500_500)
    expect(runPoint(plan, 500_499)).toEqual({ x: 999, y: 0 })
  })
})

describe('onlyIf', () => {
  const base = cartesianProduct({ mode: ['fast', 'slow'], 'neuron.tau': [1, 2, 3], x: [5, 6] })

  test('elsewhere a parameter keeps its default, and the point comes once', () => {
    expect(pointsOf(onlyIf(base, { 'neuron.tau': ({ mode }) => mode === 'slow' }))).toEqual([
      { mode: 'fast', 'neuron.tau': 20, x: 5 },
      { mode: 'fast', 'neuron.tau': 20, x: 6 },
      ...[1, 2, 3].flatMap((tau) => [5, 6].map((x) => ({ mode: 'slow', 'neuron.tau': tau, x }))),
    ])
  })

  test('the same holds whatever the exploration is made of', () => {
    const listed = points(pointsOf(base) as { mode: string; x: number; 'neuron.tau': number }[])
    const condition = { 'neuron.tau': ({ mode }: { mode: string }) => mode === 'slow' }
    expect(pointsOf(onlyIf(listed, condition))).toEqual(pointsOf(onlyIf(base, condition)))
    const grouped = cartesianProduct({ mode: ['fast', 'slow'], 'neuron.tau': [1, 2], x: [5, 6] }, [
      'mode',
      ['neuron.tau', 'x'],
    ])
    expect(pointsOf(onlyIf(grouped, condition))).toEqual([
      { mode: 'fast', 'neuron.tau': 20, x: 5 },
      { mode: 'fast', 'neuron.tau': 20, x: 6 },
      { mode: 'slow', 'neuron.tau': 1, x: 5 },
      { mode: 'slow', 'neuron.tau': 2, x: 6 },
    ])
  })

  test('a condition sees its own parameter and later ones not, and earlier ones with their default', () => {
    const seen: unknown[] = []
    const explored = onlyIf(cartesianProduct({ x: [1, 2], y: [7, 8], z: [5, 6] }), {
      y: (point) => {
        seen.push(Object.keys(point))
        return point.x > 1
      },
      z: (point) => point.y > 7,
    })
    expect(pointsOf(explored)).toEqual([
      { x: 1, y: 1, z: 1 },
      { x: 2, y: 7, z: 1 },
      { x: 2, y: 8, z: 5 },
      { x: 2, y: 8, z: 6 },
    ])
    expect(seen[0]).toEqual(['x'])
  })

  test('equal points of its own are left as they were given', () => {
    const explored = onlyIf(cartesianProduct({ x: [1, 1], y: [4, 4] }), { y: ({ x }) => x === 1 })
    expect(pointsOf(explored)).toHaveLength(4)
  })

  test('no two points are equal but for what is not explored, for any product', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(list, list, list, fc.nat(9), (x, y, z, bound) => {
        const explored = onlyIf(cartesianProduct({ y, x, z }), {
          y: (point) => point.x > bound,
          z: (point) => point.x + point.y > bound,
        })
        const found = pointsOf(explored).map((point) => JSON.stringify(point))
        const expected = new Set(
          x.flatMap((xs) => {
            const ys = xs > bound ? y : [1]
            return ys.flatMap((yy) =>
              (xs + yy > bound ? z : [1]).map((zz) => JSON.stringify({ y: yy, x: xs, z: zz })),
            )
          }),
        )
        // A default may be among the values as well; then the two stay apart.
        expect(new Set(found)).toEqual(expected)
      }),
    )
  })

  test('the longest text may be the default', () => {
    const explored = onlyIf(cartesianProduct({ x: [1, 2], mode: ['a', 'b'] }), { mode: ({ x }) => x > 1 })
    expect(planOf(explored).explored[1]?.textBytesMax).toBe(4)
  })
})

describe('derive', () => {
  test('gives declared parameters the values that follow, of any type', () => {
    const explored = derive(cartesianProduct({ x: [1, 2] }), {
      z: (point) => point.x * 2,
      n: (point) => integer(point.x + 1),
      big: (point) => BigInt(point.x),
      on: (point) => point.x > 1,
      mode: (point) => `m${point.x}`,
      'neuron.tau': () => 0.5,
    })
    expect(pointsOf(explored)).toEqual([
      { x: 1, z: 2, n: 2, big: 1n, on: false, mode: 'm1', 'neuron.tau': 0.5 },
      { x: 2, z: 4, n: 3, big: 2n, on: true, mode: 'm2', 'neuron.tau': 0.5 },
    ])
    expect(exploredColumn(planOf(explored), 'big', 0, 2)).toEqual(new BigInt64Array([1n, 2n]))
  })

  test('a filter sees what was derived', () => {
    const doubled = derive(zip({ x: [1, 2, 3] }), { z: ({ x }) => x * 2 })
    expect(pointsOf(where(doubled, ({ z }) => z > 2))).toEqual([
      { x: 2, z: 4 },
      { x: 3, z: 6 },
    ])
  })
})

describe('repeat', () => {
  test('repeats are neighbours, told apart by trial, which need not be declared', () => {
    const explored = repeat(cartesianProduct({ x: [1, 2] }), 3)
    expect(pointsOf(explored)).toEqual([1, 2].flatMap((x) => [0, 1, 2].map((trial) => ({ x, trial }))))
    expect(runSummary(planOf(explored), 4)).toBe('trial: 1,   x: 2.0')
    expect(withTrialParameters(declared, explored.spec).at(-1)).toMatchObject({
      name: 'trial',
      stored: { dtype: 'int64' },
    })
  })

  test('a declared integer of that name is filled', () => {
    for (const [value, second] of [
      [integer(0), 1],
      [0n, 1n],
    ] as const) {
      const own = flattenParameters({ x: 1, trial: value }, 'parameters')
      const { spec } = repeat(zip({ x: [5] }), 2)
      expect(withTrialParameters(own, spec)).toBe(own)
      expect(runPoint(planRuns({ parameters: own, exploration: spec }), 1)).toEqual({ x: 5, trial: second })
    }
  })

  test('another name may count', () => {
    expect(pointsOf(repeat(repeat(zip({ x: [1] }), 2), 2, { parameter: 'n' }))).toEqual([
      { x: 1, trial: 0, n: 0 },
      { x: 1, trial: 0, n: 1 },
      { x: 1, trial: 1, n: 0 },
      { x: 1, trial: 1, n: 1 },
    ])
  })

  test.each([
    [{ trial: 1.5 }, 'a float64'],
    [{ trial: 'a' }, 'a str'],
    [{ trial: { x: integer(1) } }, 'a group'],
  ])('a parameter of that name that is something else is refused: %j', (tree, found) => {
    const own = flattenParameters({ x: 1, ...tree }, 'parameters')
    expect(() => withTrialParameters(own, repeat(zip({ x: [1] }), 2).spec)).toThrow(
      expect.objectContaining({
        code: 'PYPET_NAME_TAKEN',
        message: expect.stringContaining(found),
        where: 'parameters.trial',
        hint: 'Declare it as trial: integer(0), or rename it.',
      }),
    )
  })
})

/** Each with its points, written down by hand; Sobol's sequence begins with 0, 1/2, 3/4, 1/4 in its first dimension. */
const shaped: readonly [string, Given, readonly Readonly<Record<string, unknown>>[]][] = [
  [
    'sample',
    sobol({ x: [0, 1], n: [1, 8] }, { count: 4 }),
    [
      { x: 0, n: 1 },
      { x: 0.5, n: 5 },
      { x: 0.75, n: 3 },
      { x: 0.25, n: 7 },
    ],
  ],
  [
    'repeat',
    repeat(zip({ x: [1, 2] }), 2),
    [
      { x: 1, trial: 0 },
      { x: 1, trial: 1 },
      { x: 2, trial: 0 },
      { x: 2, trial: 1 },
    ],
  ],
  [
    'select',
    where(cartesianProduct({ x: [1, 2], big: [1n, 2n] }), ({ x }) => x > 1),
    [
      { x: 2, big: 1n },
      { x: 2, big: 2n },
    ],
  ],
  [
    'partial',
    onlyIf(
      points([
        { x: 1, y: 5 },
        { x: 2, y: -0 },
      ]),
      { y: ({ x }) => x > 1 },
    ),
    [
      { x: 1, y: 1 },
      { x: 2, y: -0 },
    ],
  ],
  [
    'derived',
    derive(zip({ x: [1, 2] }), { z: () => Number.NaN, big: ({ x }) => BigInt(x), on: ({ x }) => x > 1 }),
    [
      { x: 1, z: Number.NaN, big: 1n, on: false },
      { x: 2, z: Number.NaN, big: 2n, on: true },
    ],
  ],
  [
    'concat',
    concat(
      sobol({ x: [0, 1] }, { count: 2 }),
      where(zip({ x: [1, 2] }), ({ x }) => x > 1),
    ),
    [{ x: 0 }, { x: 0.5 }, { x: 2 }],
  ],
]

test.each(shaped)(
  'what was settled is data: %s survives the .cnt file and another process',
  (kind, explored, expected) => {
    const plan = planOf(explored)
    expect(plan.exploration?.kind).toBe(kind)
    const read = decodeTaggedJson(encodeTaggedJson(plan.exploration)) as ExplorationSpec
    const parameters = withTrialParameters(declared, read)
    const again = planRuns({ parameters, exploration: read })
    expect(again.exploration).toBe(read)
    const pointsOfPlan = (made: typeof plan) =>
      Array.from({ length: made.runCount }, (_, run) => runPoint(made, run))
    expect(pointsOfPlan(plan)).toStrictEqual(expected)
    expect(pointsOfPlan(again)).toStrictEqual(expected)
  },
)

test('they may be laid over each other in any order', () => {
  const explored = where(
    repeat(
      onlyIf(derive(cartesianProduct({ x: [1, 2], y: [1, 2] }), { z: ({ x }) => x }), {
        y: ({ x }) => x > 1,
      }),
      2,
    ),
    ({ x }) => x === 1,
  )
  expect(pointsOf(explored)).toEqual([
    { x: 1, y: 1, z: 1, trial: 0 },
    { x: 1, y: 1, z: 1, trial: 1 },
  ])
})

test('unique points are found among filtered ones, and conditions need a default', () => {
  expect(findUniquePoints(where(zip({ x: [1, 1, 2] }), ({ x }) => x < 2))).toMatchObject([{ runs: [0, 1] }])
  expect(() => findUniquePoints(onlyIf(zip({ x: [1], y: [1] }), { y: () => false }))).toThrow(
    'y has no single value as its default',
  )
})

const x = zip({ x: [1, 2] })
const fail = () => {
  throw new TypeError('no such thing')
}

test.each([
  ['PYPET_EXPLORATION_EMPTY', 'where', 'none of the 2', () => planOf(where(x, () => false))],
  ['PYPET_EXPLORATION_INVALID', 'where', 'number 1', () => planOf(where(x, (() => 1) as never))],
  ['PYPET_EXPLORATION_INVALID', 'where', 'a promise', () => planOf(where(x, (async () => true) as never))],
  ['PYPET_EXPLORATION_INVALID', 'where', '{ x: 1 }: TypeError: no such', () => planOf(where(x, fail))],
  ['PYPET_EXPLORATION_INVALID', 'where', 'found string', () => where(x, 'x < 1' as never)],
  [
    'PYPET_EXPLORATION_INVALID',
    'where',
    'the limit is 100000000',
    () => planOf(where(cartesianProduct({ x: arange(2 ** 30) }), fail)),
  ],
  ['PYPET_PARAMETER_UNKNOWN', 'onlyIf.y', 'y is not explored', () => onlyIf(x, { y: () => true } as never)],
  ['PYPET_EXPLORATION_INVALID', 'onlyIf.x', 'found boolean', () => onlyIf(x, { x: true } as never)],
  [
    'PYPET_EXPLORATION_INVALID',
    'onlyIf.x',
    'undefined',
    () => planOf(onlyIf(x, { x: (() => undefined) as never })),
  ],
  ['PYPET_NAME_TAKEN', 'derive.x', 'already explored', () => derive(x, { x: () => 1 })],
  ['PYPET_PARAMETER_TYPE', 'explore.z[0]', 'found "a"', () => planOf(derive(x, { z: () => 'a' }))],
  [
    'PYPET_PARAMETER_TYPE',
    'explore.n[1]',
    'found 1.5',
    () => planOf(derive(x, { n: (point) => 0.5 + point.x / 2 })),
  ],
  [
    'PYPET_PARAMETER_TYPE',
    'derive.z for { x: 1 }',
    'undefined',
    () => planOf(derive(x, { z: (() => undefined) as never })),
  ],
  ['PYPET_PARAMETER_UNKNOWN', 'explore.q', 'no parameter q', () => planOf(derive(x, { q: () => 1 }))],
  ['PYPET_EXPLORATION_INVALID', 'repeat', '>= 1, found 0', () => repeat(x, 0)],
  ['PYPET_EXPLORATION_INVALID', 'repeat', 'found 1.5', () => repeat(x, 1.5)],
  ['PYPET_NAME_TAKEN', 'repeat', 'trial', () => repeat(repeat(x, 2), 2)],
  [
    'PYPET_EXPLORATION_INVALID',
    'explore',
    '2147483647',
    () => planOf(repeat(cartesianProduct({ x: arange(2 ** 30) }), 2)),
  ],
])('a wrong use is refused with %s at %s: %s', (code, place, message, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      code,
      message: expect.stringContaining(message),
      where: place,
      hint: expect.stringMatching(/[.?]$/),
    }),
  )
})
