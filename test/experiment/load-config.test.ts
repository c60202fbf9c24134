import { execFileSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { configJsonSchema, parseConfig } from '../../src/experiment/config-schema.ts'
import { loadConfig } from '../../src/experiment/load-config.ts'
import { bundleModule } from '../../src/experiment/module-bundle.ts'
import { isOptionValue } from '../../src/experiment/option.ts'
import { OPTION_NAMES, OPTIONS } from '../../src/experiment/options.ts'
import { fileTree } from './file-tree.ts'
import { refusal } from './refusal.ts'

/** Loads the config of the job `experiments/job.ts` in a folder with these files. */
async function configOf(files: Readonly<Record<string, string>>) {
  const folder = fileTree(files)
  const config = await loadConfig({ jobFile: join(folder, 'experiments/job.ts') })
  return { folder, config }
}

describe('a config file', () => {
  const JSON_TEXT = '{ "ncores": 3, "overviews": { "results": true }, "parameters": { "x": 1.5 } }'
  const YAML = 'ncores: 3\noverviews:\n  results: true\nparameters:\n  x: 1.5\n'
  const TOML = 'ncores = 3\noverviews.results = true\nparameters.x = 1.5\n'

  test.each([
    ['pypet.config.json', JSON_TEXT],
    ['pypet.config.yaml', YAML],
    ['pypet.config.yml', YAML],
    ['pypet.config.toml', TOML],
    ['pypet.config.ts', `const config: object = ${JSON_TEXT}\nexport default config`],
    ['pypet.config.mjs', `export default ${JSON_TEXT}`],
    ['pypet.config.js', `export default ${JSON_TEXT}`],
    ['pypet.config.js', `module.exports = ${JSON_TEXT}`],
    ['pypet.config.cjs', `module.exports = ${JSON_TEXT}`],
    ['.pypetrc', YAML],
    ['.pypetrc', JSON_TEXT],
    ['.pypetrc.json', JSON_TEXT],
    ['.pypetrc.toml', TOML],
    ['.pypetrc.ts', `export default ${JSON_TEXT}`],
    ['package.json', `{ "name": "lab", "pypet": ${JSON_TEXT} }`],
  ])('%s is read beside the job', async (name, text) => {
    const { folder, config } = await configOf({ [`experiments/${name}`]: text })
    expect(config).toEqual({
      file: join(folder, 'experiments', name),
      options: { ncores: 3, 'overviews.results': true },
      parameters: { x: 1.5 },
      explore: undefined,
    })
  })

  test('above the job is found; the nearest counts alone', async () => {
    const above = await configOf({ 'pypet.config.json': '{ "ncores": 2, "comment": "above" }' })
    expect(above.config?.options).toEqual({ ncores: 2, comment: 'above' })
    const nearer = await configOf({
      'pypet.config.json': '{ "ncores": 2, "comment": "above" }',
      'experiments/pypet.config.yaml': 'ncores: 3',
    })
    expect(nearer.config?.options).toEqual({ ncores: 3 })
  })

  test.each([
    ['a package.json that does not configure pypet', 'package.json', '{ "name": "lab" }'],
    ['a package.json that names pypet elsewhere', 'package.json', '{ "keywords": ["pypet"] }'],
    ['an empty file', '.pypetrc', ''],
  ])('%s is passed over', async (_, name, text) => {
    const { folder, config } = await configOf({ [`experiments/${name}`]: text, '.pypetrc': 'ncores: 2' })
    expect(config?.file).toBe(join(folder, '.pypetrc'))
  })

  test('may be absent', async () => {
    expect((await configOf({ 'experiments/job.ts': '' })).config).toBeUndefined()
  })

  test('above the home folder is not looked for', async () => {
    const file = fileTree({ 'home/job.ts': '', '.pypetrc': 'ncores: 2' })
    const script = `
      import { loadConfig } from ${JSON.stringify(await compiledLoader())}
      const config = await loadConfig({ jobFile: ${JSON.stringify(join(file, 'home/job.ts'))} })
      console.log(config === undefined ? 'none' : config.file)`
    const found = (home: string) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, HOME: home, USERPROFILE: home },
        encoding: 'utf8',
      }).trim()
    expect(found(join(file, 'home'))).toBe('none')
    expect(found(homedir())).toBe(join(file, '.pypetrc'))
  })

  test('in TypeScript may import other files and hold enums', async () => {
    const { config } = await configOf({
      'experiments/pypet.config.ts': "import { cores } from './cores.ts'\nexport default { ncores: cores }",
      'experiments/cores.ts': 'export enum Size { small = 2 }\nexport const cores: number = Size.small',
    })
    expect(config?.options.ncores).toBe(2)
  })

  test('may name its JSON Schema', async () => {
    const { config } = await configOf({
      '.pypetrc.json': '{ "$schema": "./pypet.schema.json", "ncores": 2 }',
    })
    expect(config?.options).toEqual({ ncores: 2 })
  })

  test('has paths that start in its own folder; a trailing slash stays', async () => {
    const { folder, config } = await configOf({
      'pypet.config.json': '{ "filename": "data/", "logFolder": "../logs" }',
    })
    expect(config?.options).toEqual({ filename: join(folder, 'data/'), logFolder: join(folder, '../logs') })
  })
})

