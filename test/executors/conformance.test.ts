/** What every executor promises: each is held to the same, behind a real writer and a real file. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { contentOf, differences } from '../crash/file-content.ts'
import { isLongForm } from '../crash/long-form.ts'
import { runTables, valuesIn } from './file-content.ts'
import { failureOf, jobFile, makeTestFolder, type Performed, perform, type TestFolder } from './performed.ts'

const INLINE = { executor: 'inline', ncores: 1 } as const
const ONE_THREAD = { executor: 'pool', ncores: 1 } as const
const TWO_THREADS = { executor: 'pool', ncores: 2 } as const
const PROCESSES = { executor: 'process', ncores: 2 } as const
/** One thread has nothing of its own that two have not, and is left to the long form. */
const EXECUTORS = [INLINE, ...(isLongForm ? [ONE_THREAD] : []), TWO_THREADS, PROCESSES]

/** How the death of what performs a run is told. */
const ENDED_BY_EXIT = {
  inline: 'the job called process.exit(7)',
  pool: 'the worker thread ended during the run: worker exited with code: 7',
  process: "the run's process ended with exit code 7",
} as const

let folder: TestFolder
beforeAll(() => {
  folder = makeTestFolder()
})
afterAll(() => folder.remove())

describe.each(EXECUTORS)('$executor on $ncores: ', (options) => {
  describe('runs that fail', () => {
    let told: Performed
    beforeAll(async () => {
      told = await perform('fails', options, folder)
    })

    test.each<[way: string, name: string, message: string, code?: string]>([
      ['an error', 'TauError', 'tau is negative'],
      ['a string', 'NonError', 'thrown: "just a text"'],
      ['null', 'NonError', 'thrown: null'],
      ['an error of pypet-ts', 'PypetError', 'my own words', 'PYPET_USAGE'],
      ['an error whose message throws', 'NonError', 'thrown: a value that cannot be shown'],
      ['a rejection', 'TauError', 'tau is late'],
      ['a rejection with undefined', 'NonError', 'thrown: undefined'],
      [
        'an unsupported value',
        'PypetError',
        'results.fits.curve.bad cannot be stored: found a function',
        'PYPET_VALUE_UNSUPPORTED',
      ],
      [
        'a name taken',
        'PypetError',
        'results.z cannot be added: this run already has results.runs.run_00000017.z',
        'PYPET_NAME_TAKEN',
      ],
      ['an unknown parameter', 'PypetError', 'parameters.whay is not a parameter', 'PYPET_PARAMETER_UNKNOWN'],
      ['a throw in a timer', 'TauError', 'thrown in a timer'],
      ['a rejection nobody handles', 'TauError', 'rejected aside'],
    ])('%s fails its run', (way, name, message, code) => {
      const run = 1 + 2 * FAILURES.indexOf(way)
      const error = failureOf(told, run)
      expect({ name: error.name, message: error.message, code: error.code }).toEqual({ name, message, code })
    })

    test('the stack leads to the line of the TypeScript source, also through causes', () => {
      const { stack } = failureOf(told, 1)
      expect(stack).toContain(`${jobFile('fails')}:${lineWith('tau is negative')}:`)
      expect(stack).toContain('caused by RangeError: -1')
      expect(failureOf(told, 21).stack).toContain(`${jobFile('fails')}:${lineWith('thrown in a timer')}:`)
      for (const run of [1, 7, 11, 15, 17, 19, 21, 23]) {
        expect(failureOf(told, run).stack).toMatch(/runs\/fails\.ts:\d+:\d+/)
      }
    })

    test('hint and place of an error reach the outcome', () => {
      expect(failureOf(told, 7)).toMatchObject({ hint: 'a hint', where: 'here' })
    })

    test('the others go on, and every outcome is told once', async () => {
      expectEachToldOnce(told, 24)
      expect(sorted(told.failed)).toEqual(odd(24))
      expect(await runTables(told.file)).toEqual({ completed: even(24), failed: odd(24) })
      expect([...(await valuesIn(told.file, 'results/runs')).keys()].length).toBe(12)
    })
  })

  test('a job that ends the process fails its run and no other, whatever it catches', async () => {
    const told = await perform('exits', options, folder)
    expectEachToldOnce(told, 7)
    expect(sorted(told.failed)).toEqual([1, 3, 5])
    expect(failureOf(told, 3)).toMatchObject({
      code: 'PYPET_EXECUTOR_FAILED',
      message: ENDED_BY_EXIT[options.executor],
      hint: expect.stringMatching(/./),
    })
    expect(await runTables(told.file)).toEqual({ completed: [0, 2, 4, 6], failed: [1, 3, 5] })
    expect((await valuesIn(told.file, 'results/runs')).keys()).not.toContain('run_00000005/survived/survived')
  })

  test('an error that comes after its run is logged, and the experiment goes on', async () => {
    const told = await perform('leaves-strays', options, folder)
    expectEachToldOnce(told, 3)
    expect(told.stored.length).toBe(3)
    const errors = told.lines.filter(({ level }) => level === 'error')
    expect(errors.length).toBe(1)
    expect(errors[0]?.message).toMatch(/^after its run had ended: Error: left behind\n.*leaves-strays\.ts:8/s)
  })

  test('every run stores its own values when the job fills one buffer again and again', async () => {
    const told = await perform('reuses-buffers', options, folder)
    expectEachToldOnce(told, 6)
    const values = await valuesIn(told.file, 'results/runs')
    for (let run = 0; run < 6; run += 1) {
      const name = `run_${String(run).padStart(8, '0')}`
      for (const [result, size] of [['small', 10] as const, ['large', 500_000] as const]) {
        const cells = values.get(`${name}/${result}/${result}`) ?? []
        expect(cells.length).toBe(size)
        expect(cells.every((cell) => cell === run + 1)).toBe(true)
      }
    }
  })

  test.each([
    ['knows-this', 'its_own_name'],
    ['bare-this', 'undefined'],
  ])('%s: the job is called with the `this` that its module gave it', async (job, found) => {
    const told = await perform(job, options, folder)
    expectEachToldOnce(told, 1)
    const values = await valuesIn(told.file, 'results/runs')
    expect(values.get('run_00000000/this/this')).toEqual([found])
  })

  test('a job may wait, for the event loop and for files', async () => {
    const told = await perform('awaits', options, folder)
    expectEachToldOnce(told, 5)
    const values = await valuesIn(told.file, 'results/runs')
    for (let run = 0; run < 5; run += 1) {
      expect(values.get(`run_0000000${run}/sum/sum`)).toEqual([[0, 0, 1, 3, 6][run]])
      expect(values.get(`run_0000000${run}/knows_itself/knows_itself`)).toEqual([1])
    }
  })

  test('a source that gives nothing for now is waited for, once at a time; disposal ends the wait', async () => {
    const told = await perform('leaves-strays', { ...options, source: 'hesitating' }, anotherFolder())
    expectEachToldOnce(told, 3)
    expect(told.waits.count).toBeGreaterThanOrEqual(3)
    expect(told.waits).toMatchObject({ atOnce: 1, endedByDisposal: true })
  })

  describe('what a job says', () => {
    const SAID = [
      'info: log of X',
      'info: two',
      'info: lines',
      'info: one line in parts',
      'info: ü',
      'info: bytes',
      'error: an error',
      'warn: a warning',
      'info: some information',
      'debug: a detail',
      'info: { tau: 20 }',
      'info: no end of line',
    ]

    test.each(['debug', 'warn'])('at the level %s', async (logLevel) => {
      const told = await perform('prints', { ...options, logLevel }, anotherFolder())
      const levels = ['error', 'warn', 'info', 'debug']
      const loudest = levels.indexOf(logLevel)
      const expected = SAID.filter((line) => levels.indexOf(line.split(':')[0] as string) <= loudest)
      for (const run of [0, 1]) {
        const lines = told.lines.filter((line) => line.run === run)
        expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual(
          expected.map((line) => line.replace('X', String(run))),
        )
        expect(new Set(lines.map(({ worker }) => worker > 0))).toEqual(
          new Set([options.executor !== 'inline']),
        )
      }
      expect(told.lines.length).toBe(2 * expected.length)
      expect(told.printed).toBe('')
    })
  })
})

