import { describe, expect, test } from 'vitest'
import { runName, runSetName } from '../../src/names.ts'
import { assertLegalName, assertNoRunName, runLocation } from '../../src/values/path.ts'

describe('names of runs', () => {
  test.each([
    [0, 'run_00000000', 'run_set_00000'],
    [999, 'run_00000999', 'run_set_00000'],
    [1000, 'run_00001000', 'run_set_00001'],
    [123_456_789, 'run_123456789', 'run_set_123456'],
  ])('run %i is %s in %s', (run, name, set) => {
    expect(runName(run)).toBe(name)
    expect(runSetName(run)).toBe(set)
  })
})

describe('where a run adds things', () => {
  test.each([
    ['z', 'results.runs.run_00000003.z'],
    ['sub.z', 'results.runs.run_00000003.sub.z'],
    ['$.sub.z', 'results.run_00000003.sub.z'],
    ['by.$', 'results.by.run_00000003'],
    ['by.$.z', 'results.by.run_00000003.z'],
    ['bucket.$set.$.z', 'results.bucket.run_set_00000.run_00000003.z'],
  ])('%s lies at %s', (name, location) => {
    expect(runLocation('results', name, 3)).toBe(location)
  })

  test('a set alone does not part the runs, so the name stays below the run', () => {
    const location = 'derived_parameters.runs.run_00001003.bucket.run_set_00001.v'
    expect(runLocation('derived_parameters', 'bucket.$set.v', 1003)).toBe(location)
  })
})

describe('legal names', () => {
  test.each([
    'x',
    'neuron.tau',
    'A-1_b',
    '9lives',
    'a'.repeat(127),
    Array(5).fill('a'.repeat(100)).join('.'),
  ])('%s is legal', (name) => {
    expect(() => assertLegalName(name, 'here')).not.toThrow()
  })

  test.each([
    ['', 'it is empty'],
    ['a..b', 'a part between dots is empty'],
    ['.a', 'a part between dots is empty'],
    ['a.', 'a part between dots is empty'],
    ['_a', '"_a" starts with "_"'],
    ['a._b', '"_b" starts with "_"'],
    ['a.$x', '"$x" is not a wildcard'],
    ['a$', 'it contains "$"'],
    ['a/b', 'it contains "/"'],
    ['a b', 'it contains " "'],
    ['tür', 'it contains "ü"'],
    ['a\n', 'it contains "\\n"'],
    ['a'.repeat(128), 'a part is longer than 127 characters'],
    [`${'a.'.repeat(256)}a`, 'it is longer than 512 characters'],
  ])('%j is refused because %s', (name, found) => {
    expect(() => assertLegalName(name, 'parameters.here')).toThrow(
      expect.objectContaining({
        code: 'PYPET_NAME_ILLEGAL',
        where: 'parameters.here',
        message: expect.stringContaining(found),
      }),
    )
  })
})

describe('names that only runs have', () => {
  test.each([
    ['run_00000001', 'run_00000001'],
    ['run_00000001.$', 'run_00000001'],
    ['$.run_00000001', 'run_00000001'],
    ['a.run_2147483647.b', 'run_2147483647'],
    ['a.run_ALL', 'run_ALL'],
    ['run_set_00000.z', 'run_set_00000'],
    ['run_set_ALL', 'run_set_ALL'],
  ])('%s is refused because of %s', (name, part) => {
    expect(() => assertNoRunName(name, 'results.here')).toThrow(
      expect.objectContaining({
        code: 'PYPET_NAME_ILLEGAL',
        where: 'results.here',
        message: expect.stringContaining(part),
        hint: expect.stringContaining('"$"'),
      }),
    )
  })

  test.each([
    '$',
    '$set.$',
    'run',
    'run_1',
    'run_0000000',
    'my_run_00000001',
    'run_00000001_b',
    'run_set_point',
  ])('%s is free', (name) => {
    expect(() => assertNoRunName(name, 'here')).not.toThrow()
  })
})
