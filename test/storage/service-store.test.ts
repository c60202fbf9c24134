/** A user's own storage service: what the experiment owes it, and what it does when the service fails. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { continueRun, MemoryStorage, run, type ServiceRecord, type StorageService } from '../../dist/index.js'
import { keepEvents, stoppedAfter } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Two workers may have four on their way, besides two that are stored. */
const RUN_COUNT = 10
const JOB = `import { existsSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'served',
  parameters: { x: 1 },
  explore: { x: Array.from({ length: ${RUN_COUNT} }, (_, run) => run + 1) },
  async run(traj) {
    // Until somebody lets them go on, so that an interruption leaves runs.
    while (traj.par.x >= 3 && !existsSync(new URL('go', import.meta.url))) await new Promise((done) => setTimeout(done, 5))
    if (traj.par.x === 4) throw new Error('four')
    traj.addResult('z', traj.par.x)
    return traj.par.x * 10
  },
})
`

function experimentFolder({ isHeld = false }: { readonly isHeld?: boolean } = {}) {
  const folder = fileTree({ 'job.mjs': JOB, ...(!isHeld && { go: '' }) })
  return {
    letGo: () => writeFileSync(join(folder, 'go'), ''),
    job: join(folder, 'job.mjs'),
    cntFile: join(folder, 'served.cnt'),
    lockFile: join(folder, 'file.h5.lock'),
    options: { filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') },
  }
}

/** Stops an experiment that is held when its first two runs are stored, and then lets its active runs end. */
function interrupted(letGo: () => void) {
  const stop = stoppedAfter(2)
  stop.signal.addEventListener('abort', letGo)
  return stop
}

test('an experiment that is refused does not open the service, which would begin anew', async () => {
  const { job, options, letGo } = experimentFolder({ isHeld: true })
  const storageService = new MemoryStorage()
  const first = await run(job, { options, storageService, ...interrupted(letGo) })
  expect(first.leftCount).toBeGreaterThan(0)
  const held = storageService.runs
  expect(held.length).toBeGreaterThanOrEqual(2)
  const error: unknown = await run(job, { options, storageService }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'PYPET_CNT_EXISTS' })
  expect(storageService.runs).toEqual(held)
})

/** Keeps runs in main, one after the other, and throws in the methods it is told to. */
class MainStorage implements StorageService {
  readonly runs = new Map<number, ServiceRecord>()
  readonly calls: string[] = []
  broken: string | undefined

  open({ isContinued }: { readonly isContinued: boolean }) {
    this.#call('open')
    if (!isContinued) this.runs.clear()
    return { stored: [...this.runs.keys()] }
  }

  storeRun(record: ServiceRecord) {
    this.#call('storeRun')
    this.runs.set(record.run, record)
  }

  failRun() {
    this.#call('failRun')
  }

  extend() {
    this.#call('extend')
  }

  close() {
    this.#call('close')
  }

  #call(method: string): void {
    this.calls.push(method)
    if (this.broken === method) throw new Error(`no ${method} today`)
  }
}

test('what jobs returned is known when runs are stored in main, and the experiment goes on', async () => {
  const { job, options, letGo } = experimentFolder({ isHeld: true })
  const storageService = new MainStorage()
  const settings = { ...options, wrapMode: 'queue', useHdf5: false, ncores: 2 } as const
  const call = { options: settings, storageService, collect: true }
  const { cntFile, leftCount } = await run(job, { ...call, ...interrupted(letGo) })
  expect(leftCount).toBeGreaterThan(0)
  const { returned } = await continueRun(cntFile as string, { storageService, collect: true })
  expect(returned).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9].map((run) => ({ run, value: (run + 1) * 10 })))
})

test.each(['open', 'failRun', 'close'])(
  'a service that throws in %s ends the experiment, which names it, and gives the file free',
  async (method) => {
    const { job, options, lockFile, cntFile } = experimentFolder()
    const storageService = new MainStorage()
    storageService.broken = method
    const call = { options: { ...options, wrapMode: 'queue', useHdf5: false } as const, storageService }
    const error: unknown = await run(job, call).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'PYPET_STORAGE_SERVICE_FAILED' })
    expect(String(error)).toContain(`${method} of the storage service threw Error: no ${method} today`)
    expect(existsSync(lockFile)).toBe(false)
    storageService.broken = undefined
    const again = existsSync(cntFile) ? await continueRun(cntFile, { storageService }) : await run(job, call)
    expect(again.storedCount + again.failedCount).toBe(RUN_COUNT)
  },
)

test('a service that throws when it is told the provenance is said once, and the runs are stored', async () => {
  const { job, options } = experimentFolder()
  const storageService = new MainStorage()
  storageService.broken = 'extend'
  const { events, ...reporter } = keepEvents()
  const settings = { ...options, wrapMode: 'queue', useHdf5: false } as const
  expect(await run(job, { options: settings, storageService, reporter })).toMatchObject({
    storedCount: RUN_COUNT - 1,
  })
  const warnings = events.flatMap((event) =>
    event.type === 'log' && event.message.includes('provenance') ? [event.message] : [],
  )
  expect(warnings).toEqual([
    'provenance is not stored: extend of the storage service threw Error: no extend today',
  ])
})

test('a service that throws in storeRun fails the runs', async () => {
  const { job, options } = experimentFolder()
  const storageService = new MainStorage()
  storageService.broken = 'storeRun'
  const call = { options: { ...options, wrapMode: 'queue', useHdf5: false } as const, storageService }
  expect(await run(job, call)).toMatchObject({ storedCount: 0, failedCount: RUN_COUNT })
  expect(storageService.calls.filter((name) => name === 'failRun')).toHaveLength(RUN_COUNT)
  expect(storageService.calls.at(-1)).toBe('close')
})

test.each([
  ['thousands of short runs', 3000, 'traj.par.x'],
  ['large arrays', 12, 'new Float64Array(100_000).fill(traj.par.x)'],
])('%s reach a service in main whole', async (_, count, value) => {
  const folder = fileTree({
    'job.mjs': `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'many',
  parameters: { x: 0 },
  run(traj) {
    traj.addResult('z', ${value})
  },
})`,
  })
  const storageService = new MainStorage()
  const options = { filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') }
  const summary = await run(join(folder, 'job.mjs'), {
    options: { ...options, executor: 'pool', ncores: 2, wrapMode: 'queue' },
    explore: [`x=0:${count}`],
    storageService,
  })
  expect(summary).toMatchObject({ storedCount: count, failedCount: 0 })
  const found = [...storageService.runs].sort(([one], [other]) => one - other)
  const values = found.map(([, { leaves }]) => leaves[0]?.values.z)
  const expected = Array.from({ length: count }, (_, run) => run)
  expect(values.map((each) => (ArrayBuffer.isView(each) ? (each as Float64Array).at(-1) : each))).toEqual(
    expected,
  )
})
