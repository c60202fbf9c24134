import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { resolveSettings, type SettingsLayers } from '../../src/experiment/layers.ts'
import { environmentName, OPTION_NAMES, OPTIONS, type Settings } from '../../src/experiment/options.ts'
import { describeOrigin, describePlace } from '../../src/experiment/origin.ts'
import { fileTree } from './file-tree.ts'
import { refusal } from './refusal.ts'

const BASE = { jobFile: '/lab/multiply.ts', workingDirectory: '/home/me', coreCount: 8 }

function resolve(layers: Partial<SettingsLayers> = {}) {
  return resolveSettings({ ...BASE, ...layers })
}

function settingsOf(layers: Partial<SettingsLayers> = {}): Settings {
  return resolve(layers).settings
}

test('without any layer every option has its default', () => {
  const { settings, origins } = resolve()
  expect(settings).toEqual({
    ncores: 1,
    executor: 'inline',
    multiproc: false,
    isolate: false,
    memoryLimit: 0,
    cpuCap: 100,
    memoryCap: 100,
    swapCap: 100,
    niceness: 0,
    filename: '/home/me/hdf5/multiply.h5',
    fileTitle: 'multiply',
    name: 'multiply',
    addTime: false,
    comment: '',
    logFolder: '/home/me/logs',
    logLevel: 'info',
    logging: true,
    logRuns: undefined,
    logStdout: true,
    logTransports: undefined,
    progress: 'auto',
    progressStep: 5,
    repeat: 1,
    retries: 0,
    timeout: 0,
    onError: 'continue',
    maxFailures: undefined,
    overwrite: false,
    purgeDuplicateComments: true,
    complevel: 0,
    continuable: true,
    derivedParametersPerRun: 0,
    exploredParameterOverviewInRuns: false,
    immediatePostprocessing: false,
    resultsPerRun: 0,
    provenance: true,
    provenanceMaxBytes: 4_194_304,
    requireClean: false,
    seed: 0,
    commitIntervalMs: 1000,
    readerWaitMs: 60_000,
    cntCompactBytes: 1_048_576,
    layout: 'tree',
    keepCnt: false,
    queueMaxsize: 0,
    storageService: undefined,
    useHdf5: true,
    wrapMode: 'queue',
    overviews: {
      columns: true,
      config: true,
      parameters: true,
      derivedParameters: true,
      results: true,
      exploredParameters: true,
      derivedParametersSummary: true,
      resultsSummary: true,
    },
  })
  expect(new Set(Object.values(origins).map(describeOrigin))).toEqual(new Set(['the default']))
  expect(Object.keys(origins)).toEqual(OPTION_NAMES)
})

test('the types of the settings are those of the table of options', () => {
  expectTypeOf<Settings['ncores']>().toEqualTypeOf<number>()
  expectTypeOf<Settings['executor']>().toEqualTypeOf<'inline' | 'pool' | 'process'>()
  expectTypeOf<Settings['multiproc']>().toEqualTypeOf<boolean>()
  expectTypeOf<Settings['logLevel']>().toEqualTypeOf<'error' | 'warn' | 'info' | 'debug'>()
  expectTypeOf<Settings['filename']>().toEqualTypeOf<string>()
  expectTypeOf<Settings['overviews']['results']>().toEqualTypeOf<boolean>()
})

test('the strongest layer wins: flag, environment, config file, experiment, default', () => {
  const all: Partial<SettingsLayers> = {
    flags: { comment: 'flag' },
    env: { PYPET_COMMENT: 'env' },
    config: { file: '/lab/.pypetrc', options: { comment: 'config' } },
    definition: { comment: 'experiment' },
  }
  const order = ['flags', 'env', 'config', 'definition'] as const
  const seen = order.map((_, index) => {
    const layers = Object.fromEntries(order.slice(index).map((layer) => [layer, all[layer]]))
    const { settings, origins } = resolve(layers)
    return [settings.comment, describePlace('comment', origins.comment)]
  })
  expect(seen).toEqual([
    ['flag', '--comment'],
    ['env', 'PYPET_COMMENT'],
    ['config', 'comment in /lab/.pypetrc'],
    ['experiment', 'comment in the experiment in /lab/multiply.ts'],
  ])
  expect(settingsOf().comment).toBe('')
})

