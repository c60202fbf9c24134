import { describe, expect, test } from 'vitest'
import { parameter } from '../../src/index.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { TrajectoryTree } from '../../src/tree/trajectory-tree.ts'
import { annotationsIn, checkUnit, isUnit, storedAnnotations } from '../../src/values/unit.ts'

test.each(['mV', '1/s', 'µm²', '°C', 'a.u.', '%', 'Ω'.repeat(32)])('%j is a unit', (unit) => {
  expect(() => checkUnit(unit, 'results.z')).not.toThrow()
  expect(isUnit(unit)).toBe(true)
})

test.each([
  ['', 'empty'],
  [' ', 'empty'],
  [3, 'a number'],
  [null, 'null'],
  [['mV'], 'an object'],
  ['x'.repeat(65), 'too long'],
  ['Ω'.repeat(33), 'too long'],
  ['m\nV', 'control characters'],
  ['m\u2028V', 'control characters'],
  ['\u001b[31m', 'control characters'],
  ['m\0', 'control characters'],
  ['\ud800', 'control characters'],
])('%j is not a unit: it is %s', (unit, found) => {
  expect(isUnit(unit)).toBe(false)
  try {
    checkUnit(unit, 'results.z')
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: 'PYPET_VALUE_UNSUPPORTED',
      where: 'the unit of results.z',
      hint: expect.stringContaining('mV'),
    })
    expect(String(error)).toContain(found)
  }
})

describe('a unit', () => {
  test('is one of the annotations', () => {
    expect(annotationsIn({}, 'z')).toBeUndefined()
    expect(annotationsIn({ unit: 'mV' }, 'z')).toEqual({ unit: 'mV' })
    expect(annotationsIn({ unit: 'mV', annotations: { by: 'me' } }, 'z')).toEqual({ by: 'me', unit: 'mV' })
    expect(annotationsIn({ unit: 'mV', annotations: { unit: 'mV' } }, 'z')).toEqual({ unit: 'mV' })
    expect(storedAnnotations({ unit: 'mV' }, 'z')).toEqual([
      { name: 'unit', value: { form: 'scalar', dtype: 'str', value: 'mV' } },
    ])
  })

  test('that is given twice, and differs, is refused', () => {
    expect(() => annotationsIn({ unit: 'mV', annotations: { unit: 'V' } }, 'results.z')).toThrow(
      expect.objectContaining({ code: 'PYPET_USAGE', where: 'results.z', hint: expect.any(String) }),
    )
  })

  test('of a parameter is checked with its place', () => {
    expect(() => flattenParameters({ neuron: { v: parameter(1, { unit: '' }) } }, 'parameters')).toThrow(
      expect.objectContaining({
        code: 'PYPET_VALUE_UNSUPPORTED',
        where: 'the unit of parameters.neuron.v',
      }),
    )
  })

  test('is an option of everything that a script adds', () => {
    const tree = new TrajectoryTree({ parameters: { v: parameter(-70, { unit: 'mV' }) } })
    tree.addParameter('x', 1, { unit: 'm' })
    tree.addDerivedParameter('d', 1, { unit: 'm²' })
    tree.addConfig('c', 1, { unit: 's' })
    tree.addResult('z', 1, { unit: 'Hz', annotations: { by: 'me' } })
    const names = ['parameters.v', 'x', 'd', 'config.c', 'results.z']
    expect(names.map((name) => tree.get(name)?.annotations)).toEqual([
      { unit: 'mV' },
      { unit: 'm' },
      { unit: 'm²' },
      { unit: 's' },
      { by: 'me', unit: 'Hz' },
    ])
    expect(() => tree.addResult('w', 1, { unit: 7 as never })).toThrow(/the unit of results\.w/)
    expect(tree.contains('results.w')).toBe(false)
  })
})