describe('--config', () => {
  test('names the file exactly, and so does PYPET_CONFIG where the flag is absent', async () => {
    const folder = fileTree({
      'fast.toml': 'ncores = 4',
      'slow.json': '{ "ncores": 1 }',
      '.pypetrc': 'ncores: 2',
    })
    const jobFile = join(folder, 'job.ts')
    const env = { PYPET_CONFIG: join(folder, 'slow.json') }
    const named = await loadConfig({ jobFile, configFile: join(folder, 'fast.toml'), env })
    expect(named?.options.ncores).toBe(4)
    expect((await loadConfig({ jobFile, env }))?.options.ncores).toBe(1)
    expect((await loadConfig({ jobFile, env: { PYPET_CONFIG: '' } }))?.options.ncores).toBe(2)
  })

  test('takes an empty file as one without options', async () => {
    const folder = fileTree({ 'empty.yaml': '' })
    const config = await loadConfig({ jobFile: 'job.ts', configFile: join(folder, 'empty.yaml') })
    expect(config?.options).toEqual({})
  })

  test('refuses a file that is not there and suggests the one that is', async () => {
    const folder = fileTree({ 'pypet.config.yaml': '' })
    const configFile = join(folder, 'pypet.confg.yaml')
    const error = await refusal(() => loadConfig({ jobFile: 'job.ts', configFile }))
    expect(error.code).toBe('PYPET_CONFIG_NOT_FOUND')
    expect(error.message).toBe(`cannot read the config file ${configFile}: the file does not exist`)
    expect(error.hint).toBe(`Did you mean ${join(folder, 'pypet.config.yaml')}?`)
  })

  test('refuses a folder and an extension that is no config file', async () => {
    const folder = fileTree({ 'settings.ini': 'ncores=2' })
    const isFolder = await refusal(() => loadConfig({ jobFile: 'job.ts', configFile: folder }))
    expect(isFolder.message).toBe(`cannot read the config file ${folder}: it is not a file`)
    const ini = await refusal(() =>
      loadConfig({ jobFile: 'job.ts', configFile: join(folder, 'settings.ini') }),
    )
    expect(ini.code).toBe('PYPET_CONFIG_NOT_LOADABLE')
    expect(ini.message).toContain(join(folder, 'settings.ini'))
  })
})

