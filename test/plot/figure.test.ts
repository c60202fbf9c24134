/** Which figure columns give, and what stands in it. */
import { describe, expect, test } from 'vitest'
import { choosePlot } from '../../src/plot/choose-plot.ts'
import { makeFigure } from '../../src/plot/make-figure.ts'
import { figureOf, type Given, plotSource, product } from './columns.ts'

const x = [1, 1, 2, 2, 4, 4]
const z = [1, 3, 2, 4, 10, 20]
const repeated: Given = { explored: { x, trial: [0, 1, 0, 1, 0, 1].map(BigInt) }, results: { z } }

describe('the guess', () => {
  const [a, b] = product([1, 2, 3], [10, 20, 30])
  const [named, number] = product(['p', 'q'], [1, 2, 3])
  const nine = Array.from({ length: 9 }, (_, run) => run)
  test.each<[string, Given, object]>([
    ['one numeric parameter: a line', { explored: { x }, results: { z } }, { kind: 'line', x: 'x', y: 'z' }],
    ['repeats are no axis', repeated, { kind: 'line', x: 'x', y: 'z' }],
    [
      'two numeric parameters: a heatmap',
      { explored: { a, b }, results: { z: nine } },
      { kind: 'heatmap', x: 'a', y: 'b', color: 'z' },
    ],
    [
      'two parameters drawn at random: points',
      { explored: { a: nine, b: nine.toReversed() }, results: { z: nine } },
      { kind: 'scatter', x: 'a', y: 'b', color: 'z' },
    ],
    [
      'a text and a number: a line for each text',
      { explored: { named, number }, results: { z } },
      { kind: 'line', x: 'number', y: 'z', color: 'named' },
    ],
    [
      'three parameters: parallel coordinates',
      { explored: { a: nine, b, c: a }, results: { z: nine } },
      { kind: 'parallel', axes: ['a', 'b', 'c', 'z'], color: 'z' },
    ],
    [
      'a constant parameter is no axis',
      { explored: { x, w: x.map(() => 7) }, results: { z } },
      { kind: 'line', x: 'x' },
    ],
    [
      'only repeats: a histogram',
      { explored: { trial: [0n, 1n, 2n] }, results: { z: [1, 2, 3] } },
      { kind: 'histogram', x: 'z' },
    ],
    [
      'an array: a line for each run',
      {
        explored: { x: [1, 2] },
        results: {
          t: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      { kind: 'arrays', y: 't', color: 'x' },
    ],
    [
      'numbers before arrays',
      { explored: { x: [1, 2] }, results: { t: [[1], [2]], z: [1, 2] } },
      { kind: 'line', y: 'z' },
    ],
  ])('%s', (_, given, expected) => {
    const source = plotSource(given)
    const { choice } = choosePlot(source, source.runs, {})
    const names = Object.entries(choice).map(([role, column]) => [role, namesOf(column)])
    expect(Object.fromEntries(names)).toMatchObject(expected)
  })

  test('the parameter with the most values is the axis, others tell lines apart', () => {
    const [size, temperature] = product([8, 16], [1, 2, 3])
    const figure = figureOf({ explored: { size, temperature }, results: { m: z } }, { y: 'm' })
    expect(figure).toMatchObject({
      kind: 'line',
      x: { label: 'temperature' },
      legend: { label: 'size', names: ['8', '16'] },
    })
  })

  test('other results are told', () => {
    const { notices } = makeFigure(
      plotSource({ explored: { x }, results: { z, energy: z, name: x.map(String) } }),
      {},
    )
    expect(notices).toEqual(['other results: energy; choose one with --y'])
  })

  test('without a numeric result, the message lists the columns', () => {
    const source = plotSource({ explored: { x }, results: { name: x.map(String) } })
    expect(() => makeFigure(source, {})).toThrow(/no numeric result to draw/)
    expect(() => makeFigure(plotSource({ explored: { x }, results: {} }), {})).toThrow(/no numeric result/)
  })
})

function namesOf(column: unknown): unknown {
  if (Array.isArray(column)) return column.map(namesOf)
  return typeof column === 'object' && column !== null && 'name' in column ? column.name : column
}

describe('lines', () => {
  test('repeats give the mean and the standard deviation of a sample', () => {
    const figure = figureOf(repeated)
    if (figure.kind !== 'line') throw new Error(figure.kind)
    const [series] = figure.panels[0]?.series ?? []
    expect([...(series?.x ?? [])]).toEqual([1, 2, 4])
    expect([...(series?.y ?? [])]).toEqual([2, 3, 15])
    expect(series?.spread?.high[2]).toBeCloseTo(15 + Math.sqrt(50), 12)
    expect(figure.subtitle).toBe('6 runs · mean ± standard deviation over 2 repeats')
    expect(figure.title).toBe('job.h5 · sweep')
  })

  test('values with equal ratios get a logarithmic axis, others a linear one', () => {
    const scaleOf = (values: number[]) => {
      const figure = figureOf({ explored: { x: values }, results: { z: values } })
      return figure.kind === 'line' ? figure.x.scale.kind : figure.kind
    }
    expect(scaleOf([0.001, 0.01, 0.1, 1])).toBe('log')
    expect(scaleOf([1, 2, 4, 8])).toBe('log')
    expect(scaleOf([1, 2, 3, 4])).toBe('linear')
    expect(scaleOf([1, 10])).toBe('linear')
    expect(scaleOf([-1, -10, -100])).toBe('linear')
    // As `lr=0.001:1:log` draws them.
    expect(scaleOf(Array.from({ length: 50 }, (_, run) => 0.001 * 1000 ** ((run * 0.618) % 1)))).toBe('log')
    expect(scaleOf(Array.from({ length: 50 }, (_, run) => 0.001 + ((run * 0.618) % 1)))).toBe('linear')
  })

  test('labels have units', () => {
    const figure = figureOf({
      explored: { tau: [1, 2] },
      results: { z: [1, 2] },
      units: { tau: 'ms', z: 'mV' },
    })
    expect(figure).toMatchObject({ x: { label: 'tau (ms)' }, y: { label: 'z (mV)' } })
  })

  test('values that are not finite are left out and counted', () => {
    const figure = figureOf({
      explored: { x: [1, 2, 3, 4] },
      results: { z: [1, Number.NaN, Number.POSITIVE_INFINITY, undefined] },
    })
    expect(figure.subtitle).toBe('4 runs · 3 without a finite value left out')
  })

  test('parameters that are shown nowhere are named, because the mean goes over them', () => {
    const [a, b] = product([1, 2, 3], [10, 20])
    const figure = figureOf(
      { explored: { a, b }, results: { z } },
      { x: 'a', y: 'z', color: 'run', kind: 'scatter' },
    )
    expect(figure.subtitle).toBe('6 runs')
    const [c] = product(
      [1, 2, 3],
      Array.from({ length: 30 }, (_, run) => run),
    )
    const w = c.map((_, run) => run % 30)
    expect(figureOf({ explored: { c, w }, results: { z: w } }, { x: 'c', y: 'z' }).subtitle).toContain(
      'over w',
    )
  })

  test('large integers, booleans and texts have places on an axis', () => {
    const figure = figureOf(
      { explored: { x: [2n ** 60n, 2n ** 61n] }, results: { ok: [true, false], z: [1, 2] } },
      { y: 'ok' },
    )
    expect(figure).toMatchObject({
      kind: 'scatter',
      y: { scale: { kind: 'category', names: ['false', 'true'] } },
    })
  })
})

describe('runs', () => {
  test('only stored runs are drawn; the others are counted', () => {
    const status = ['stored', 'stored', 'failed', 'missing', 'missing', 'stored'] as const
    const figure = figureOf({ explored: { x }, results: { z }, status })
    expect(figure.subtitle).toContain('3 runs · 1 failed · 2 missing')
  })

  test('only selected runs are drawn', () => {
    expect(figureOf({ explored: { x }, results: { z }, runs: [1, 3, 5] }).subtitle).toBe('3 runs')
  })

  test('without a run there is no figure, but a reason', () => {
    const none = makeFigure(plotSource({ explored: { x }, results: { z }, runs: [] }), {})
    expect(none).toEqual({ figure: undefined, notices: ['no run is selected'] })
    const failed = makeFigure(
      plotSource({ explored: { x }, results: { z }, status: x.map(() => 'failed') }),
      {},
    )
    expect(failed).toEqual({ figure: undefined, notices: ['no run is stored: 6 failed'] })
  })
})

describe('other kinds', () => {
  test('a cell of a heatmap has the mean of its runs, or none', () => {
    const given = { explored: { a: [1, 1, 2], b: [10, 10, 20] }, results: { z: [1, 3, 5] } }
    const figure = figureOf(given, { kind: 'heatmap' })
    if (figure.kind !== 'heatmap') throw new Error(figure.kind)
    expect([...(figure.panels[0]?.cells ?? [])]).toEqual([2, Number.NaN, Number.NaN, 5])
  })

  test('every run is in one bin of a histogram', () => {
    const values = Array.from({ length: 1000 }, (_, run) => Math.sin(run))
    const figure = figureOf({ results: { z: values } }, { kind: 'histogram' })
    if (figure.kind !== 'histogram') throw new Error(figure.kind)
    expect(figure.panels[0]?.counts.reduce((sum, count) => sum + count, 0)).toBe(1000)
  })

  test('more than 20 arrays become their median with quantiles, and their mean', () => {
    const arrays = Array.from({ length: 101 }, (_, run) => [run, 2 * run])
    const figure = figureOf({ results: { trace: arrays } })
    if (figure.kind !== 'line') throw new Error(figure.kind)
    const [median, mean] = figure.panels[0]?.series ?? []
    expect([median?.y[0], median?.spread?.low[0], median?.spread?.high[0], mean?.y[1]]).toEqual([
      50, 10, 90, 100,
    ])
  })

  test('arrays of different lengths are drawn', () => {
    const figure = figureOf({ results: { trace: [[1, 2], [1, 2, 3], [4]] } })
    if (figure.kind !== 'line') throw new Error(figure.kind)
    expect(figure.panels[0]?.series.map(({ y }) => y.length)).toEqual([2, 3, 1])
  })

  test('an array may be drawn over another one', () => {
    const figure = figureOf(
      {
        results: {
          t: [
            [0, 5],
            [0, 5],
          ],
          trace: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      { x: 't', y: 'trace' },
    )
    expect(figure).toMatchObject({ kind: 'line', x: { label: 't', scale: { domain: [0, 5] } } })
  })

  test('a facet gives a panel for each value', () => {
    const figure = figureOf(
      { explored: { x, p: ['a', 'a', 'a', 'b', 'b', 'b'] }, results: { z } },
      { x: 'x', y: 'z', facet: 'p' },
    )
    expect(figure).toMatchObject({ panels: [{ name: 'p = a' }, { name: 'p = b' }] })
  })
})

describe('wrong options', () => {
  const many = Array.from({ length: 30 }, (_, run) => run)
  const given = {
    explored: { x: many, y: many },
    results: { z: many, trace: many.map((run) => [run]), name: many.map(String) },
  }
  test.each([
    [{ kind: 'pie' }, /expected one of line, scatter, heatmap, histogram, parallel, found "pie"/],
    [{ kind: 'line', color: 'y' }, /--color: y has 30 values; at most 20 colours/],
    [{ facet: 'y', x: 'x' }, /--facet: y has 30 values; at most 12 panels/],
    [{ kind: 'line', y: 'name' }, /--y: name is str; lines need numbers/],
    [{ kind: 'histogram', color: 'x' }, /a histogram has no colours/],
    [{ kind: 'histogram', x: 'z', y: 'x' }, /a histogram has one column/],
    [{ kind: 'parallel', facet: 'x' }, /parallel coordinates have no panels/],
    [{ kind: 'scatter', y: 'trace' }, /an array per run, which is drawn as lines/],
    [{ color: 'trace', x: 'x' }, /trace is an array of float64/],
    [{ y: 'trace', x: 'x' }, /the x of an array is an array/],
    [{ kind: 'heatmap', color: 'name' }, /name is str; a heatmap needs numbers/],
  ])('%o', (options, message) => {
    expect(() => figureOf(given, options)).toThrow(message)
  })

  test('a heatmap of one parameter', () => {
    expect(() => figureOf({ explored: { x }, results: { z } }, { kind: 'heatmap' })).toThrow(
      /needs two explored parameters/,
    )
  })
})
