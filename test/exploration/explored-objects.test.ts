/** Lists, arrays and matrices as explored values: which are taken, what a job is given, and what is compared. */
import { describe, expect, test } from 'vitest'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { concat } from '../../src/exploration/concat.ts'
import { derive } from '../../src/exploration/derive.ts'
import type { Exploration, ExplorationDraft } from '../../src/exploration/exploration.ts'
import { explorationFromFlags } from '../../src/exploration/explore-flags.ts'
import { addedPart, extendedExploration } from '../../src/exploration/extend.ts'
import { onlyIf } from '../../src/exploration/only-if.ts'
import { parseExploration } from '../../src/exploration/parse-exploration.ts'
import { planRuns, runSummary } from '../../src/exploration/plan.ts'
import { points } from '../../src/exploration/points.ts'
import { repeat, withTrialParameters } from '../../src/exploration/repeat.ts'
import { type ExplorationPlan, runPoint } from '../../src/exploration/run-point.ts'
import { random } from '../../src/exploration/sample.ts'
import { choice } from '../../src/exploration/sample-range.ts'
import { findUniquePoints } from '../../src/exploration/unique.ts'
import { where } from '../../src/exploration/where.ts'
import { flattenParameters, type Parameter } from '../../src/run/parameter.ts'
import { parameterViews } from '../../src/run/parameter-view.ts'

const declared = {
  x: 1,
  y0: [10, 5],
  n: [1n, 2n],
  words: ['a'],
  w: new Float64Array(2),
  bytes: new Uint8Array(2),
  grid: { data: Float64Array.of(1, 2), shape: [1, 2] },
  group: { y0: [0] },
}
const parameters = flattenParameters(declared, 'parameters')
const viewAt = parameterViews(parameters)

// biome-ignore lint/suspicious/noExplicitAny: the names of each test are others.
type Par = any

function plan(
  exploration: Exploration<never> | ExplorationDraft | undefined,
  declaredOnes: readonly Parameter[] = parameters,
): ExplorationPlan {
  const draft = exploration !== undefined && 'spec' in exploration ? exploration.spec : exploration
  return planRuns({ parameters: declaredOnes, exploration: draft as ExplorationDraft })
}

function parOf(made: ExplorationPlan, run: number): Par {
  return viewAt(runPoint(made, run))
}

function valuesOf(made: ExplorationPlan, name: string): unknown[] {
  return Array.from({ length: made.runCount }, (_, run) => parOf(made, run)[name])
}

class Source {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  static load(text: string) {
    return new Source(text)
  }
  store(): unknown {
    return this.text
  }
}

class Spectrum {
  readonly lines: readonly number[]
  constructor(lines: readonly number[]) {
    this.lines = lines
  }
  static load(lines: readonly number[]) {
    return new Spectrum(lines)
  }
  store(): unknown {
    return this.lines
  }
}

/** Stores a text, as `Source` does. */
class Label extends Source {
  static override load(text: string) {
    return new Label(text)
  }
}

describe('instances', () => {
  const owned = flattenParameters(
    { x: 1, text: 'a', source: new Source('a'), spectrum: new Spectrum([1]) } as never,
    'parameters',
  )

  test('of the class of the default are explored as what they store', () => {
    const made = plan(
      cartesianProduct({
        source: [new Source('b'), 'c'],
        spectrum: [new Spectrum([1]), [2]],
      } as never) as never,
      owned,
    )
    expect(Array.from({ length: made.runCount }, (_, run) => runSummary(made, run))).toHaveLength(4)
    expect(runPoint(made, 2)['source']).toBe('c')
  })

  test.each([
    [
      'of another class',
      { source: [new Source('b'), new Label('c')] },
      /source\[1\]: source is an instance of Source, found an instance of Label/,
    ],
    [
      'of another class, as lists',
      { spectrum: [[1], new Source('c')] },
      /an instance of Spectrum, found an instance of Source/,
    ],
    [
      'where the default is none',
      { text: [new Source('b')] },
      /text is not an instance of a class, found an instance of Source/,
    ],
  ])('%s are refused', (_what, given, message) => {
    for (const draft of [cartesianProduct(given as never), points([lastOf(given)] as never)]) {
      expect(() => plan(draft as never, owned)).toThrow(
        expect.objectContaining({ code: 'PYPET_PARAMETER_TYPE' }),
      )
    }
    expect(() => plan(cartesianProduct(given as never) as never, owned)).toThrow(message)
  })

  /** The last value of each. */
  function lastOf(given: Readonly<Record<string, readonly unknown[]>>) {
    return Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values.at(-1)]))
  }
})

