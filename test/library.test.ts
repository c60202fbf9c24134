/** The function `run`, as a script uses it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { isPypetError, run } from '../dist/index.js'
import { keepEvents, useExperimentFolder, writerProcesses } from './environment/experiments.ts'
import { runTables, valuesIn } from './executors/file-content.ts'
import { jobFile } from './executors/performed.ts'

test('it takes a URL, options, presets, explorations and a reporter, and gives the summary', async () => {
  const folder = useExperimentFolder()
  const reporter = keepEvents()
  const summary = await run(pathToFileURL(jobFile('computes')), {
    options: { ncores: 2, filename: folder.file, name: 'trajectory', logFolder: join(folder.path, 'logs') },
    set: { 'neuron.tau': '7' },
    explore: ['x=1,2,3'],
    reporter,
    signal: new AbortController().signal,
  })
  expect(summary).toMatchObject({
    trajectory: 'trajectory',
    file: folder.file,
    runCount: 3,
    storedCount: 3,
    failedCount: 0,
  })
  expect(summary.durationMs).toBeGreaterThan(0)
  expect(reporter.events[0]).toMatchObject({ type: 'experiment-started', ncores: 2, executor: 'pool' })
  expect((await runTables(folder.file)).completed).toEqual([0, 1, 2])
  const values = await valuesIn(folder.file, 'results/runs')
  expect([0, 1, 2].map((n) => values.get(`run_0000000${n}/z/z`))).toEqual([[7], [14], [21]])
  expect(existsSync(join(folder.path, 'logs', 'trajectory', 'main.txt'))).toBe(true)
})

test('two experiments at once do not meet', async () => {
  const folder = useExperimentFolder()
  const options = { ncores: 1, executor: 'pool', logFolder: join(folder.path, 'logs') }
  const summaries = await Promise.all(
    ['a', 'b'].map((name) =>
      run(jobFile('computes'), { options: { ...options, name, filename: join(folder.path, `${name}.h5`) } }),
    ),
  )
  expect(summaries.map(({ storedCount }) => storedCount)).toEqual([20, 20])
})

test('what is wrong is refused with its code, and nothing is started', async () => {
  const folder = useExperimentFolder()
  const options = { filename: folder.file, logFolder: join(folder.path, 'logs') }
  for (const [call, code] of [
    [{ options, explore: ['whay=1,2'] }, 'PYPET_PARAMETER_UNKNOWN'],
    [{ options, set: { whay: '1' } }, 'PYPET_PARAMETER_UNKNOWN'],
  ] as const) {
    const refused = await run(jobFile('computes'), call).catch((error: unknown) => error)
    expect(isPypetError(refused) && refused.code).toBe(code)
  }
  expect(existsSync(folder.file)).toBe(false)
  expect(existsSync(join(folder.path, 'logs'))).toBe(false)
  expect(writerProcesses()).toEqual([])
})

test('it works from a script given on the command line, which the writer must not run again', async () => {
  const folder = useExperimentFolder()
  const library = new URL('../dist/index.js', import.meta.url).href
  const options = { filename: folder.file, logFolder: join(folder.path, 'logs'), ncores: 2 }
  const script = `import { run } from ${JSON.stringify(library)}
    const { storedCount } = await run(${JSON.stringify(jobFile('computes'))}, { options: ${JSON.stringify(options)} })
    process.stdout.write('stored ' + storedCount + ';')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout).toBe('stored 20;')
})
