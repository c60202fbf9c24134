import { expect, test } from 'vitest'
import { conditionFromText, formulaFromText } from '../../src/exploration/expression.ts'
import { flattenParameters, type Parameter } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const parameters = flattenParameters(
  {
    x: 2,
    y: 3,
    n: integer(4),
    big: 5n,
    mode: 'fast',
    on: true,
    list: [1],
    limit: 10,
    neuron: { tau: 20, 'a-b': 7 },
  },
  'parameters',
)
const explored = ['x', 'y', 'n', 'big', 'mode', 'on', 'neuron.tau']
const point = { x: 0.5, y: 3, n: 4, big: 5n, mode: 'slow', on: false, 'neuron.tau': 15 }
const context = { parameters, explored, hidden: ['hidden'], where: '--where' }
const of = (name: string) => parameters.find((parameter) => parameter.name === name) as Parameter

test.each([
  ['x < y', true],
  ['x >= y', false],
  ['x + 1 < y && mode == "slow"', true],
  ["mode == 'fast' || on", false],
  ['mode in ["fast", "slow"] && x in [0.5, 2]', true],
  ['x in []', false],
  ['!on', true],
  ['!(x > 1) && !(y > 5)', true],
  ['0 < x && x < 1', true],
  ['mode != "fast"', true],
  ['mode < "t"', true],
  ['on == false', true],
  ['(on ? x : y) == 3', true],
  ['n % 3 == 1', true],
  ['2 ** 3 ** 2 == 512', true],
  ['-(y ** 2) == -9 && (-y) ** 2 == 9 && -pow(y, 2) == -9', true],
  ['2 ** (-1) == 0.5 && 2 ** -1 == 0.5 && 2 ** -(y) == 0.125', true],
  ['-x + 1 == 0.5', true],
  ['+x == 5e-1', true],
  ['6 / 4 * 2 - 1 == 2', true],
  ['big * 2 == 10', true],
  ['x < limit', true],
  ['neuron.tau == 15 && parameters.neuron.tau < 16', true],
  ['`neuron.a-b` == 7', true],
  ['abs(-3) == 3 && max(1, x, 2) == 2 && min(x) == 0.5 && pow(2, 3) == 8', true],
  ['round(2.5) + floor(2.5) + ceil(2.5) + trunc(-2.5) + sign(-2) == 5', true],
  ['sqrt(16) + log2(8) + log10(100) == 9 && exp(0) == 1 && log(1) == 0', true],
  ['cos(pi) == -1 && sin(0) == 0 && tan(0) == 0', true],
  ['x < Infinity', true],
  ['"a" + mode == "aslow"', true],
])('the condition %s is %s', (text, expected) => {
  expect(conditionFromText(text, context).call(point)).toBe(expected)
})

test.each([
  ['x * 2', 'y', 1],
  ['n + 1', 'n', 5],
  ['n + 1', 'big', 5],
  ['mode == "slow" ? "s" : "f"', 'mode', 's'],
  ['x > 0', 'on', true],
])('the formula %s gives %s the value %j', (text, name, expected) => {
  expect(formulaFromText(text, of(name), context).call(point)).toBe(expected)
})

