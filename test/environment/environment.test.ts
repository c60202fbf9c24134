/** How an experiment goes through its life, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { waitForLock } from '../../src/journal/wait-for-lock.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { Writer } from '../../src/storage/queue/writer.ts'
import { compile } from '../compiled.ts'
import { runTables } from '../executors/file-content.ts'
import {
  activeRuns,
  keepEvents,
  runJob,
  useExperimentFolder,
  type Workers,
  writerProcesses,
} from './experiments.ts'

const INLINE = { executor: 'inline', ncores: 1 } as const
const POOL = { executor: 'pool', ncores: 2 } as const

describe.each<Workers>([INLINE, POOL])('with $executor on $ncores', (workers) => {
  test('an abort lets active runs finish and starts no others; the file is closed, to be continued', async () => {
    const folder = useExperimentFolder()
    const stop = new AbortController()
    const reporter = keepEvents()
    const running = runJob('waits', folder, workers, {
      set: { folder: folder.path },
      signal: stop.signal,
      reporter,
    })
    await activeRuns(folder, workers.ncores)
    stop.abort()
    writeFileSync(join(folder.path, 'go'), '')
    const summary = await running
    expect(summary).toMatchObject({ runCount: 20, storedCount: workers.ncores, failedCount: 0 })
    expect(summary).toMatchObject({ leftCount: 20 - workers.ncores, stoppedBy: 'signal' })
    expect(summary.cntFile).toBe(join(folder.path, 'trajectory.cnt'))
    expect((await activeRuns(folder, 0)).length).toBe(workers.ncores)
    const { completed } = await runTables(folder.file)
    expect(completed).toEqual([0, 1].slice(0, workers.ncores))
    // The end is told by the execution that reaches it.
    expect(await configOf(folder.file)).not.toHaveProperty('finish_timestamp')
    expectNothingLeft(folder.temporary)
  })

  test('an abort before the start performs no run and still makes a file', async () => {
    const folder = useExperimentFolder()
    const summary = await runJob('computes', folder, workers, { signal: AbortSignal.abort() })
    expect(summary).toMatchObject({ runCount: 20, storedCount: 0, failedCount: 0, durationMs: 0 })
    expect(await runTables(folder.file)).toEqual({ completed: [], failed: [] })
    expectNothingLeft(folder.temporary)
  })

  test.skipIf(process.platform === 'win32')(
    'the death of the writer costs nothing but time: another one goes on, and active runs are performed again',
    async () => {
      const folder = useExperimentFolder()
      const reporter = keepEvents()
      const running = runJob('waits', folder, workers, { set: { folder: folder.path }, reporter })
      await activeRuns(folder, workers.ncores)
      const [writer, ...others] = writerProcesses()
      expect(others).toEqual([])
      process.kill(writer as number, 'SIGKILL')
      writeFileSync(join(folder.path, 'go'), '')
      expect(await running).toMatchObject({ runCount: 20, storedCount: 20, failedCount: 0, leftCount: 0 })
      const warnings = reporter.events.filter((event) => event.type === 'log' && event.level === 'warn')
      expect(warnings).toMatchObject([{ message: expect.stringContaining('SIGKILL') }, {}])
      expect((await runTables(folder.file)).completed.length).toBe(20)
      expectNothingLeft(folder.temporary)
    },
  )

  test.skipIf(process.platform === 'win32')(
    'a writer that goes on for a dead one waits while another command has the file for a moment',
    async () => {
      const folder = useExperimentFolder()
      const reporter = keepEvents()
      const running = runJob('waits', folder, workers, { set: { folder: folder.path }, reporter })
      await activeRuns(folder, workers.ncores)
      process.kill(writerProcesses()[0] as number, 'SIGKILL')
      const lock = await waitForLock(
        folder.file,
        { trajectory: 'other', breakLock: false },
        { waitMs: 10_000, onNotice: () => undefined },
      )
      writeFileSync(join(folder.path, 'go'), '')
      const isToldOf = () =>
        reporter.events.some((event) => event.type === 'log' && event.message.includes('waits up to'))
      await expect.poll(isToldOf, { timeout: 60_000 }).toBe(true)
      lock.release()
      expect(await running).toMatchObject({ runCount: 20, storedCount: 20, failedCount: 0, leftCount: 0 })
      expectNothingLeft(folder.temporary)
    },
  )

  test.skipIf(process.platform === 'win32')(
    'the death of a second writer ends the experiment, with the command to go on',
    async () => {
      const folder = useExperimentFolder()
      const running = runJob('waits', folder, workers, { set: { folder: folder.path } })
      running.catch(() => undefined)
      await activeRuns(folder, workers.ncores)
      const [first] = writerProcesses()
      process.kill(first as number, 'SIGKILL')
      // An inline run cannot be ended, and must have ended before the next writer begins.
      if (workers.executor === 'inline') writeFileSync(join(folder.path, 'go'), '')
      let second: number | undefined
      while (second === undefined) {
        second = writerProcesses().find((writer) => writer !== first)
        await delay(5)
      }
      process.kill(second, 'SIGKILL')
      await expect(running).rejects.toMatchObject({
        code: 'PYPET_WRITER_DIED',
        hint: expect.stringContaining('pypet-ts continue'),
      })
      expectNothingLeft(folder.temporary)
      writeFileSync(join(folder.path, 'go'), '')
    },
  )

  test.skipIf(process.platform === 'win32')('the writer may die in the middle of its work', async () => {
    const folder = useExperimentFolder()
    const reporter = keepEvents(({ type }) => {
      if (type === 'runs-stored') for (const writer of writerProcesses()) process.kill(writer, 'SIGKILL')
    })
    await expect(runJob('outruns', folder, workers, { reporter })).rejects.toMatchObject({
      code: 'PYPET_WRITER_DIED',
    })
    expect(reporter.events.at(-1)?.type).not.toBe('experiment-finished')
    expectNothingLeft(folder.temporary)
  })

  test('a reporter that throws stops nothing, and the log says so', async () => {
    const folder = useExperimentFolder()
    const reporter = {
      emit() {
        throw new Error('cannot show this')
      },
      close: () => Promise.reject(new Error('cannot close')),
    }
    const summary = await runJob('computes', folder, workers, { reporter })
    expect(summary).toMatchObject({ storedCount: 20, failedCount: 0 })
    const log = readFileSync(join(folder.path, 'logs', 'trajectory', 'main.txt'), 'utf8')
    expect(log).toContain('a reporter failed: Error: cannot show this')
  })

  test('config holds the environment: times of start and end, versions, workers', async () => {
    const folder = useExperimentFolder()
    const before = Date.now() / 1000 - 0.01
    await runJob('computes', folder, workers)
    const config = await configOf(folder.file)
    const { start_timestamp: start, finish_timestamp: finish, runtime } = config as Record<string, number>
    expect(start).toBeGreaterThan(before)
    expect(finish).toBeGreaterThanOrEqual(start as number)
    expect(finish).toBeLessThan(Date.now() / 1000 + 0.01)
    expect(runtime).toBeCloseTo((finish as number) - (start as number), 6)
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(config).toMatchObject({
      'versions.pypet_ts': version,
      'versions.node': process.versions.node,
      executor: workers.executor,
      ncores: workers.ncores,
      script: 'computes.ts',
    })
  })
})

test('events come in order: started, what happens, finished; every run ends once', async () => {
  const folder = useExperimentFolder()
  const reporter = keepEvents()
  const summary = await runJob('fails', folder, POOL, { reporter })
  const { events } = reporter
  expect(events[0]).toEqual({
    type: 'experiment-started',
    trajectory: 'trajectory',
    file: folder.file,
    cntFile: join(folder.path, 'trajectory.cnt'),
    runCount: 24,
    storedCount: 0,
    failedCount: 0,
    ncores: 2,
    executor: 'pool',
    logFolder: join(folder.path, 'logs', 'trajectory'),
  })
  expect(events.at(-1)).toEqual({ type: 'experiment-finished', summary })
  const ended = events.flatMap((event) =>
    event.type === 'runs-stored' ? event.runs : event.type === 'run-failed' ? [event.run] : [],
  )
  expect(ended.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, run) => run))
  expect(events.filter(({ type }) => type === 'run-failed').length).toBe(summary.failedCount)
  expect(summary).toMatchObject({ runCount: 24, storedCount: 12, failedCount: 12 })
})

test('everything that threads say comes before the end, and is in the log', async () => {
  const folder = useExperimentFolder()
  const reporter = keepEvents()
  await runJob('prints', folder, POOL, { reporter })
  const lines = reporter.events.flatMap((event) => (event.type === 'log' ? [event.message] : []))
  expect(lines.filter((line) => line === 'no end of line').length).toBe(2)
  expect(reporter.events.at(-1)?.type).toBe('experiment-finished')
  const logs = join(folder.path, 'logs', 'trajectory')
  const said = readdirSync(logs)
    .filter((name) => name.startsWith('process_'))
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('')
  expect(said.match(/no end of line/g)?.length).toBe(2)
})

test('a writer that turns out not to be needed ends at once', async () => {
  const folder = useExperimentFolder()
  for (let round = 0; round < 3; round += 1) await Writer.start()[Symbol.asyncDispose]()
  expectNothingLeft(folder.temporary)
})

test('a writer ends when main is killed, also while both are starting', async () => {
  const program = await compile(`import { Writer } from '../src/storage/queue/writer.ts'
    Writer.start()
    process.kill(process.pid, 'SIGKILL')`)
  const folder = useExperimentFolder()
  const main = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] })
  await once(main, 'exit')
  // The writer removes the folder of its socket as the last thing it does.
  while (readdirSync(folder.temporary).length > 0) await delay(5)
})

test.skipIf(process.platform === 'win32')(
  'a temporary folder whose path is too long for a socket is no obstacle',
  async () => {
    const folder = useExperimentFolder()
    const long = 'd'.repeat(60)
    const deep = join(folder.temporary, long, long)
    mkdirSync(deep, { recursive: true })
    process.env.TMPDIR = deep
    expect(await runJob('computes', folder, POOL)).toMatchObject({ storedCount: 20 })
    expect(readdirSync(deep)).toEqual([])
    // Some systems cut the path off instead of refusing it: then the socket lies elsewhere.
    expect(readdirSync(join(folder.temporary, long))).toEqual([long])
  },
)

test('a temporary folder that does not exist is named, and no file is touched', async () => {
  const folder = useExperimentFolder()
  process.env.TMPDIR = join(folder.path, 'nowhere')
  await expect(runJob('computes', folder, POOL)).rejects.toThrow(/nowhere/)
  expect(existsSync(folder.file)).toBe(false)
})

/** The parameters of the one environment in the file, by their names below it. */
async function configOf(file: string): Promise<Record<string, unknown>> {
  using reader = await openHdf5Reader(file)
  const environments = '/trajectory/config/environment'
  const [name = '', ...others] = reader.children(environments)
  expect(others).toEqual([])
  expect(name).toMatch(/^environment_[0-9a-f]{7}_\d{4}_\d\d_\d\d_\d\dh\d\dm\d\ds$/)
  const values: Record<string, unknown> = {}
  const visit = (path: string) => {
    for (const child of reader.children(path)) {
      // Of its own shape: see provenance.test.ts.
      if (child === 'provenance') continue
      if (child === 'data') {
        const key = path.slice(`${environments}/${name}/`.length).replaceAll('/', '.')
        reader.scanRows(`${path}/data`, ['data'], (_, [cell]) => {
          values[key] = cell
        })
      } else visit(`${path}/${child}`)
    }
  }
  visit(`${environments}/${name}`)
  return values
}

function expectNothingLeft(temporary: string): void {
  expect(writerProcesses()).toEqual([])
  expect(readdirSync(temporary).filter((name) => name.startsWith('pypet-ts-'))).toEqual([])
}
