import { describe, expect, test } from 'vitest'
import { LiveRun } from '../../src/run/run.ts'
import { dtypeOf } from '../../src/values/stored-value.ts'
import { integer } from '../../src/values/value-forms.ts'

function liveRun(run = 3, lines: string[] = []) {
  return new LiveRun({
    run,
    runCount: 10,
    par: {},
    seeds: () => {
      throw new Error('no run here draws')
    },
    parts: () => {
      throw new Error('nothing is stored here')
    },
    writeLog: (level, message) => lines.push(`${level} ${message}`),
  })
}

const locations = (live: LiveRun) => live.end().map(({ location }) => location)

test('a run knows its index, its name and how many there are', () => {
  expect(liveRun()).toMatchObject({ idx: 3, name: 'run_00000003', length: 10 })
})

test('log lines carry their level', () => {
  const lines: string[] = []
  const { log } = liveRun(0, lines)
  log.error('a')
  log.warn('b')
  log.info('c')
  log.debug('d')
  expect(lines).toEqual(['error a', 'warn b', 'info c', 'debug d'])
})

describe('adding', () => {
  test('a value becomes a result with one item of its name', () => {
    const live = liveRun()
    live.addResult('sub.z', integer(4), { comment: 'four' })
    expect(live.end()).toEqual([
      {
        location: 'results.runs.run_00000003.sub.z',
        kind: 'result',
        comment: 'four',
        items: [{ name: 'z', value: { form: 'scalar', dtype: 'int64', value: 4 } }],
      },
    ])
  })

  test('a unit is an annotation, and is checked', () => {
    const live = liveRun()
    live.addResult('z', 4, { unit: 'mV' })
    live.addDerivedParameter('d', 4, { unit: 's', annotations: { by: 'me' } })
    expect(live.end().map(({ annotations }) => annotations?.map(({ name }) => name))).toEqual([
      ['unit'],
      ['by', 'unit'],
    ])
    const other = liveRun()
    expect(() => other.addResult('z', 4, { unit: '' })).toThrow(/the unit of results\.z/)
    expect(() => other.addResult('z', 4, { unit: 'mV', annotations: { unit: 'V' } })).toThrow(/two units/)
    expect(other.end()).toEqual([])
  })

  test('an object of values becomes one result with several items', () => {
    const live = liveRun()
    live.addResult('several', { a: 1, b: ['x'], c: { data: Float64Array.of(1), shape: [1, 1] } })
    const [leaf] = live.end()
    expect(leaf?.items.map(({ name, value }) => [name, value.form])).toEqual([
      ['a', 'scalar'],
      ['b', 'list'],
      ['c', 'ndarray'],
    ])
  })

  test('an array with a shape is one value', () => {
    const live = liveRun()
    live.addResult('m', { data: Float64Array.of(1, 2), shape: [2, 1] })
    expect(live.end()).toMatchObject([{ items: [{ name: 'm', value: { form: 'ndarray', shape: [2, 1] } }] }])
  })

  test('data and shape are names of items like others, unless they make an array', () => {
    const live = liveRun()
    live.addResult('r', { data: 'mnist', shape: 3 })
    live.addResult('s', { data: Float64Array.of(1), shape: 'round' })
    expect(live.end().map(({ items }) => items.map(({ name, value }) => [name, dtypeOf(value)]))).toEqual([
      [
        ['data', 'str'],
        ['shape', 'float64'],
      ],
      [
        ['data', 'float64'],
        ['shape', 'str'],
      ],
    ])
  })

  test('a derived parameter has one item called data', () => {
    const live = liveRun()
    live.addDerivedParameter('half', 0.5)
    expect(live.end()).toMatchObject([
      {
        location: 'derived_parameters.runs.run_00000003.half',
        kind: 'parameter',
        comment: '',
        items: [{ name: 'data' }],
      },
    ])
  })

  test('a $ says where the run’s name belongs, and names the item where it is last', () => {
    const live = liveRun()
    live.addResult('by.$', 1)
    live.addResult('$.z', 1)
    live.addResult('$set', 1)
    expect(live.end().map(({ location, items }) => [location, items[0]?.name])).toEqual([
      ['results.by.run_00000003', 'run'],
      ['results.run_00000003.z', 'z'],
      ['results.runs.run_00000003.run_set_00000', 'set'],
    ])
  })

  test('the same name may be a result and a derived parameter', () => {
    const live = liveRun()
    live.addResult('z', 1)
    live.addDerivedParameter('z', 1)
    expect(locations(live)).toHaveLength(2)
  })
})

