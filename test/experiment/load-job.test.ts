import { fork } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ModuleAddress } from '../../src/experiment/import-module.ts'
import { nameFromJobFile } from '../../src/experiment/job-file.ts'
import { bundleJob } from '../../src/experiment/job-source.ts'
import { bundleModule, hasRenamedClass } from '../../src/experiment/module-bundle.ts'
import { fileTree } from './file-tree.ts'
import { load, resultOf, TRAJ } from './loaded-job.ts'
import { refusal } from './refusal.ts'

test('classes have the names of their sources: beside others of the name, and where they refer to themselves', async () => {
  const other = 'export class Spectrum { static load() {} static text = "other" }'
  const own = `import { Spectrum as Other } from './other.ts'
    export class Spectrum { static first = new Spectrum(); static load() { return Spectrum.first } }
    export class _Spectrum { static load() {} }
    export class Vec3 { static load() {} }
    export default () => [Other, Spectrum, _Spectrum, Vec3].map(({ name }) => name)`
  const names = await resultOf({ 'job.ts': own, 'other.ts': other }, 'job.ts')
  expect(names).toEqual(['Spectrum', 'Spectrum', '_Spectrum', 'Vec3'])
})

test('names are kept only where a class has got another one', () => {
  const bundles = [
    'class Vec3 {}\nclass Vec4 {}',
    'class Spectrum {}\nvar s = new Spectrum()',
    'class _Own {}',
  ]
  expect(bundles.map(hasRenamedClass)).toEqual([false, false, false])
  const renamed = [
    'class A {}\nclass A2 {}',
    'var A = class {}\nvar A2 = class {}',
    'var S = class _S {}',
    'class Vec3 {}\nclass Vec32 {}',
  ]
  expect(renamed.map(hasRenamedClass)).toEqual([true, true, true, true])
})

describe('a job loads', () => {
  const esm = 'export default () => 42'
  const commonJs = 'module.exports = () => 42'

  test.each([
    ['job.ts', 'const answer: number = 42\nexport default (): number => answer'],
    ['job.mts', 'const answer: number = 42\nexport default (): number => answer'],
    ['job.cts', 'const answer: number = 42\nexport = () => answer'],
    ['job.js', esm],
    ['job.js', commonJs],
    ['job.mjs', esm],
    ['job.cjs', commonJs],
  ])('from %s: %j', async (file, text) => {
    expect(await resultOf({ [file]: text }, file)).toBe(42)
  })

  test.each([
    ['the export named job', 'job.ts', 'export const job = () => 42'],
    [
      'the default export before the one named job',
      'job.ts',
      'export default () => 42\nexport const job = () => 1',
    ],
    [
      'the export named job when the default is no function',
      'job.ts',
      'export default 1\nexport const job = () => 42',
    ],
    ['exports.job', 'job.cjs', 'exports.job = () => 42'],
    [
      'exports.default of compiled TypeScript',
      'job.cjs',
      'exports.__esModule = true\nexports.default = () => 42',
    ],
    ['an async function', 'job.ts', 'export default async () => 42'],
  ])('whose function is %s', async (_, file, text) => {
    expect(await resultOf({ [file]: text }, file)).toBe(42)
  })

  test('that is an experiment, with its definition', async () => {
    const text = `import { defineExperiment } from 'pypet-ts'
      export default defineExperiment({ name: 'answer', parameters: { x: 1 }, run: () => 42 })`
    const job = await load(join(fileTree({ 'job.ts': text }), 'job.ts'))
    expect(job.definition).toMatchObject({ name: 'answer', parameters: { x: 1 } })
    expect(job.run(TRAJ)).toBe(42)
  })
})

