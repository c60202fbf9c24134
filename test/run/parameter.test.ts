import { describe, expect, test } from 'vitest'
import { flattenParameters, type ParameterTree, parameter } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const flat = (tree: object) => flattenParameters(tree as ParameterTree, 'parameters')

describe('flattening', () => {
  test('groups become dotted names, in the order of declaration', () => {
    const tree = { z: 1, neuron: { tau: parameter(20, { comment: 'in ms' }), deep: { er: 'a' } }, a: true }
    expect(flat(tree).map(({ name, comment, value }) => [name, comment, value])).toEqual([
      ['z', '', 1],
      ['neuron.tau', 'in ms', 20],
      ['neuron.deep.er', '', 'a'],
      ['a', '', true],
    ])
  })

  test('a dotted key is a group too', () => {
    expect(flat({ 'a.b': 1, a: { c: 2 } }).map(({ name }) => name)).toEqual(['a.b', 'a.c'])
  })

  test('a job sees a marked integer as a number, the file as int64', () => {
    expect(flat({ n: integer(3), m: parameter(integer(4)) })).toMatchObject([
      { value: 3, stored: { dtype: 'int64', value: 3 } },
      { value: 4, stored: { dtype: 'int64', value: 4 } },
    ])
  })

  test('arrays with a shape are values, not groups', () => {
    const matrix = { data: Float64Array.of(1, 2), shape: [2, 1] }
    expect(flat({ matrix })).toMatchObject([{ name: 'matrix', stored: { form: 'ndarray', shape: [2, 1] } }])
  })

  test('a group may have children called data and shape', () => {
    const tree = { input: { data: 'mnist', shape: 3 }, other: { data: [1, 2], shape: 'round', more: 1 } }
    expect(flat(tree).map(({ name }) => name)).toEqual([
      'input.data',
      'input.shape',
      'other.data',
      'other.shape',
      'other.more',
    ])
  })

  test('an empty tree has no parameters', () => {
    expect(flat({})).toEqual([])
    expect(flat({ group: {} })).toEqual([])
  })
})

describe('refused', () => {
  test.each([
    [{ 'a.b': 1, a: { b: 2 } }, 'PYPET_NAME_TAKEN', 'parameters.a.b'],
    [{ a: 1, 'a.b': 2 }, 'PYPET_NAME_TAKEN', 'parameters.a'],
    [{ 'a.b.c': 1, a: { b: 2 } }, 'PYPET_NAME_TAKEN', 'parameters.a.b'],
    [{ _x: 1 }, 'PYPET_NAME_ILLEGAL', 'parameters._x'],
    [{ a: { 'b c': 1 } }, 'PYPET_NAME_ILLEGAL', 'parameters.a.b c'],
    [{ a: { $: 1 } }, 'PYPET_NAME_ILLEGAL', 'parameters.a.$'],
    [{ a: { b: undefined } }, 'PYPET_VALUE_UNSUPPORTED', 'parameters.a.b'],
    [{ a: [1, 'b'] }, 'PYPET_VALUE_UNSUPPORTED', 'parameters.a'],
    [{ a: new Map() }, 'PYPET_VALUE_UNSUPPORTED', 'parameters.a'],
    [{ a: parameter(1, { comment: 5 as never }) }, 'PYPET_VALUE_UNSUPPORTED', 'the comment of parameters.a'],
    [{ a: parameter(1, { comment: 'a\0' }) }, 'PYPET_VALUE_UNSUPPORTED', 'the comment of parameters.a'],
  ])('%o with %s at %s', (tree, code, where) => {
    expect(() => flat(tree)).toThrow(expect.objectContaining({ code, where }))
  })
})