describe('names that are taken', () => {
  test.each([
    ['z', 'z', 'this run already has'],
    ['$.z', '$.z', 'this run already has'],
    ['runs.$.z', 'z', 'this run already has'],
    ['a.b', 'a', 'is already a group'],
    ['a.b.c', 'a.b', 'is already a group'],
    ['a', 'a.b', 'is already a result'],
    ['a', 'a.b.c', 'is already a result'],
  ])('after %s, %s is refused', (first, second, found) => {
    const live = liveRun()
    live.addResult(first, 1)
    expect(() => live.addResult(second, 2)).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN', message: expect.stringContaining(found) }),
    )
    expect(locations(live)).toHaveLength(1)
  })

  test('the group of the run itself is not a result', () => {
    const live = liveRun()
    const taken = expect.objectContaining({ code: 'PYPET_NAME_TAKEN' })
    expect(() => live.addResult('runs.$', 1)).toThrow(taken)
    expect(() => live.addDerivedParameter('runs.$', 1)).toThrow(taken)
  })
})

describe('names of other runs', () => {
  test('no two runs can add one name, whatever they call it', () => {
    // Both would lie at results.run_00000000.run_00000001.
    for (const [run, name] of [
      [0, '$.run_00000001'],
      [1, 'run_00000000.$'],
    ] as const) {
      const live = liveRun(run)
      const refused = expect.objectContaining({ code: 'PYPET_NAME_ILLEGAL', where: `results.${name}` })
      expect(() => live.addResult(name, 1)).toThrow(refused)
      expect(live.end()).toEqual([])
    }
    const refused = expect.objectContaining({ code: 'PYPET_NAME_ILLEGAL' })
    expect(() => liveRun().addDerivedParameter('run_00000000.$', 1)).toThrow(refused)
  })
})

describe('what cannot be stored', () => {
  test.each([
    ['z', undefined, {}, 'PYPET_VALUE_UNSUPPORTED', 'results.z'],
    ['z', {}, {}, 'PYPET_VALUE_UNSUPPORTED', 'results.z'],
    ['z', { a: 1, b: undefined }, {}, 'PYPET_VALUE_UNSUPPORTED', 'results.z.b'],
    ['z', { a: { b: new Map() } }, {}, 'PYPET_VALUE_UNSUPPORTED', 'results.z.a.b'],
    ['z', { 'a.b': 1 }, {}, 'PYPET_NAME_ILLEGAL', 'results.z.a.b'],
    ['z', { _a: 1 }, {}, 'PYPET_NAME_ILLEGAL', 'results.z._a'],
    ['a..b', 1, {}, 'PYPET_NAME_ILLEGAL', 'results.a..b'],
    ['$x', 1, {}, 'PYPET_NAME_ILLEGAL', 'results.$x'],
    ['z', 1, { comment: 1.5 }, 'PYPET_VALUE_UNSUPPORTED', 'the comment of results.z'],
    ['z', 1, { comment: 'a\0' }, 'PYPET_VALUE_UNSUPPORTED', 'the comment of results.z'],
  ])('%s with %o and %o is refused and leaves nothing behind', (name, value, options, code, where) => {
    const live = liveRun()
    expect(() => live.addResult(name, value as never, options as never)).toThrow(
      expect.objectContaining({ code, where }),
    )
    expect(live.end()).toEqual([])
  })
})