describe('a job is given', () => {
  test('lists like the default, frozen', () => {
    const made = plan(cartesianProduct({ y0: [[10, 5], [20, 5], [1]], x: [1, 2] }) as never)
    expect(valuesOf(made, 'y0')).toEqual([[10, 5], [10, 5], [20, 5], [20, 5], [1], [1]])
    expect(Object.isFrozen(parOf(made, 0).y0)).toBe(true)
  })

  test('typed arrays and shaped ones of its own, which no other run sees it change', () => {
    const array = Float64Array.of(1, 2)
    const made = plan(
      zip({ w: [array, array], grid: [declared.grid, { data: Float64Array.of(7), shape: [1, 1] }] }) as never,
    )
    array[0] = 99
    const first = parOf(made, 0)
    first.w[1] = 99
    first.grid.data[0] = 99
    expect(parOf(made, 1).w).toEqual(Float64Array.of(1, 2))
    expect(parOf(made, 0).grid).toEqual({ data: Float64Array.of(1, 2), shape: [1, 2] })
    expect(parOf(made, 1).grid).toEqual({ data: Float64Array.of(7), shape: [1, 1] })
  })

  test('bigints where the default has some, texts, groups, and defaults of what is not explored', () => {
    const made = plan(points([{ n: [5n], words: ['a', 'b'], group: { y0: [3] } }]) as never)
    const par = parOf(made, 0)
    expect([par.n, par.words, par.group.y0, par.y0]).toEqual([[5n], ['a', 'b'], [3], [10, 5]])
  })

  test('whole numbers as int64 where the default is one, and lists of numbers as arrays', () => {
    const made = plan(zip({ n: [[3], [4]], w: [[1, 2, 3], []], bytes: [[255], [0]] }) as never)
    expect(valuesOf(made, 'n')).toEqual([[3n], [4n]])
    expect(valuesOf(made, 'w')).toEqual([Float64Array.of(1, 2, 3), new Float64Array(0)])
    expect(valuesOf(made, 'bytes')).toEqual([Uint8Array.of(255), Uint8Array.of(0)])
  })
})

test.each<readonly [string, unknown, string, string]>([
  [
    'a number for a list',
    zip({ y0: [[1], 2] as never }),
    'explore.y0[1]',
    'y0 is a list of float64, found 2',
  ],
  [
    'an array of numbers',
    zip({ w: Float64Array.of(1, 2) }),
    'explore.w[0]',
    'w is a float64 array [2], found 1',
  ],
  ['a list for a number', zip({ x: [[1]] }), 'explore.x[0]', 'x is a float64, found a list of 1 float64'],
  ['texts among numbers', zip({ y0: [[1], ['a']] }), 'explore.y0[1]', 'found a list of 1 str'],
  ['another element type', zip({ w: [new Float32Array(2)] }), 'explore.w[0]', 'found a float32 array [2]'],
  ['what does not fit', zip({ bytes: [[256]] }), 'explore.bytes[0]', 'bytes is an uint8 array [2]'],
  [
    'an array for a list',
    points([{ y0: new Float64Array(1) }]),
    'explore[0].y0',
    'found a float64 array [1]',
  ],
])('%s is refused where it stands', (_, exploration, at, message) => {
  expect(() => plan(exploration as never)).toThrow(
    expect.objectContaining({
      code: 'PYPET_PARAMETER_TYPE',
      where: at,
      message: expect.stringContaining(message),
    }),
  )
})