test.each([
  ['', 'PYPET_EXPLORATION_INVALID', 'the expression is empty at position 1', 'x < y'],
  ['x <', 'PYPET_EXPLORATION_INVALID', 'at position 4', 'Write numbers'],
  ['(x < 1', 'PYPET_EXPLORATION_INVALID', 'unclosed ( at position 7', 'Write numbers'],
  ['mode == "slow', 'PYPET_EXPLORATION_INVALID', 'unclosed quote', 'Write numbers'],
  ['`x < 1', 'PYPET_EXPLORATION_INVALID', 'unclosed ` at position 1', 'Write numbers'],
  ['x = 1', 'PYPET_EXPLORATION_INVALID', 'at position 3', 'write =='],
  ['x < 1 and y > 2', 'PYPET_EXPLORATION_INVALID', 'a second expression begins at position 7', '&& for and'],
  ['x < 1 y > 2', 'PYPET_EXPLORATION_INVALID', 'position 7', '&& or ||'],
  ['x', 'PYPET_EXPLORATION_INVALID', 'found a number where a condition is expected', 'Compare'],
  [
    'x && y',
    'PYPET_EXPLORATION_INVALID',
    '&& takes true or false here, found a number at position 1',
    'x != 0',
  ],
  ['x < mode', 'PYPET_EXPLORATION_INVALID', '< takes a number here, found a text at position 5', 'number'],
  ['x == "a"', 'PYPET_EXPLORATION_INVALID', 'at position 6', 'number'],
  ['0 < x < 1', 'PYPET_EXPLORATION_INVALID', 'found true or false before <', '0 < x && x < 1'],
  [
    'mode * 2 > 1',
    'PYPET_EXPLORATION_INVALID',
    '* takes a number here, found a text at position 1',
    'number',
  ],
  [
    '0 > -x ** 2',
    'PYPET_EXPLORATION_INVALID',
    '-x ** is ambiguous at position 8',
    'Write -(x ** …) or (-x) ** …',
  ],
  ['-(x) ** 2 < 0', 'PYPET_EXPLORATION_INVALID', '-(x) ** is ambiguous', '(-(x)) ** …'],
  ['2 ** -neuron.tau**2 < 0', 'PYPET_EXPLORATION_INVALID', 'at position 17', '-(neuron.tau ** …)'],
  ['!on ** 2 == 1', 'PYPET_EXPLORATION_INVALID', '!on ** is ambiguous', '(!on) ** …'],
  ['x & 1', 'PYPET_EXPLORATION_INVALID', 'the operator & is not supported', '&&'],
  ['~x == 1', 'PYPET_EXPLORATION_INVALID', 'the operator ~ is not supported', 'Use - or'],
  ['on ? 1 : "a"', 'PYPET_EXPLORATION_INVALID', 'found a text at position 10', 'number'],
  ['abs(x, y) > 1', 'PYPET_EXPLORATION_INVALID', 'abs takes one number, found 2 at position 1', 'commas'],
  ['max() > 1', 'PYPET_EXPLORATION_INVALID', 'max takes numbers, found 0', 'commas'],
  ['sqr(x) > 1', 'PYPET_EXPLORATION_INVALID', 'there is no function sqr at position 1', 'sqrt'],
  ['eval("1") > 1', 'PYPET_EXPLORATION_INVALID', 'there is no function eval', 'Available'],
  ['x.constructor("1")', 'PYPET_EXPLORATION_INVALID', 'a method call at position 1', 'abs(x)'],
  ['Math.abs(x) > 1', 'PYPET_EXPLORATION_INVALID', 'a method call', 'abs(x)'],
  ['mode["length"] > 1', 'PYPET_EXPLORATION_INVALID', 'a member in brackets', 'dots'],
  ['this == 1', 'PYPET_EXPLORATION_INVALID', '"this" is not supported', 'Remove'],
  ['[x] == 1', 'PYPET_EXPLORATION_INVALID', 'a list is not supported at position 1', 'Remove'],
  [
    'x == null',
    'PYPET_EXPLORATION_INVALID',
    'null cannot be the value of a parameter at position 6',
    'true or false',
  ],
  ['xx < 1', 'PYPET_PARAMETER_UNKNOWN', 'there is no parameter xx at position 1', 'Did you mean x?'],
  ['1 < x + tau', 'PYPET_PARAMETER_UNKNOWN', 'no parameter tau at position 9', 'Did you mean neuron.tau?'],
  ['mode == slow', 'PYPET_PARAMETER_UNKNOWN', 'no parameter slow at position 9', 'quotes'],
  ['mode.length > 1', 'PYPET_PARAMETER_UNKNOWN', 'no parameter mode.length at position 1', ''],
  ['__proto__ == 1', 'PYPET_PARAMETER_UNKNOWN', 'no parameter __proto__', ''],
  ['list == 1', 'PYPET_EXPLORATION_INVALID', 'list is not a single value at position 1', 'Compare'],
])('the condition %j is refused with %s', (text, code, message, hint) => {
  expect(() => conditionFromText(text, context)).toThrow(
    expect.objectContaining({
      code,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
      where: '--where',
    }),
  )
})

test('only the names that are written are looked at', () => {
  expect(conditionFromText('on ? abs(-x) < 1 : mode == "a" && parameters.n > 1', context).reads).toEqual([
    'on',
    'x',
    'mode',
    'n',
  ])
})

test('what is being defined cannot be named', () => {
  expect(() => conditionFromText('x < y', { ...context, hidden: ['y'] })).toThrow(
    'y is not known here yet: at position 5',
  )
})

test('a formula of another type than its parameter is refused', () => {
  expect(() => formulaFromText('x < 1', of('y'), context)).toThrow(
    expect.objectContaining({
      code: 'PYPET_PARAMETER_TYPE',
      message: expect.stringContaining('y is a float64'),
    }),
  )
})

test('an integer that no double holds is refused rather than rounded', () => {
  const { call } = conditionFromText('big > 1', context)
  expect(() => call({ ...point, big: 2n ** 60n })).toThrow('too large to compute with')
})