test('addTime appends the time to the name, and so to the default of file and title', () => {
  const timestamp = new Date(2026, 0, 2, 3, 4, 5).getTime() / 1000
  const { name, filename, fileTitle } = settingsOf({ flags: { addTime: true }, timestamp })
  expect(name).toBe('multiply_2026_01_02_03h04m05s')
  expect({ filename, fileTitle }).toEqual({ filename: `/home/me/hdf5/${name}.h5`, fileTitle: name })
  expect(settingsOf({ flags: { addTime: false }, timestamp }).name).toBe('multiply')
})

test('a weaker layer fills what a stronger one leaves open, also inside of overviews', () => {
  const { settings } = resolve({
    flags: { ncores: '2' },
    env: { PYPET_OVERVIEWS_RESULTS: 'true' },
    config: { file: '/c', options: { ncores: 4, complevel: 9, 'overviews.config': false } },
  })
  expect(settings).toMatchObject({ ncores: 2, complevel: 9, overviews: { results: true, config: false } })
})

describe('ncores and executor', () => {
  test.each([
    [{}, 1, 'inline'],
    [{ ncores: '1' }, 1, 'inline'],
    [{ ncores: '3' }, 3, 'pool'],
    [{ ncores: 3 }, 3, 'pool'],
    [{ ncores: '0' }, 8, 'pool'],
    [{ ncores: '1', executor: 'pool' }, 1, 'pool'],
    [{ ncores: '3', executor: 'inline' }, 1, 'inline'],
  ])('%j → %i, %s', (flags, ncores, executor) => {
    expect(settingsOf({ flags })).toMatchObject({ ncores, executor })
  })
})