describe('refused is a config file', () => {
  test.each([
    ['pypet.config.json', '{ "ncores": 2,, }', /pypet\.config\.json:1:15: /],
    ['pypet.config.yaml', 'ncores: [1', /\(|line|1/],
    ['pypet.config.toml', 'ncores = = 2', /1: {2}ncores = = 2/],
    ['pypet.config.ts', 'export default {\n  ncores: 2 +\n}', /pypet\.config\.ts:3:1: Unexpected "}"/],
    [
      'pypet.config.mjs',
      '\nthrow new Error("no licence")',
      /pypet\.config\.mjs:2:7: it threw Error: no licence/,
    ],
  ])('%s that cannot be read, with the place', async (name, text, place) => {
    const folder = fileTree({ [name]: text })
    const error = await refusal(() => loadConfig({ jobFile: join(folder, 'job.ts') }))
    expect(error.code).toBe('PYPET_CONFIG_NOT_LOADABLE')
    expect(error.message).toContain(join(folder, name))
    expect(error.message).toMatch(place)
  })

  test('module without a default export', async () => {
    const folder = fileTree({ 'pypet.config.ts': 'export const ncores = 2' })
    const error = await refusal(() => loadConfig({ jobFile: join(folder, 'job.ts') }))
    expect(error.code).toBe('PYPET_CONFIG_INVALID')
    expect(error.message).toBe(`${join(folder, 'pypet.config.ts')}: expected a default export, found none`)
  })

  test.each([
    ['ncore', { ncore: 2 }, 'Did you mean ncores?'],
    ['file', { file: 'x.h5' }, 'Did you mean filename?'],
    ['log-folder', { 'log-folder': 'x' }, 'Did you mean logFolder?'],
    ['overviews.resluts', { overviews: { resluts: true } }, 'Did you mean overviews.results?'],
    ['paramters', { paramters: {} }, 'Did you mean parameters?'],
  ])('with the unknown key %s', async (key, content, hint) => {
    const error = await refusal(() => parseConfig(content, '/lab/pypet.config.json'))
    expect(error.code).toBe('PYPET_CONFIG_UNKNOWN_KEY')
    expect(error.message).toBe(`/lab/pypet.config.json: there is no option "${key}"`)
    expect(error.hint).toBe(hint)
  })

  test.each([
    [{ ncores: 'four' }, 'ncores in F: expected a whole number >= 0, found "four"'],
    [{ ncores: -1 }, 'ncores in F: expected a whole number >= 0, found -1'],
    [{ ncores: 1.5 }, 'ncores in F: expected a whole number >= 0, found 1.5'],
    [{ complevel: 10 }, 'complevel in F: expected a whole number from 0 to 9, found 10'],
    [{ addTime: 'yes' }, 'addTime in F: expected true or false, found "yes"'],
    [{ executor: 'threads' }, 'executor in F: expected one of inline, pool, process, found "threads"'],
    [{ filename: '' }, 'filename in F: expected a path, found ""'],
    [{ comment: null }, 'comment in F: expected text, found null'],
    [{ overviews: true }, 'overviews in F: expected an object, found true'],
    [{ overviews: { results: 1 } }, 'overviews.results in F: expected true or false, found 1'],
    [{ parameters: [1] }, 'parameters in F: expected an object, found [1]'],
    [[1], 'F: expected an object of options, found [1]'],
    [() => 1, 'F: expected an object of options, found a function'],
  ])('that holds %j: %s', async (content, message) => {
    const error = await refusal(() => parseConfig(content, 'F'))
    expect(error.code).toBe('PYPET_CONFIG_INVALID')
    expect(error.message).toBe(message)
  })
})

test('the schema accepts exactly the values that flags are checked against', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.integer({ min: -1, max: 11 }),
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.constantFrom('inline', 'pool', 'debug', '', null, 1n, Number.MAX_SAFE_INTEGER + 1),
    fc.object(),
  )
  fc.assert(
    fc.property(fc.constantFrom(...OPTION_NAMES), value, (name, given) => {
      const [key = '', inner] = name.split('.')
      const content = { [key]: inner === undefined ? given : { [inner]: given } }
      let isAccepted = true
      try {
        expect(parseConfig(content, 'F').options).toEqual({ [name]: given })
      } catch {
        isAccepted = false
      }
      expect(isAccepted).toBe(isOptionValue(OPTIONS[name], given))
    }),
  )
})

test('the JSON Schema describes every option with its default, and refuses other keys', () => {
  const schema = configJsonSchema() as {
    additionalProperties: boolean
    properties: Record<string, { description?: string; properties?: object }>
  }
  expect(schema).toMatchObject({
    type: 'object',
    additionalProperties: false,
    properties: {
      ncores: { type: 'integer', minimum: 0, default: 1 },
      complevel: { type: 'integer', minimum: 0, maximum: 9, default: 0 },
      logLevel: { type: 'string', enum: ['error', 'warn', 'info', 'debug'], default: 'info' },
      overviews: { type: 'object', additionalProperties: false, properties: { results: { default: true } } },
      parameters: { type: 'object' },
    },
  })
  for (const name of OPTION_NAMES.filter((option) => !option.includes('.'))) {
    expect(schema.properties[name]?.description).toBe(OPTIONS[name].description)
  }
})

/** `load-config.ts` compiled, for processes with another environment. */
async function compiledLoader(): Promise<string> {
  const file = fileURLToPath(new URL('../../src/experiment/load-config.ts', import.meta.url))
  const bundle = await bundleModule(file, { noun: 'config file', code: 'PYPET_CONFIG_NOT_LOADABLE' })
  onTestFinished(() => bundle.dispose())
  return bundle.url
}