describe('a job may use', () => {
  test('enums, also those of another file', async () => {
    const files = {
      'colour.ts': 'export enum Colour { red = 3, green }',
      'job.ts': "import { Colour } from './colour.ts'\nexport default () => [Colour.green, Colour[3]]",
    }
    expect(await resultOf(files, 'job.ts')).toEqual([4, 'red'])
  })

  test('the paths of the tsconfig above it', async () => {
    const files = {
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@model/*": ["./model/*"] } } }',
      'model/neuron.ts': 'export const tau = 20',
      'jobs/job.ts': "import { tau } from '@model/neuron'\nexport default () => tau",
    }
    expect(await resultOf(files, 'jobs/job.ts')).toBe(20)
  })

  test('decorators of the standard and of experimentalDecorators', async () => {
    const standard = `
      function doubled(method: (x: number) => number, _: ClassMethodDecoratorContext) {
        return function (this: unknown, x: number) { return 2 * method.call(this, x) }
      }
      class Model { @doubled rate(x: number) { return x + 1 } }
      export default () => new Model().rate(1)`
    expect(await resultOf({ 'job.ts': standard }, 'job.ts')).toBe(4)
    const experimental = `
      function doubled(_: object, __: string, descriptor: PropertyDescriptor) {
        const method = descriptor.value
        descriptor.value = (x: number) => 2 * method(x)
      }
      class Model { @doubled rate(x: number) { return x + 1 } }
      export default () => [new Model().rate(1), __dirname === import.meta.dirname]`
    const tsconfig = '{ "compilerOptions": { "experimentalDecorators": true } }'
    expect(await resultOf({ 'job.ts': experimental, 'tsconfig.json': tsconfig }, 'job.ts')).toEqual([4, true])
  })

  test('require, __dirname and __filename in CommonJS, each true in its own file', async () => {
    const text = 'require("node:path").basename(__dirname) + " " + require("path").basename(__filename)'
    const files = {
      'inner/part.cjs': `exports.place = ${text}`,
      'job.cjs': `const { place } = require('./inner/part.cjs')\nmodule.exports = () => [place, ${text}, __dirname]`,
    }
    const folder = fileTree(files)
    const { run } = await load(join(folder, 'job.cjs'))
    const name = folder.split('/').at(-1)
    expect(run(TRAJ)).toEqual(['inner part.cjs', `${name} job.cjs`, folder])
  })

  test('import.meta, true in each source file, also in one that starts with #!', async () => {
    const ask = '[import.meta.url, import.meta.dirname, import.meta.filename]'
    const folder = fileTree({
      'inner/part.ts': `const { url } = import.meta\nexport const place = ${ask}\nexport { url }`,
      'job.ts': `#!/usr/bin/env node
        import { place, url } from './inner/part.ts'
        export default () => [place, ${ask}, url, import.meta.resolve('./inner/part.ts')]`,
    })
    const { run } = await load(join(folder, 'job.ts'))
    const [job, part] = [join(folder, 'job.ts'), join(folder, 'inner/part.ts')]
    const partUrl = pathToFileURL(part).href
    expect(run(TRAJ)).toEqual([
      [partUrl, join(folder, 'inner'), part],
      [pathToFileURL(job).href, folder, job],
      partUrl,
      partUrl,
    ])
  })

  test('files beside it, found by import.meta.url', async () => {
    const text = `import { readFileSync } from 'node:fs'
      export default () => readFileSync(new URL('./data.txt', import.meta.url), 'utf8')`
    expect(await resultOf({ 'job.ts': text, 'data.txt': 'spikes' }, 'job.ts')).toBe('spikes')
  })

  test('JSON imports, with and without the attribute', async () => {
    const text = `import plain from './model.json'
      import marked from './model.json' with { type: 'json' }
      export default () => [plain.tau, marked.tau]`
    expect(await resultOf({ 'job.ts': text, 'model.json': '{ "tau": 20 }' }, 'job.ts')).toEqual([20, 20])
  })

  test('top-level await and dynamic import of its own files', async () => {
    const files = {
      'part.ts': 'export const tau = await Promise.resolve(20)',
      'job.ts':
        "const { tau } = await import('./part.ts')\nexport default async () => tau + (await import('./part.ts')).tau",
    }
    expect(await resultOf(files, 'job.ts')).toBe(40)
  })

  test('the builtins of Node, with and without node:', async () => {
    const text =
      "import { sep } from 'node:path'\nimport { EOL } from 'os'\nexport default () => [sep, EOL].length"
    expect(await resultOf({ 'job.ts': text }, 'job.ts')).toBe(2)
  })
})

describe('a stack', () => {
  const FILES = {
    'model.ts':
      'interface Wide {\n  x: number\n}\n\nexport function fail(): never {\n  throw new Error("no spikes")\n}\n',
    'job.ts': "import { fail } from './model.ts'\nenum E { a }\nexport default () => {\n  return fail()\n}\n",
  }

  test.each([
    ['the main process', runInProcess],
    ['a thread', runInThread],
  ])('points into the source files in %s', async (_, runIn) => {
    const folder = fileTree(FILES)
    await using bundle = await bundleJob(join(folder, 'job.ts'))
    const { stack } = await runIn(bundle)
    expect(stack).toContain(`${join(folder, 'model.ts')}:6:9`)
    expect(stack).toContain(`${join(folder, 'job.ts')}:4:10`)
  })
})

describe('the bundle', () => {
  test('runs in a thread, which is sent a clone of it', async () => {
    await using bundle = await bundleJob(
      join(fileTree({ 'job.ts': 'export default async () => 42' }), 'job.ts'),
    )
    expect(structuredClone(bundle)).toEqual({ url: bundle.url, file: bundle.file })
    expect(await runInThread(bundle)).toEqual({ result: 42 })
  })

  test('is in a folder that only its owner can read, and gone after dispose', async () => {
    const bundle = await bundleJob(join(fileTree({ 'job.ts': 'export default () => 42' }), 'job.ts'))
    const folder = fileURLToPath(new URL('.', bundle.url))
    expect(statSync(folder).mode & 0o077).toBe(0)
    await bundle.dispose()
    expect(existsSync(folder)).toBe(false)
    await bundle.dispose()
  })

  test('leaves nothing beside the job', async () => {
    const folder = fileTree({ 'job.ts': 'export default () => 42' })
    await load(join(folder, 'job.ts'))
    expect(readdirSync(folder)).toEqual(['job.ts'])
  })
})

describe('refused is', () => {
  test.each([
    ['job', 'the file does not exist', 'job.ts'],
    ['jbo.ts', 'the file does not exist', 'job.ts'],
    ['jobs', 'it is a folder', 'jobs/job.mjs'],
  ])('%s, because %s; %s is suggested', async (name, found, meant) => {
    const folder = fileTree({ 'job.ts': '', 'data.csv': '', 'jobs/a.ts': '', 'jobs/job.mjs': '' })
    const error = await refusal(() => load(join(folder, name)))
    expect(error.code).toBe('PYPET_JOB_NOT_FOUND')
    expect(error.message).toBe(`cannot load the job ${join(folder, name)}: ${found}`)
    expect(error.hint).toBe(`Did you mean ${join(folder, meant)}?`)
  })

  test.each([
    ['data.csv', 'it has the extension .csv'],
    ['Makefile', 'it has no extension'],
    ['nowhere/far.ts', 'the file does not exist'],
  ])('%s, because %s; the extensions are listed', async (name, found) => {
    const folder = fileTree({ 'data.csv': '', Makefile: '' })
    const error = await refusal(() => load(join(folder, name)))
    expect(error.code).toBe('PYPET_JOB_NOT_FOUND')
    expect(error.message).toContain(found)
    expect(error.hint).toContain('.ts, .mts, .cts, .js, .mjs, .cjs')
  })

  test('a syntax error, with file, line, column in characters, and the line', async () => {
    const folder = fileTree({ 'job.ts': "import './part.ts'", 'part.ts': "\n\nconst rate = ('größe' + }\n" })
    const error = await refusal(() => load(join(folder, 'job.ts')))
    expect(error.code).toBe('PYPET_JOB_NOT_LOADABLE')
    const place = `${join(folder, 'part.ts')}:3:25`
    expect(error.where).toBe(place)
    expect(error.message).toBe(
      [
        `cannot load the job ${place}: Unexpected "}"`,
        "  3 | const rate = ('größe' + }",
        `${' '.repeat('  3 | '.length + 24)}^`,
      ].join('\n'),
    )
  })

  test('a module that throws, with the line that threw and the cause', async () => {
    const folder = fileTree({
      'job.ts': "import { check } from './part.ts'\ncheck(1)\nexport default () => 1",
      'part.ts': 'type T = 1\n\nexport const check = (x: number) => {\n  throw new RangeError("bad " + x)\n}',
    })
    const error = await refusal(() => load(join(folder, 'job.ts')))
    expect(error.code).toBe('PYPET_JOB_NOT_LOADABLE')
    expect(error.where).toBe(`${join(folder, 'part.ts')}:4:9`)
    expect(error.message).toContain('it threw RangeError: bad 1')
    expect(error.cause).toBeInstanceOf(Error)
  })

  test('an experiment that is refused, with the reason, its code and the line', async () => {
    const text =
      "import { defineExperiment } from 'pypet-ts'\n\nexport default defineExperiment({ parametres: {} })"
    const folder = fileTree({ 'job.ts': text })
    const error = await refusal(() => load(join(folder, 'job.ts')))
    expect(error.code).toBe('PYPET_CONFIG_UNKNOWN_KEY')
    expect(error.where).toBe(`${join(folder, 'job.ts')}:3:16`)
    expect(error.message).toContain('there is no option "parametres"')
    expect(error.hint).toContain('parameters')
  })

  test('a module that throws something else than an error', async () => {
    const folder = fileTree({ 'job.ts': 'throw "no licence"' })
    const error = await refusal(() => load(join(folder, 'job.ts')))
    expect(error.message).toBe(`cannot load the job ${join(folder, 'job.ts')}: it threw no licence`)
  })

  test.each([
    ['job.ts', 'export {}', 'exports nothing', 'Write: export default defineExperiment'],
    ['job.ts', 'export const x = 1', 'exports x (a number)', 'Write: export default defineExperiment'],
    [
      'job.ts',
      'export default class Job {}',
      'exports default (a class)',
      'Write: export default defineExperiment',
    ],
    [
      'job.ts',
      'export const simulate = () => 1',
      'exports simulate (a function)',
      'Write: export default simulate',
    ],
    [
      'job.cjs',
      'exports.simulate = () => 1',
      'exports simulate (a function)',
      '(in CommonJS: module.exports = simulate)',
    ],
    ['job.ts', 'export default Promise.resolve(1)', 'default (a promise)', 'Write: export default await'],
  ])('%s without a function: %s', async (file, text, found, hint) => {
    const folder = fileTree({ [file]: text })
    const error = await refusal(() => load(join(folder, file)))
    expect(error.code).toBe('PYPET_JOB_NO_FUNCTION')
    expect(error.message).toContain(`the job ${join(folder, file)} has no function to run: it `)
    expect(error.message).toContain(found)
    expect(error.hint).toContain(hint)
  })
})

test.each([
  ['/a/multiply.ts', 'multiply'],
  ['my job.v2.ts', 'my_job_v2'],
  ['_private.mjs', 'private'],
  ['___.ts', 'job'],
])('the trajectory of %s is called %s', (file, name) => {
  expect(nameFromJobFile(file)).toBe(name)
})

interface Answer {
  readonly result?: unknown
  readonly stack?: string
}

/** Compiles test/fixtures/entries/run-job.ts, since not every Node runs TypeScript, and gives its URL. */
async function runJobEntry(): Promise<URL> {
  const file = fileURLToPath(new URL('../fixtures/entries/run-job.ts', import.meta.url))
  const bundle = await bundleModule(file, { noun: 'job', code: 'PYPET_JOB_NOT_LOADABLE' })
  onTestFinished(() => bundle.dispose())
  return new URL(bundle.url)
}

async function runInThread(job: ModuleAddress): Promise<Answer> {
  const worker = new Worker(await runJobEntry(), { workerData: job })
  onTestFinished(async () => void (await worker.terminate()))
  return await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

async function runInProcess(job: ModuleAddress): Promise<Answer> {
  const child = fork(await runJobEntry(), [JSON.stringify(job)])
  onTestFinished(() => void child.kill())
  return await new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as Answer))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`exited with ${code}`)))
  })
}