describe('each distinct value is there once', () => {
  const poolOf = (made: ExplorationPlan, name: string) =>
    made.explored.find((explored) => explored.name === name)?.pool.length

  test('in products, in parts, and where a default stands in', () => {
    const made = plan(
      concat(
        cartesianProduct({ y0: [[1], [2], [1]], x: [1, 2] }),
        points([{ y0: [2], x: 3 }]) as never,
      ) as never,
    )
    expect([made.runCount, poolOf(made, 'y0')]).toEqual([7, 2])
    const partial = plan(
      onlyIf(cartesianProduct({ x: [1, 2], y0: [[1], [2]] }), { y0: (point) => point.x === 2 }) as never,
    )
    expect(valuesOf(partial, 'y0')).toEqual([[10, 5], [1], [2]])
  })

  test('and what no point has is left out', () => {
    const filtered = where(
      cartesianProduct({ y0: [[1], [2], [3]], x: [1, 2] }),
      ({ y0 }) => (y0[0] as number) > 1,
    )
    const repeated = repeat(filtered, 2)
    const made = plan(repeated as never, withTrialParameters(parameters, repeated.spec))
    expect(valuesOf(made, 'y0')).toEqual([[2], [2], [2], [2], [3], [3], [3], [3]])
    expect(poolOf(made, 'y0')).toBe(2)
    const sampled = plan(random({ y0: choice([[1], [2], [3], [4], [5]]) }, { count: 2 }) as never)
    expect(poolOf(sampled, 'y0')).toBeLessThanOrEqual(2)
  })

  test('formulas see lists, and give some', () => {
    const made = plan(
      derive(zip({ y0: [[1, 2], [3]] }), {
        x: (point) => point.y0.length,
        w: (point) => Float64Array.from(point.y0),
      }) as never,
    )
    expect(valuesOf(made, 'x')).toEqual([2, 1])
    expect(valuesOf(made, 'w')).toEqual([Float64Array.of(1, 2), Float64Array.of(3)])
  })

  test('points of any exploration that are equal have one key', () => {
    const unique = findUniquePoints(
      zip({ y0: [[1, 2], [1], [1, 2]], grid: [declared.grid, declared.grid, declared.grid] }),
    )
    expect(unique.map(({ runs }) => runs)).toEqual([[0, 2], [1]])
    expect(unique[0]?.point).toEqual({ y0: [1, 2], grid: declared.grid })
    const other = findUniquePoints(
      points([{ y0: [1], grid: { data: Float64Array.of(1, 2), shape: [1, 2] } }]),
    )
    expect(other[0]?.key).toBe(unique[1]?.key)
  })
})

test('what is added has the numbers behind those there are, and travels without them', () => {
  const before = plan(zip({ y0: [[1], [2]] }) as never)
  const grown = plan(
    extendedExploration(before.exploration, zip({ y0: [[2], [3]] }).spec as never, parameters),
  )
  expect(valuesOf(grown, 'y0')).toEqual([[1], [2], [2], [3]])
  const added = addedPart(before.exploration, grown.exploration as never, 1)
  expect(added).toMatchObject({ kind: 'pooled', pools: { y0: { first: 2, values: [{ form: 'list' }] } } })
  const again = plan(extendedExploration(before.exploration, structuredClone(added), parameters))
  expect(valuesOf(again, 'y0')).toEqual([[1], [2], [2], [3]])
  // Where nothing was explored, the run there is keeps its default.
  const first = plan(extendedExploration(undefined, zip({ y0: [[10, 5], [7]] }).spec as never, parameters))
  expect(valuesOf(first, 'y0')).toEqual([[10, 5], [10, 5], [7]])
  const wire = structuredClone(addedPart(undefined, first.exploration as never, 1))
  expect(valuesOf(plan(extendedExploration(undefined, wire, parameters)), 'y0')).toEqual([
    [10, 5],
    [10, 5],
    [7],
  ])
})

test('flags and config files write lists and arrays in JSON', () => {
  const ofFlags = (...explore: string[]) =>
    plan(
      explorationFromFlags({ explore }, parameters, {
        declared: () => undefined,
        repeat: { given: 1, where: '--repeat' },
      }),
    )
  expect(valuesOf(ofFlags('y0=[10,5],[20,5]'), 'y0')).toEqual([
    [10, 5],
    [20, 5],
  ])
  expect(valuesOf(ofFlags('words=["a,]","b"], ["c"]'), 'words')).toEqual([['a,]', 'b'], ['c']])
  expect(valuesOf(ofFlags('grid=[[1,2],[3,4]],[[5]]'), 'grid')).toEqual([
    { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] },
    { data: Float64Array.of(5), shape: [1, 1] },
  ])
  const ofConfig = plan(
    parseExploration(
      {
        product: {
          y0: [
            [10, 5],
            [20, 5],
          ],
          w: [[1], [2, 3]],
        },
      },
      { parameters, origin: 'pypet.yaml' },
    ),
  )
  expect(ofConfig.runCount).toBe(4)
  expect(parOf(ofConfig, 3).w).toEqual(Float64Array.of(2, 3))
})

test('tables show short values, and the shape of long ones', () => {
  const made = plan(
    zip({ y0: [[10, 5], Array(100).fill(1)], w: [new Float64Array(1e5), Float64Array.of(1)] }) as never,
  )
  expect([runSummary(made, 0), runSummary(made, 1)]).toEqual([
    'w: float64 array [100000],   y0: [10.0, 5.0]',
    'w: array([1.]),   y0: list of 100 float64',
  ])
})
