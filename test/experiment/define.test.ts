import { expect, test } from 'vitest'
import { defineExperiment, isExperimentDefinition } from '../../src/experiment/define.ts'
import { cartesianProduct, zip } from '../../src/exploration/cartesian.ts'
import { parameter } from '../../src/run/parameter.ts'

const run = () => undefined
/** As a JavaScript user writes it, without the compiler. */
const define = defineExperiment as (options: unknown) => unknown

test('a definition keeps what was declared, frozen and recognisable', () => {
  const parameters = { x: parameter(1, { comment: 'first factor' }), neuron: { tau: 20 } }
  const exploration = cartesianProduct({ x: [1, 2], neuron: { tau: [10, 20] } })
  const definition = defineExperiment({
    name: 'multiply',
    comment: 'A product',
    parameters,
    explore: exploration,
    run,
  })
  expect(definition).toMatchObject({
    name: 'multiply',
    comment: 'A product',
    parameters,
    explore: exploration.spec,
    run,
  })
  expect(Object.isFrozen(definition)).toBe(true)
  expect(isExperimentDefinition(definition)).toBe(true)
})

test('another copy of the package recognises a definition too', () => {
  expect(isExperimentDefinition({ [Symbol.for('pypet-ts.experiment')]: true })).toBe(true)
})

test.each([run, null, undefined, {}, { parameters: {}, run }, 'experiment'])(
  '%s is no definition',
  (value) => {
    expect(isExperimentDefinition(value)).toBe(false)
  },
)

test('a bare mapping explores its ranges together', () => {
  const definition = defineExperiment({ parameters: { x: 1, y: 2 }, explore: { x: [1, 2], y: [3, 4] }, run })
  expect(definition.explore).toEqual(zip({ x: [1, 2], y: [3, 4] }).spec)
})

test('without explore and name there is none', () => {
  expect(defineExperiment({ parameters: {}, run })).toMatchObject({ explore: undefined, name: undefined })
})

test.each([
  [{ parameters: {}, run, exploration: {} }, 'PYPET_CONFIG_UNKNOWN_KEY', 'exploration'],
  [{ parameters: {}, run, coment: 'a' }, 'PYPET_CONFIG_UNKNOWN_KEY', 'coment'],
  [{ parameters: {}, run, name: 5 }, 'PYPET_CONFIG_INVALID', 'name'],
  [{ parameters: {}, run, comment: {} }, 'PYPET_CONFIG_INVALID', 'comment'],
  [{ parameters: {}, run, name: 'a/b' }, 'PYPET_NAME_ILLEGAL', 'name'],
  [{ parameters: {}, run, name: 'a.b' }, 'PYPET_NAME_ILLEGAL', 'name'],
  [{ run }, 'PYPET_CONFIG_INVALID', 'parameters'],
  [{ parameters: [1], run }, 'PYPET_CONFIG_INVALID', 'parameters'],
  [{ parameters: { x: Symbol('s') }, run }, 'PYPET_VALUE_UNSUPPORTED', 'parameters.x'],
  [{ parameters: { 'a b': 1 }, run }, 'PYPET_NAME_ILLEGAL', 'parameters.a b'],
  [{ parameters: {} }, 'PYPET_JOB_NO_FUNCTION', 'run'],
  [{ parameters: {}, run: 5 }, 'PYPET_JOB_NO_FUNCTION', 'run'],
  [{ parameters: { x: 1 }, run, explore: { x: [1], y: [1, 2] } }, 'PYPET_EXPLORATION_LENGTH', 'explore.y'],
  [{ parameters: { x: 1 }, run, explore: { x: [] } }, 'PYPET_EXPLORATION_EMPTY', 'explore.x'],
  [{ parameters: { x: 1 }, run, explore: [1, 2] }, 'PYPET_EXPLORATION_INVALID', 'explore'],
  [null, 'PYPET_CONFIG_INVALID', 'options'],
  [run, 'PYPET_CONFIG_INVALID', 'options'],
])('%j is refused with %s at %s', (options, code, where) => {
  expect(() => define(options)).toThrow(
    expect.objectContaining({ code, where, hint: expect.stringMatching(/./) }),
  )
})

test('a mistyped option is told the nearest', () => {
  expect(() => define({ parameters: {}, run, coment: 'a' })).toThrow(
    expect.objectContaining({ hint: 'Did you mean comment?' }),
  )
})