describe('the file', () => {
  test('holds the same values, whatever the executor', async () => {
    let expected: Readonly<Record<string, string>> | undefined
    for (const options of EXECUTORS) {
      const { file, stored } = await perform('computes', options, folder)
      expect(sorted(stored)).toEqual(Array.from({ length: 20 }, (_, run) => run))
      const values = valuesOf(await contentOf(file))
      expect(Object.keys(values).length).toBeGreaterThan(20 * 9)
      expected ??= values
      expect(differences(values, expected), options.executor).toEqual([])
    }
  })

  test.each(isLongForm ? [INLINE, TWO_THREADS, PROCESSES] : [PROCESSES])(
    'a result of 100 MB is stored by $executor',
    async (options) => {
      const told = await perform('stores-much', options, folder)
      expect(told.stored).toEqual([0])
      using reader = await openHdf5Reader(told.file)
      const path = '/trajectory/results/runs/run_00000000/much/much'
      const form = reader.form(path)
      expect(form.shape).toEqual([13_107_200])
      for (const start of [0, 6_000_000, 13_107_199]) {
        expect(reader.cells(path, form, { start: [start], count: [1] })).toEqual([start])
      }
    },
  )
})

describe('threads', () => {
  test('a run that exhausts the memory fails with the reason, the others go on', async () => {
    const options = { executor: 'pool', ncores: 2, nodeOptions: '--max-old-space-size=128' } as const
    const told = await perform('exhausts-heap', options, anotherFolder())
    expectEachToldOnce(told, 4)
    expect(failureOf(told, 1).message).toMatch(/the worker thread ended during the run: .*out of memory/)
    expect(sorted(told.stored)).toEqual([0, 2, 3])
  })

  test.each([1, 2])(
    '%i: a job that does not load in them is told once, and no run is said to fail',
    async (n) => {
      const told = await perform('not-in-threads', { executor: 'pool', ncores: n }, folder)
      expect(told.error).toMatchObject({
        code: 'PYPET_JOB_NOT_LOADABLE',
        message: expect.stringMatching(
          /not-in-threads\.ts:7:9: it threw TypeError: this needs the main thread/,
        ),
      })
      expect(told.outcomes).toEqual([])
      expect((await runTables(told.file)).failed).toEqual([])
    },
  )

  test('that a job ends while it is loaded are not started again and again', async () => {
    const told = await perform('ends-threads', { executor: 'pool', ncores: 2 }, folder)
    expect(told.error).toMatchObject({
      code: 'PYPET_JOB_NOT_LOADABLE',
      message: expect.stringMatching(/ends-threads\.ts:5:28: it calls process\.exit\(5\)$/),
    })
    expect(told.outcomes).toEqual([])
  })

  test('that die at once with each job end the experiment', async () => {
    const told = await perform(
      'kills-threads',
      { executor: 'pool', ncores: 2, nodeOptions: '--max-old-space-size=64' },
      folder,
    )
    expect(told.error).toMatchObject({ code: 'PYPET_EXECUTOR_FAILED', hint: expect.stringMatching(/memory/) })
    expect(told.outcomes).toEqual([])
  })

  test('no more of them are started than there are runs', async () => {
    const told = await perform('counts-threads', { executor: 'pool', ncores: 40 }, folder)
    expectEachToldOnce(told, 2)
    const values = await valuesIn(told.file, 'results/runs')
    // Numbers of threads count all that this process has started.
    for (const run of [0, 1]) {
      expect(values.get(`run_0000000${run}/thread/thread`)?.[0]).toBeLessThanOrEqual(2)
    }
  })

  test('that replace others take over their numbers, so that there are as many logs as workers', async () => {
    const told = await perform('dies-talking', { executor: 'pool', ncores: 2 }, folder)
    expectEachToldOnce(told, 8)
    expect(told.lines.length).toBe(8)
    for (const { worker } of told.lines) expect([1, 2]).toContain(worker)
  })

  test.runIf(process.platform === 'linux')('that outrun the writer wait for it', async () => {
    const before = await perform('computes', { executor: 'pool', ncores: 2 }, anotherFolder())
    const told = await perform('outruns', { executor: 'pool', ncores: 2 }, folder)
    expectEachToldOnce(told, 200)
    // 400 MB go through. What garbage collectors leave lying for a while is far below that.
    const { main = Number.NaN, writer = Number.NaN } = told.peakBytes
    expect(main - (before.peakBytes.main as number)).toBeLessThan(150e6)
    expect(writer - (before.peakBytes.writer as number)).toBeLessThan(150e6)
  })
})

