import { describe, expect, test } from 'vitest'
import { explorationLength, explorationNames } from '../../src/exploration/exploration.ts'
import {
  flagColumn,
  parseExploreFlag,
  parseExploreFlags,
  parseSetFlag,
} from '../../src/exploration/parse-flag.ts'
import { rangeLength, rangeReader } from '../../src/exploration/range.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'
import { explorationPoint } from './exploration-point.ts'

const parameters = flattenParameters(
  { x: 1, n: integer(1), seed: 1n, on: true, kind: 'a', list: [1, 2], neuron: { tau: 20 } },
  'parameters',
)

const valuesOf = (text: string) => {
  const { range } = flagColumn(parseExploreFlag(text), parameters)
  return Array.from({ length: rangeLength(range) }, (_, index) => rangeReader(range)(index))
}

test.each([
  ['x=1,2,3', [1, 2, 3]],
  [' x = 1 , 2.5 ,-3e-2', [1, 2.5, -0.03]],
  ['parameters.x=1', [1]],
  ['x=inf,-inf,nan', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
  ['x=0:1:0.1', [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]],
  ['x=0:4', [0, 1, 2, 3]],
  ['x=3:0:-1', [3, 2, 1]],
  ['x=10,0:3,7:8:0.5', [10, 0, 1, 2, 7, 7.5]],
  ['neuron.tau=1', [1]],
  ['n=1,2', [1, 2]],
  ['n=0:30:10', [0, 10, 20]],
  ['n=1e3', [1000]],
  ['seed=1,9223372036854775807', [1n, 9223372036854775807n]],
  ['seed=5,0:2', [5n, 0n, 1n]],
  ['on=true,false,True', [true, false, true]],
  ['kind=a,b', ['a', 'b']],
  ['kind="a,b",c', ['a,b', 'c']],
  ['kind=\'a,b\' , ""', ['a,b', '']],
  ['kind="say \\"hi\\"","C:\\new"', ['say "hi"', 'C:\\new']],
  ["kind=12:30,it's", ['12:30', "it's"]],
  ['kind=a=b', ['a=b']],
])('--explore %s is read by the type of the default', (text, expected) => {
  expect(valuesOf(text)).toEqual(expected)
})

test.each([
  ['x=1,a', 'PYPET_PARAMETER_TYPE', '--explore x=1,a: x is a float64, found "a"'],
  ['x="1"', 'PYPET_PARAMETER_TYPE', 'found "1"'],
  ['x=0x10', 'PYPET_PARAMETER_TYPE', 'found "0x10"'],
  ['n=1.5', 'PYPET_PARAMETER_TYPE', 'n is an int64, found "1.5"'],
  ['n=0:1:0.5', 'PYPET_PARAMETER_TYPE', 'found 0.5'],
  ['seed=1.5', 'PYPET_PARAMETER_TYPE', 'found "1.5"'],
  ['seed=9223372036854775808', 'PYPET_PARAMETER_TYPE', 'found "9223372036854775808"'],
  ['seed=1,0:1:0.5', 'PYPET_PARAMETER_TYPE', 'found 0.5'],
  ['on=1', 'PYPET_PARAMETER_TYPE', 'on is a bool, found "1"'],
  ['list=1', 'PYPET_PARAMETER_TYPE', 'list is a list of float64, found'],
  ['list=[1],[true]', 'PYPET_PARAMETER_TYPE', 'found true at [0]'],
  ['x=[1,2]', 'PYPET_PARAMETER_TYPE', 'x is a float64, found "[1,2]"'],
  ['x=', 'PYPET_EXPLORATION_EMPTY', 'no value to explore'],
  ['x=1,,2', 'PYPET_USAGE', 'between two commas'],
  ['x=1,', 'PYPET_USAGE', 'at an end'],
  ['x', 'PYPET_USAGE', 'there is no "="'],
  ['=1', 'PYPET_USAGE', 'no name before'],
  ['kind="a', 'PYPET_USAGE', 'is not closed'],
  ['kind="a"b', 'PYPET_USAGE', 'after a closing quote'],
  ['x=0:1:0', 'PYPET_EXPLORATION_INVALID', 'a step other than 0'],
  ['x=5:0', 'PYPET_EXPLORATION_EMPTY', '5:0 (start:stop:step) holds no value'],
  ['x=0:1e300:1e-300', 'PYPET_EXPLORATION_INVALID', 'holds more values than can be counted'],
  ['x=0:1:2:3', 'PYPET_EXPLORATION_INVALID', '"0:1:2:3" is not start:stop:step'],
  ['x=a:b', 'PYPET_EXPLORATION_INVALID', '"a:b" is not start:stop:step'],
  ['x=0:', 'PYPET_EXPLORATION_INVALID', '"0:" is not start:stop:step'],
  ['x=1,0:1e9', 'PYPET_EXPLORATION_INVALID', 'too many'],
  ['tau=1', 'PYPET_PARAMETER_UNKNOWN', 'there is no parameter tau'],
  ['neuron=1', 'PYPET_PARAMETER_UNKNOWN', 'neuron is a group'],
])('--explore %s is refused with %s', (text, code, message) => {
  expect(() => parseExploreFlags([text], parameters)).toThrow(
    expect.objectContaining({
      code,
      message: expect.stringContaining(message),
      where: expect.stringMatching(/^--explore/),
      hint: expect.stringMatching(/./),
    }),
  )
})

describe('several --explore flags', () => {
  test('form a product in the given order', () => {
    const spec = parseExploreFlags(['x=1,2', 'kind=a,b,c'], parameters)
    if (spec === undefined) throw new Error('there are flags')
    expect(explorationNames(spec)).toEqual(['x', 'kind'])
    expect(explorationLength(spec)).toBe(6)
    expect(explorationPoint(spec, 4)).toEqual({ x: 2, kind: 'b' })
  })

  test('that name one parameter twice are refused', () => {
    expect(() => parseExploreFlags(['x=1,2', 'parameters.x=3'], parameters)).toThrow(
      expect.objectContaining({ code: 'PYPET_NAME_TAKEN' }),
    )
  })

  test('are no exploration when there are none', () => {
    expect(parseExploreFlags([], parameters)).toBeUndefined()
  })
})

test('steps stay steps, however many they are', () => {
  const { range } = flagColumn(parseExploreFlag('x=0:1e9'), parameters)
  expect(range.kind).toBe('arange')
  expect(rangeLength(range)).toBe(1e9)
})

test('an unknown name is told the nearest', () => {
  expect(() => parseExploreFlags(['neuron.tua=1'], parameters)).toThrow(
    expect.objectContaining({ hint: 'Did you mean neuron.tau?' }),
  )
})

test('--set keeps everything after the first equals sign', () => {
  expect(parseSetFlag('parameters.kind=a=b, c')).toEqual({
    name: 'kind',
    text: 'a=b, c',
    where: '--set parameters.kind=a=b, c',
  })
  expect(() => parseSetFlag('kind')).toThrow(expect.objectContaining({ code: 'PYPET_USAGE' }))
})