describe('where runs are performed', () => {
  test.each([
    [{ isolate: true }, 1, 'process'],
    [{ isolate: true, ncores: 4 }, 4, 'process'],
    [{ isolate: true, executor: 'process' }, 1, 'process'],
    [{ isolate: false, executor: 'process' }, 1, 'process'],
    [{ isolate: false, ncores: 2 }, 2, 'pool'],
    [{ memoryLimit: '500' }, 1, 'process'],
    [{ memoryLimit: '500', ncores: 2, timeout: 1 }, 2, 'process'],
    [{ memoryLimit: '0' }, 1, 'inline'],
    [{ multiproc: true }, 1, 'pool'],
    [{ multiproc: true, ncores: 3 }, 3, 'pool'],
    [{ multiproc: true, isolate: true }, 1, 'process'],
    [{ multiproc: true, memoryLimit: 100 }, 1, 'process'],
    [{ multiproc: true, executor: 'process', ncores: 2 }, 2, 'process'],
    [{ multiproc: false }, 1, 'inline'],
    [{ multiproc: false, ncores: 4 }, 1, 'inline'],
    [{ multiproc: false, ncores: 0 }, 1, 'inline'],
    [{ multiproc: false, executor: 'inline' }, 1, 'inline'],
    [{ multiproc: false, isolate: false }, 1, 'inline'],
    [{ multiproc: 'true' }, 1, 'pool'],
    [{ timeout: 1 }, 1, 'pool'],
    [{ timeout: 1, isolate: true }, 1, 'process'],
    [{ niceness: '5' }, 1, 'pool'],
    [{ niceness: '-5', isolate: true }, 1, 'process'],
    [{ niceness: '0' }, 1, 'inline'],
  ])('%j → %i, %s', (flags, ncores, executor) => {
    expect(settingsOf({ flags: flags as never })).toMatchObject({
      ncores,
      executor,
      multiproc: executor !== 'inline',
      isolate: executor === 'process',
    })
  })

  test.each([
    [{ isolate: true, executor: 'inline' }, '--isolate is true, and --executor is inline'],
    [{ isolate: true, executor: 'pool' }, '--isolate is true, and --executor is pool'],
    [{ isolate: true, multiproc: false }, '--isolate is true, and --multiproc is false'],
    [{ memoryLimit: 500, executor: 'pool' }, '--memory-limit is 500, and --executor is pool'],
    [{ memoryLimit: 500, executor: 'inline' }, '--memory-limit is 500, and --executor is inline'],
    [{ memoryLimit: 500, multiproc: false }, '--memory-limit is 500, and --multiproc is false'],
    [{ multiproc: true, executor: 'inline' }, '--multiproc is true, and --executor is inline'],
    [{ multiproc: false, executor: 'pool' }, '--multiproc is false, and --executor is pool'],
    [{ multiproc: false, executor: 'process' }, '--multiproc is false, and --executor is process'],
    [{ multiproc: false, timeout: 1 }, '--multiproc is false, and --timeout is 1'],
    [{ executor: 'inline', timeout: 1 }, '--timeout is 1, and --executor is inline'],
    [{ executor: 'inline', niceness: 3 }, '--niceness is 3, and --executor is inline'],
    [{ multiproc: false, niceness: 3 }, '--multiproc is false, and --niceness is 3'],
  ])('%j is a contradiction', async (flags, message) => {
    const error = await refusal(() => resolve({ flags: flags as never }))
    expect(error.code).toBe('PYPET_CONFIG_INVALID')
    expect(error.message).toContain(message)
    expect(error.hint).toMatch(/./)
  })

  test('a contradiction names the layers of both', async () => {
    const config = { file: '/lab/.pypetrc', options: { executor: 'pool' } }
    const error = await refusal(() => resolve({ env: { PYPET_ISOLATE: '1' }, config }))
    expect(error.message).toContain('PYPET_ISOLATE is true, and executor in /lab/.pypetrc is pool')
  })
})

describe('the file', () => {
  test.each([
    ['results.h5', '/home/me/results.h5'],
    ['data/', '/home/me/data/multiply.h5'],
    ['/abs/x.hdf5', '/abs/x.hdf5'],
    ['no-extension', '/home/me/no-extension'],
  ])('%s from /work is %s', (filename, file) => {
    expect(settingsOf({ flags: { filename } }).filename).toBe(file)
    expect(settingsOf({ env: { PYPET_FILENAME: filename } }).filename).toBe(file)
  })

  test('is named after the trajectory in a folder that exists', () => {
    const folder = fileTree({ 'data/other.h5': '' })
    const { filename } = settingsOf({ workingDirectory: folder, flags: { filename: 'data', name: 'first' } })
    expect(filename).toBe(join(folder, 'data/first.h5'))
  })

  test('has the title that is given, else the name of the trajectory', () => {
    expect(settingsOf({ flags: { name: 'first' } }).fileTitle).toBe('first')
    expect(settingsOf({ flags: { name: 'first', fileTitle: 'A title' } }).fileTitle).toBe('A title')
  })
})

describe('text becomes values', () => {
  test.each([
    ['PYPET_OVERWRITE', '1', { overwrite: true }],
    ['PYPET_OVERWRITE', 'False', { overwrite: false }],
    ['PYPET_PURGE_DUPLICATE_COMMENTS', 'false', { purgeDuplicateComments: false }],
    ['PYPET_COMMIT_INTERVAL_MS', ' 20 ', { commitIntervalMs: 20 }],
    ['PYPET_LOG_LEVEL', 'debug', { logLevel: 'debug' }],
    ['PYPET_COMMENT', ' as typed ', { comment: ' as typed ' }],
    ['PYPET_NCORES', '', { ncores: 1 }],
  ])('%s=%j', (variable, text, settings) => {
    expect(settingsOf({ env: { [variable]: text } })).toMatchObject(settings)
  })

  test('every option has an environment variable and most a flag, all different', () => {
    const flags = OPTION_NAMES.flatMap((name) => OPTIONS[name].flag ?? [])
    expect(new Set(flags).size).toBe(flags.length)
    expect(new Set(OPTION_NAMES.map(environmentName)).size).toBe(OPTION_NAMES.length)
    expect(environmentName('overviews.derivedParametersSummary')).toBe(
      'PYPET_OVERVIEWS_DERIVED_PARAMETERS_SUMMARY',
    )
  })
})

