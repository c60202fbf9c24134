/** The lock of the wrap mode `lock`, and bounds of what waits to be stored. It runs as it is installed. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { loadTrajectory, run } from '../../dist/index.js'
import { encodeRunFrame } from '../../src/run/run-frame.ts'
import { LockStore } from '../../src/storage/lock/lock-store.ts'
import { openRecordStore } from '../../src/storage/lock/lock-worker.ts'
import { keepEvents, writerProcesses } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { openRequest } from './open-request.ts'

function folderWith(job: string) {
  const folder = fileTree({ 'job.mjs': job })
  const options = { filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs'), wrapMode: 'lock' }
  return { folder, job: join(folder, 'job.mjs'), options }
}

const job = (body: string, count: number) => `
import { existsSync, writeFileSync, appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  name: 'locked',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: ${count} }, (_, n) => n) },
  async run(traj) {
    const { x } = traj.par
    ${body}
    traj.addResult('z', x)
  },
})`

describe('the lock', () => {
  test('is not held by a thread that computes: the others go on storing', async () => {
    // Run 0 ends only when the other thread has had runs stored; it computes without a pause.
    const {
      job: file,
      options,
      folder,
    } = folderWith(job(`if (x === 1) while (!existsSync(here('stored')));`, 40))
    const reporter = keepEvents((event) => {
      const isStored = event.type === 'runs-stored' && event.runs.some((index) => index > 10)
      if (isStored) writeFileSync(join(folder, 'stored'), '')
    })
    expect(await run(file, { options: { ...options, ncores: 2 }, reporter })).toMatchObject({
      storedCount: 40,
    })
  })

  test('is lost by a thread that ends; what waited in it is performed again, with a warning', async () => {
    // Run 4n is slow, and is stored at once. If run 4n + 3 begins within the 10 ms that a quick run may take after the
    // end of run 4n + 1, run 4n + 2 waits in the thread for certain.
    const {
      job: file,
      options,
      folder,
    } = folderWith(
      job(
        `const now = performance.now()
        if (x % 4 === 0) while (performance.now() - now < 20);
        if (x % 4 === 1) globalThis.endMs = performance.now()
        if (x % 4 === 3 && now - globalThis.endMs < 10 && !existsSync(here('seen'))) {
          writeFileSync(here('seen'), '')
          process.reallyExit(3)
        }`,
        60,
      ),
    )
    const { events, ...reporter } = keepEvents()
    const summary = await run(file, {
      options: { ...options, executor: 'pool', ncores: 1, retries: 1 },
      reporter,
    })
    expect(summary).toMatchObject({ storedCount: 60, failedCount: 0 })
    expect(existsSync(join(folder, 'seen'))).toBe(true)
    using traj = await loadTrajectory(options.filename)
    expect(Object.values(traj.getFromRuns('z'))).toEqual(Array.from({ length: 60 }, (_, n) => n))
    const warnings = events.flatMap((event) =>
      event.type === 'log' && event.level === 'warn' ? [event.message] : [],
    )
    expect(warnings.join('\n')).toMatch(/a worker ended before it stored .*; running again/)
  })

  test('a run that a worker had stored as it died, without a word, is told as stored and not failed', async () => {
    const folder = fileTree({})
    const request = openRequest(join(folder, 'file.h5'))
    const told: number[][] = []
    const store = new LockStore({ storage: request.storage, pendingMax: 10, isDurable: true })
    await store.open(request, {
      onCommitted: (stored, failed) => void told.push([...stored], [...failed]),
      onNotice: () => undefined,
      onBroken: (error) => {
        throw error
      },
    })
    const storage = await store.workerStorage()
    const data = (storage as { readonly data: Parameters<typeof openRecordStore>[0] }).data
    const worker = await openRecordStore(data)
    const now = Date.now() / 1000
    const record = { run: 1, startTimestamp: now, finishTimestamp: now, leaves: [] }
    await worker.sendFrame(encodeRunFrame(record))
    await worker.close()
    await expect.poll(() => told).toEqual([[1], []])
    // As main would that has missed the word: the worker's end is all it knows.
    const error = { name: 'Error', message: 'the process ended', stack: '' }
    store.failRun({ run: 1, error, attempts: 1, startTimestamp: now, finishTimestamp: now })
    // As another worker would that is given the run once more.
    const other = await openRecordStore(data)
    await other.sendFrame(encodeRunFrame(record))
    await other.close()
    await expect.poll(() => told).toEqual([[1], [], [1], [], [1], []])
    await store.close({ config: [], isComplete: false })
  })

  test.each([
    ['the folder', '.', /file\.h5 was removed during writing.*is safe; .*made\.cnt was restored too/],
    ['the .cnt file', 'made.cnt', /made\.cnt was removed during writing.*is safe/],
  ])(
    '%s is removed while committed pages wait: the error says so, and it is restored',
    async (_, name, message) => {
      const folder = join(fileTree({ 'inner/other': '' }), 'inner')
      const request = openRequest(join(folder, 'file.h5'))
      await using store = new LockStore({ storage: request.storage, pendingMax: 10, isDurable: true })
      const broken = new Promise<Error>((resolve) => {
        void store
          .open(request, {
            // No worker has a turn after that: only what brings the pages in can notice it.
            onCommitted: () => rmSync(join(folder, name), { recursive: true }),
            onNotice: () => undefined,
            onBroken: resolve,
          })
          .then(async () => {
            const storage = await store.workerStorage()
            const worker = await openRecordStore(
              (storage as { readonly data: Parameters<typeof openRecordStore>[0] }).data,
            )
            const now = Date.now() / 1000
            await worker.sendFrame(
              encodeRunFrame({ run: 1, startTimestamp: now, finishTimestamp: now, leaves: [] }),
            )
            await worker.close()
          })
      })
      const error = await broken
      expect(error).toMatchObject({ code: 'PYPET_FILE_MOVED' })
      expect(error.message).toMatch(message)
      expect(existsSync(join(folder, 'file.h5')) && existsSync(join(folder, 'made.cnt'))).toBe(true)
    },
  )
})

test.skipIf(process.platform === 'win32')(
  'queueMaxsize: so many finished runs may wait for a writer that is slow, and no other begins',
  async () => {
    const { job: file, options, folder } = folderWith(job(`appendFileSync(here('begun'), x + '\\n')`, 30))
    const begun = () => {
      const text = existsSync(join(folder, 'begun')) ? readFileSync(join(folder, 'begun'), 'utf8') : ''
      return text.split('\n').length - 1
    }
    const reporter = keepEvents(({ type }) => {
      if (type === 'experiment-started') process.kill(writerProcesses()[0] as number, 'SIGSTOP')
    })
    const workers = { wrapMode: 'queue', queueMaxsize: 3, ncores: 1, executor: 'pool' }
    const running = run(file, { options: { ...options, ...workers }, reporter })
    await expect.poll(begun, { timeout: 30_000 }).toBeGreaterThanOrEqual(3)
    // Without the bound all thirty would have begun long before.
    await delay(500)
    const most = begun()
    process.kill(writerProcesses()[0] as number, 'SIGCONT')
    expect(await running).toMatchObject({ storedCount: 30 })
    // Besides those that wait there are active ones: a pool of one thread has two.
    expect(most).toBeLessThanOrEqual(3 + 2)
  },
)
