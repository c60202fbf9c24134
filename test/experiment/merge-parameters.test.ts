import { describe, expect, test } from 'vitest'
import { mergeParameters } from '../../src/experiment/merge-parameters.ts'
import { describeOrigin } from '../../src/experiment/origin.ts'
import { parameter } from '../../src/run/parameter.ts'
import { storedUnitOf } from '../../src/values/unit.ts'
import type { ParameterValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'
import { refusal } from './refusal.ts'

const DECLARED = { x: parameter(1, { comment: 'first factor' }), n: integer(3), neuron: { tau: 20, id: 5n } }

function merge(
  declared: Parameters<typeof mergeParameters>[0]['definition'],
  given: Readonly<Record<string, unknown>> = {},
  presets: readonly string[] = [],
) {
  return mergeParameters({
    jobFile: '/lab/job.ts',
    definition: declared,
    config: { file: 'F', parameters: given },
    presets,
  })
}

/** What one parameter with this default becomes when the config file gives it that value. */
function given(preset: ParameterValue, value: unknown) {
  const [merged] = merge({ parameters: { x: preset } }, { x: value }).parameters
  return merged
}

test('config file and flags override values of the experiment; order, comments and origins are kept', () => {
  const merged = merge({ parameters: DECLARED }, { neuron: { tau: 10 }, x: 2 }, ['x=3', 'x=4'])
  expect(merged.parameters.map(({ name, value, comment }) => [name, value, comment])).toEqual([
    ['x', 4, 'first factor'],
    ['n', 3, ''],
    ['neuron.tau', 10, ''],
    ['neuron.id', 5n, ''],
  ])
  expect([...merged.origins].map(([name, origin]) => [name, describeOrigin(origin)])).toEqual([
    ['x', '--set x=4'],
    ['n', 'the experiment in /lab/job.ts'],
    ['neuron.tau', 'F'],
    ['neuron.id', 'the experiment in /lab/job.ts'],
  ])
})

test('a config file keeps the unit of a parameter, or gives it another', () => {
  const declared = { parameters: { x: parameter(1, { unit: 'mV' }), y: parameter(1, { unit: 'mV' }), z: 1 } }
  const given = { x: 2, y: { $value: 3, $unit: 'V' }, z: { $value: 4, $unit: 's' } }
  const { parameters } = merge(declared, given, ['x=5'])
  expect(parameters.map(({ value, annotations }) => [value, storedUnitOf(annotations)])).toEqual([
    [5, 'mV'],
    [3, 'V'],
    [4, 's'],
  ])
})

test.each(['', 3, null, 'x'.repeat(65), 'm\nV'])('a config file cannot give the unit %j', async (unit) => {
  expect(await refusal(() => merge(undefined, { x: { $value: 1, $unit: unit } }))).toMatchObject({
    code: 'PYPET_CONFIG_INVALID',
    where: 'F: parameters.x.$unit',
  })
})

test('a bare function has the parameters that the config file declares, with comments and types', () => {
  const { parameters } = merge(
    undefined,
    {
      x: { $value: 1, $comment: 'first factor' },
      neuron: { n: { $value: 3, $type: 'integer' }, id: { $value: '9007199254740993', $type: 'bigint' } },
      matrix: { data: [1, 2], shape: [1, 2] },
      input: { data: 'mnist', shape: { $value: 3, $type: 'integer' } },
      declared: parameter('text', { comment: 'from a module' }),
    },
    ['neuron.n=4'],
  )
  expect(parameters).toMatchObject([
    { name: 'x', value: 1, comment: 'first factor', stored: { dtype: 'float64' } },
    { name: 'neuron.n', value: 4, stored: { dtype: 'int64' } },
    { name: 'neuron.id', value: 9007199254740993n, stored: { dtype: 'int64' } },
    { name: 'matrix', stored: { form: 'ndarray', dtype: 'float64', shape: [1, 2] } },
    { name: 'input.data', value: 'mnist' },
    { name: 'input.shape', value: 3, stored: { dtype: 'int64' } },
    { name: 'declared', value: 'text', comment: 'from a module' },
  ])
})

test('a comment in the config file replaces that of the experiment', () => {
  const { parameters } = merge({ parameters: DECLARED }, { x: { $value: 2, $comment: 'mine' } })
  expect(parameters[0]).toMatchObject({ value: 2, comment: 'mine' })
})

describe('a value of the same type is accepted, and one that is the same without loss', () => {
  test.each<[string, ParameterValue, unknown, unknown, string]>([
    ['number', 1, 2.5, 2.5, 'float64'],
    ['integer', integer(1), 2, 2, 'int64'],
    ['bigint', 1n, 2, 2n, 'int64'],
    ['bigint', 1n, 2n ** 60n, 2n ** 60n, 'int64'],
    ['boolean', true, false, false, 'bool'],
    ['string', 'a', 'b', 'b', 'str'],
    ['list', [1, 2], [3], [3], 'float64'],
    ['list of bigints', [1n], [2, 3], [2n, 3n], 'int64'],
    ['empty list', [], ['a'], ['a'], 'str'],
    ['list', ['a'], [], [], 'float64'],
    ['typed array', Float32Array.of(1), [0.1, 2], Float32Array.of(0.1, 2), 'float32'],
    ['typed array', Uint8Array.of(1), [0, 255], Uint8Array.of(0, 255), 'uint8'],
    ['typed array', BigInt64Array.of(1n), [7], BigInt64Array.of(7n), 'int64'],
  ])('%s %o ← %o', (_, preset, value, expected, dtype) => {
    expect(given(preset, value)).toMatchObject({ value: expected, stored: { dtype } })
  })

  test.each<[ParameterValue, unknown, unknown, string]>([
    [[[1, 2]], [[3], [4]], [[3], [4]], 'float64'],
    [[[integer(1)]], [[2, 3]], [[2, 3]], 'int64'],
    [[[1n]], [[2, 3]], [[2n, 3n]], 'int64'],
    [[[true]], [[false, true]], [[false, true]], 'bool'],
    [[['a']], [['b', 'c']], [['b', 'c']], 'str'],
  ])('a list of lists %o ← %j, from a config file and from --set', (preset, value, expected, dtype) => {
    const text = `x=${JSON.stringify(value)}`
    const [fromFlag] = merge({ parameters: { x: preset } }, undefined, [text]).parameters
    for (const parameter of [given(preset, value), fromFlag]) {
      expect(parameter).toMatchObject({ value: expected, stored: { form: 'ndarray', dtype, isNested: true } })
    }
  })

  test('a matrix of JSON takes the element type of the default, as a list of lists too', () => {
    const preset = { data: Int16Array.of(1, 2), shape: [2, 1] }
    expect(given(preset, [[3, 4]])?.value).toEqual({ data: Int16Array.of(3, 4), shape: [1, 2] })
  })

  test('a matrix from JSON takes the element type of the default', () => {
    const preset = { data: Int16Array.of(1, 2), shape: [2, 1] }
    const merged = given(preset, { data: [3, 4, 5, 6], shape: [2, 2] })
    expect(merged?.value).toEqual({ data: Int16Array.of(3, 4, 5, 6), shape: [2, 2] })
    expect(merged?.stored).toMatchObject({ form: 'ndarray', dtype: 'int16', shape: [2, 2] })
  })
})

describe('refused is', () => {
  test.each<[ParameterValue, unknown, string]>([
    [1, '2', 'a number, found a string'],
    [1, true, 'a number, found a boolean'],
    [1, [1], 'a number, found a list of float64'],
    [integer(1), 1.5, 'an integer, found a number'],
    [1n, 1.5, 'a bigint, found a number'],
    ['a', 1, 'a string, found a number'],
    [[1], ['a'], 'a list of float64, found a list of str'],
    [Uint8Array.of(1), [256], 'a uint8 array [1], found a list of float64'],
    [Uint8Array.of(1), 1, 'a uint8 array [1], found a number'],
    [[[1]], [['a']], 'a float64 array [1, 1], found a str array [1, 1]'],
    [[[integer(1)]], [[1.5]], 'an int64 array [1, 1], found a float64 array [1, 1]'],
    [[[1]], [1], 'a float64 array [1, 1], found a list of float64'],
  ])('for the default %o the value %o', async (preset, value, types) => {
    const error = await refusal(() => given(preset, value))
    expect(error.code).toBe('PYPET_PARAMETER_TYPE')
    expect(error.message).toBe(`F: parameters.x: expected a value of the type of x, ${types}`)
  })

  test.each([
    [{ tau: 1 }, [], 'F: parameters.tau: there is no parameter tau', 'neuron.tau'],
    [{ nueron: { tau: 1 } }, [], 'F: parameters.nueron.tau: there is no parameter nueron.tau', 'neuron.tau'],
    [{}, ['tau=1'], '--set tau=1: there is no parameter tau', 'neuron.tau'],
  ])('an unknown name in %j %j', async (config, presets, message, nearest) => {
    const error = await refusal(() => merge({ parameters: DECLARED }, config, presets))
    expect(error.code).toBe('PYPET_PARAMETER_UNKNOWN')
    expect(error.message).toBe(message)
    expect(error.hint).toContain(nearest)
  })

  test.each([
    [{ x: { $value: 1, $coment: 'a' } }, 'F: parameters.x: unknown key "$coment" next to $value'],
    [{ x: { $value: 1, $comment: 2 } }, 'F: parameters.x.$comment: expected text, found 2'],
    [
      { x: { $value: 1, $type: 'int' } },
      'F: parameters.x.$type: expected "integer" or "bigint", found "int"',
    ],
    [{ x: { $value: 1.5, $type: 'integer' } }, 'F: parameters.x.$value: expected a whole number up to 2^53'],
    [{ x: { $value: '0x', $type: 'bigint' } }, 'F: parameters.x.$value: expected a whole number, or text'],
    [{ a: { b: undefined } }, 'F: parameters.a.b cannot be stored: found undefined'],
    [
      { a: { b: [[1, 2], [3]] } },
      'F: parameters.a.b[1] cannot be stored: found a row of 1, where others have 2',
    ],
    [{ a: new Map() }, 'F: parameters.a cannot be stored: found an instance of Map'],
    [{ 'a b': 1 }, 'F: parameters.a b: "a b" is not a legal name'],
  ])('the declaration %j', async (config, message) => {
    const error = await refusal(() => merge(undefined, config))
    expect(error.message).toContain(message)
  })
})
