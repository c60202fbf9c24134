import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { fileTree } from './file-tree.ts'
import { load, resultOf, TRAJ } from './loaded-job.ts'
import { refusal } from './refusal.ts'

describe('packages', () => {
  const PACKAGES = {
    'node_modules/esm/package.json': '{ "name": "esm", "type": "module", "exports": "./main.js" }',
    'node_modules/esm/main.js':
      'export const place = import.meta.url\nexport { place as inner } from "inner"',
    'node_modules/esm/node_modules/inner/package.json':
      '{ "name": "inner", "type": "module", "main": "i.js" }',
    'node_modules/esm/node_modules/inner/i.js': 'export const place = "inner of esm"',
    'node_modules/cjs/package.json': '{ "name": "cjs", "module": "./wrong.mjs", "main": "./main.js" }',
    'node_modules/cjs/wrong.mjs': 'export const place = "the module field, which Node ignores"',
    'node_modules/cjs/main.js': 'exports.place = __filename',
    'node_modules/dual/package.json':
      '{ "name": "dual", "exports": { "module": "./bundler.js", "import": "./i.mjs", "require": "./r.cjs" } }',
    'node_modules/dual/i.mjs': 'export const form = "import"',
    'node_modules/dual/r.cjs': 'exports.form = "require"',
    'node_modules/dual/bundler.js': 'export const form = "bundler"',
  }

  test('near the job are found from its folder: ES modules, CommonJS, and packages of packages', async () => {
    const text = `import { inner, place } from 'esm'
      import { place as cjs } from 'cjs'
      export default async () => [place, inner, cjs, (await import('esm')).place === place]`
    const folder = fileTree({ ...PACKAGES, 'jobs/job.ts': text })
    const { run } = await load(join(folder, 'jobs/job.ts'))
    const [esm, cjs] = [join(folder, 'node_modules/esm/main.js'), join(folder, 'node_modules/cjs/main.js')]
    expect(await run(TRAJ)).toEqual([pathToFileURL(esm).href, 'inner of esm', cjs, true])
  })

  test('that differ for import and require are taken as Node takes them', async () => {
    const module = "import { form } from 'dual'\nexport default () => form"
    expect(await resultOf({ ...PACKAGES, 'job.mjs': module }, 'job.mjs')).toBe('import')
    const commonJs =
      "module.exports = () => [require('dual').form, require.resolve('dual').split('/').at(-1)]"
    expect(await resultOf({ ...PACKAGES, 'job.cjs': commonJs }, 'job.cjs')).toEqual(['require', 'r.cjs'])
  })

  test('are required by a name that is only known at run time, from the job', async () => {
    const text =
      "const name = ['c', 'js'].join('')\nmodule.exports = () => require(name).place.split('/').at(-1)"
    expect(await resultOf({ ...PACKAGES, 'job.cjs': text }, 'job.cjs')).toBe('main.js')
  })

  test('of a workspace, linked and in TypeScript, are bundled', async () => {
    const folder = fileTree({
      ...PACKAGES,
      'packages/model/package.json': '{ "name": "model", "type": "module", "exports": "./src/index.ts" }',
      'packages/model/src/index.ts':
        'export const tau: number = 20\nexport const place: string = import.meta.url',
      'jobs/job.ts': "import { place, tau } from 'model'\nexport default () => [tau, place]",
    })
    symlinkSync('../packages/model', join(folder, 'node_modules/model'))
    const { run } = await load(join(folder, 'jobs/job.ts'))
    const source = pathToFileURL(join(folder, 'packages/model/src/index.ts')).href
    expect(run(TRAJ)).toEqual([20, source])
  })

  test('give JSON without an import attribute', async () => {
    const text = "import { name } from 'cjs/package.json'\nexport default () => name"
    expect(await resultOf({ ...PACKAGES, 'job.ts': text }, 'job.ts')).toBe('cjs')
  })

  test('a name that pypet-ts does not export is answered with the one that was meant, or with all', async () => {
    const refused = (name: string) => {
      const folder = fileTree({
        'job.ts': `import { ${name} } from 'pypet-ts'\nexport default () => ${name}`,
      })
      return refusal(() => load(join(folder, 'job.ts')))
    }
    const mistyped = await refused('defineExperimnt')
    expect(mistyped.message).toContain('No matching export in "pypet-ts" for import "defineExperimnt"')
    expect(mistyped.hint).toBe('Did you mean defineExperiment?')
    expect((await refused('nothingOfTheKind')).hint).toMatch(/^It exports Environment, .*\bzip\.$/)
  })

  test('that are missing are named with the line, and with the command that installs them', async () => {
    const folder = fileTree({ 'job.ts': "\n  import x from '@lab/missing/deep'\nexport default () => x" })
    const error = await refusal(() => load(join(folder, 'job.ts')))
    expect(error.code).toBe('PYPET_JOB_NOT_LOADABLE')
    expect(error.where).toBe(`${join(folder, 'job.ts')}:2:17`)
    expect(error.hint).toBe('Install it next to the file: npm install @lab/missing')
  })

  test('that are missing but tried are left to the job', async () => {
    const text = "let x\ntry { x = require('missing') } catch { x = 'none' }\nmodule.exports = () => x"
    expect(await resultOf({ 'job.cjs': text }, 'job.cjs')).toBe('none')
  })
})