/** In the order of fixtures/jobs/runs/fails.ts, which puts a good run before each. */
const FAILURES = [
  'an error',
  'a string',
  'null',
  'an error of pypet-ts',
  'an error whose message throws',
  'a rejection',
  'a rejection with undefined',
  'an unsupported value',
  'a name taken',
  'an unknown parameter',
  'a throw in a timer',
  'a rejection nobody handles',
]

/** Parameters, derived parameters and results. Which run keeps a comment that many have is a matter of their arrival. */
function valuesOf(content: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(content)
    .filter(([path]) => /^\/trajectory\/(results|derived_parameters|parameters)\//.test(path))
    .map(([path, text]) => [path, text.replace(/,?\{"name":"SRVC_INIT_COMMENT"[^}]*\}/, '')])
  return Object.fromEntries(entries)
}

/** Files are named after job and executor: a second run of the same needs a place of its own. */
function anotherFolder(): TestFolder {
  const another = makeTestFolder()
  folders.push(another)
  return another
}
const folders: TestFolder[] = []
afterAll(() => {
  for (const another of folders) another.remove()
})

function expectEachToldOnce(told: Performed, runCount: number): void {
  const { error, exitCode, printed } = told
  // What it printed, if it came to no end.
  expect({ error, exitCode, printed: exitCode === 0 ? '' : printed }).toEqual({ exitCode: 0, printed: '' })
  const runs = told.outcomes.map((outcome) =>
    outcome.state === 'failed' ? outcome.failure.run : outcome.run,
  )
  const all = Array.from({ length: runCount }, (_, run) => run)
  expect(sorted(runs)).toEqual(all)
  expect(sorted([...told.stored, ...told.failed])).toEqual(all)
  expect(told.leftovers).toEqual([])
}

function sorted(runs: readonly number[]): number[] {
  return [...runs].sort((a, b) => a - b)
}

function odd(end: number): number[] {
  return Array.from({ length: end }, (_, run) => run).filter((run) => run % 2 === 1)
}

function even(end: number): number[] {
  return Array.from({ length: end }, (_, run) => run).filter((run) => run % 2 === 0)
}

/** The line of the job, counted from 1, that holds a text. */
function lineWith(text: string): number {
  const lines = readFileSync(jobFile('fails'), 'utf8').split('\n')
  return lines.findIndex((line) => line.includes(text)) + 1
}