describe('refused is', () => {
  test.each([
    [{ ncores: 'four' }, '--ncores: expected a whole number >= 0, found "four"'],
    [{ ncores: '1e3' }, '--ncores: expected a whole number >= 0, found "1e3"'],
    [{ ncores: '-1' }, '--ncores: expected a whole number >= 0, found "-1"'],
    [
      { ncores: '99999999999999999999' },
      '--ncores: expected a whole number >= 0, found "99999999999999999999"',
    ],
    [{ ncores: true }, '--ncores: expected a whole number >= 0, found true'],
    [{ filename: '' }, '--file: expected a path, found ""'],
    [{ cpuCap: '0' }, '--cpu-cap: expected a number > 0 and <= 100, found "0"'],
    [{ cpuCap: '101' }, '--cpu-cap: expected a number > 0 and <= 100, found "101"'],
    [{ memoryCap: 0 }, '--memory-cap: expected a number > 0 and <= 100, found 0'],
    [{ swapCap: '-1' }, '--swap-cap: expected a number > 0 and <= 100, found "-1"'],
    [{ niceness: '20' }, '--niceness: expected a whole number from -20 to 19, found "20"'],
    [{ memoryLimit: '1.5' }, '--memory-limit: expected a whole number >= 0, found "1.5"'],
    [{ multiproc: 'yes' }, '--multiproc: expected true or false, found "yes"'],
    [{ logLevel: 'loud' }, '--log-level: expected one of error, warn, info, debug, found "loud"'],
  ])('the flag %j', async (flags, message) => {
    const error = await refusal(() => resolve({ flags }))
    expect(error).toMatchObject({ code: 'PYPET_USAGE', message })
  })

  test('the environment variable of a wrong type', async () => {
    const error = await refusal(() => resolve({ env: { PYPET_COMPLEVEL: '11' } }))
    expect(error.code).toBe('PYPET_CONFIG_INVALID')
    expect(error.message).toBe('PYPET_COMPLEVEL: expected a whole number from 0 to 9, found "11"')
  })

  test('an unknown PYPET_ variable is told of with the nearest; others and reserved ones are left alone', () => {
    expect(resolve({ env: { PYPET_NCORE: '2', PYPET_OF_ANOTHER_PROGRAM: 'x' } }).warnings).toEqual([
      'the environment variable PYPET_NCORE is ignored: there is no such option; did you mean PYPET_NCORES?',
      'the environment variable PYPET_OF_ANOTHER_PROGRAM is ignored: there is no such option',
    ])
    const env = { PYPET_CONFIG: 'x.json', PYPET_TEST_INTEROP: '1', NCORES: '2', PATH: '/bin' }
    expect(settingsOf({ env }).ncores).toBe(1)
    expect(resolve({ env }).warnings).toEqual([])
  })

  test.each([
    [{ flags: { name: 'a.b' } }, '--name: "a.b" contains a dot, which separates groups'],
    [{ flags: { name: 'a b' } }, '--name: "a b" is not a legal name'],
    [{ config: { file: '/c.json', options: { name: '_x' } } }, 'name in /c.json: "_x" is not a legal name'],
  ])('the name of a trajectory in %j', async (layers, message) => {
    const error = await refusal(() => resolve(layers))
    expect(error.code).toBe('PYPET_NAME_ILLEGAL')
    expect(error.message).toContain(message)
  })
})
