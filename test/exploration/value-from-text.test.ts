import { expect, test } from 'vitest'
import { presetFromText, valueFromText } from '../../src/exploration/value-from-text.ts'
import { flattenParameters, type Parameter } from '../../src/run/parameter.ts'
import { dtypeOf } from '../../src/values/stored-value.ts'
import { integer } from '../../src/values/value-forms.ts'

const parameters = new Map(
  flattenParameters(
    {
      x: 1,
      n: integer(1),
      seed: 1n,
      on: true,
      kind: 'a',
      list: [1, 2],
      names: ['a'],
      flags: [true],
      counts: [1n],
      empty: [],
      kernel: new Float64Array([1, 2]),
      matrix: { data: new Float32Array(4), shape: [2, 2] },
      bytes: new Uint8Array(1),
      wide: new BigInt64Array(1),
    },
    'parameters',
  ).map((parameter) => [parameter.name, parameter]),
)
const parameterOf = (name: string) => parameters.get(name) as Parameter

test.each([
  ['x', ' 10 ', 10],
  ['n', '10', 10],
  ['n', '-0', 0],
  ['seed', '+10n', 10n],
  ['on', 'false', false],
  ['kind', ' 10 ', ' 10 '],
  ['kind', '', ''],
  ['list', '[3, 4.5, 6]', [3, 4.5, 6]],
  ['list', '[]', []],
  ['names', '["b", "ü"]', ['b', 'ü']],
  ['flags', '[false]', [false]],
  ['counts', '[5]', [5n]],
  ['empty', '["a"]', ['a']],
  ['kernel', '[1, 2, 3]', new Float64Array([1, 2, 3])],
  ['matrix', '[[1], [2], [3]]', { data: new Float32Array([1, 2, 3]), shape: [3, 1] }],
  ['bytes', '[255]', new Uint8Array([255])],
  ['wide', '[-1]', new BigInt64Array([-1n])],
])('for %s the text %j is read by its type', (name, text, expected) => {
  expect(valueFromText(text, parameterOf(name), `--set ${name}=${text}`)).toEqual(expected)
})

test.each([
  ['x', 'ten'],
  ['x', ''],
  ['n', '1.5'],
  ['n', '1e300'],
  ['seed', '1e3'],
  ['on', 'yes'],
  ['list', '1,2'],
  ['list', '["a"]'],
  ['list', '{"length": 1}'],
  ['names', '[1]'],
  ['empty', '[1, "a"]'],
  ['empty', '[null]'],
  ['kernel', '[1, "a"]'],
  ['kernel', '[1'],
  ['matrix', '[[1, 2], [3]]'],
  ['matrix', '[1, [2]]'],
  ['bytes', '[256]'],
  ['bytes', '[1.5]'],
  ['wide', '[9007199254740993]'],
  ['wide', '[1.5]'],
])('for %s the text %j is refused, naming the flag', (name, text) => {
  const where = `--set ${name}=${text}`
  expect(() => valueFromText(text, parameterOf(name), where)).toThrow(
    expect.objectContaining({
      code: 'PYPET_PARAMETER_TYPE',
      where,
      message: expect.stringContaining(`${where}: ${name} is`),
    }),
  )
})

test('text that no file can hold is refused', () => {
  const storable = expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED' })
  expect(() => valueFromText('a\0', parameterOf('kind'), '--set kind')).toThrow(storable)
  expect(() => valueFromText('["\\u0000"]', parameterOf('names'), '--set names')).toThrow(storable)
})

test.each(['x', 'n', 'seed'])('a preset %s keeps its stored type and its comment', (name) => {
  const preset = presetFromText({ ...parameterOf(name), comment: 'kept' }, '7', '--set')
  expect(preset).toMatchObject({
    name,
    comment: 'kept',
    stored: { form: 'scalar', dtype: dtypeOf(parameterOf(name).stored) },
  })
  expect(preset.value).toEqual(name === 'seed' ? 7n : 7)
})
