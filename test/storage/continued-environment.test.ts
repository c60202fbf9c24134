/** An experiment that goes on with a job that has changed: what its `.cnt` file says of it after any end. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCnt } from '../../src/journal/cnt-state.ts'
import type { ContinueRequest } from '../../src/protocol.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { craftedFile, looseRecords } from '../journal/crafted-cnt.ts'
import { Hdf5Content } from './hdf5-content.ts'
import { arrived, continueRequest, openRequest, result, runRecord, storeOptions } from './open-request.ts'

const NAME = 'environment_fedcba9_2024_03_09_16h00m00s'
const environment: ContinueRequest['environment'] = {
  name: NAME,
  hexsha: 'fedcba9876543210',
  timestamp: 1.71e9,
  job: { file: '/jobs/job.ts', relativeFile: 'job.ts', sha256: 'cd34', sources: { 'job.ts': 'cd34' } },
}
const config = flattenParameters({ environment: { [NAME]: { hexsha: 'fedcba9876543210' } } }, 'config')
const run = (index: number) => arrived(runRecord(index, [result(index, 'z', index)]))
const FIRST = openRequest('').continuation.environmentName

async function begun(runs: readonly number[]) {
  const folder = fileTree({})
  const file = join(folder, 'made.h5')
  const first = flattenParameters({ environment: { [FIRST]: { hexsha: '0123456789abcdef' } } }, 'config')
  const request = openRequest(file)
  const store = await TrajectoryStore.open(
    { ...request, config: [...request.config, ...first] },
    storeOptions(),
  )
  for (const index of runs) store.storeRun(run(index))
  store.commit()
  store.close({ config: [], isComplete: false })
  await store.finish()
  return { file, cnt: join(folder, 'made.cnt') }
}

async function goOn(cnt: string, runs: readonly number[], requested: Partial<ContinueRequest> = {}) {
  const store = await TrajectoryStore.continue(continueRequest(cnt, requested), storeOptions())
  for (const index of runs) store.storeRun(run(index))
  return store
}

async function rowsIn(file: string) {
  using content = await Hdf5Content.open(file)
  const environments = content.names('/made/config/environment')
  return { rows: content.column('/made/overview/runs', 'short_environment_hexsha'), environments }
}

test('the commit that begins it names it, and a kill after that, or a compaction, forgets nothing', async () => {
  const { file, cnt } = await begun([0])
  const { startTimestamp } = readCnt(cnt)
  expect(startTimestamp).toBe(1.7e9)
  // Killed when nothing but that was committed.
  const killed = await goOn(cnt, [], { environment, config })
  const atKill = readFileSync(cnt)
  killed.close({ config: [], isComplete: false })
  await killed.finish()
  writeFileSync(`${cnt}.copy`, atKill)
  expect(readCnt(`${cnt}.copy`).experiment.request.continuation).toMatchObject({
    environmentName: NAME,
    job: { sha256: 'cd34' },
    environment: { hexsha: 'fedcba9876543210' },
  })
  // Its times are its own.
  expect(readCnt(cnt).startTimestamp).toBeUndefined()
  const { storage } = openRequest('')
  const second = await goOn(cnt, [1], { storage: { ...storage, cntCompactBytes: 0 } })
  second.close({ config: [], isComplete: false })
  await second.finish()
  expect(readCnt(cnt)).toMatchObject({
    startTimestamp: 1.7e9 + 1,
    // What tells the experiment from others is what it began with.
    experiment: {
      request: {
        trajectory: { environmentHexsha: '0123456789abcdef' },
        continuation: { environmentName: NAME },
      },
    },
  })
  const third = await goOn(cnt, [2])
  const closing = flattenParameters({ environment: { [NAME]: { runtime: 1 } } }, 'config')
  third.close({ config: closing, isComplete: true })
  await third.finish()
  expect(await rowsIn(file)).toEqual({
    rows: ['0123456', 'fedcba9', 'fedcba9'],
    environments: [FIRST, NAME],
  })
})

test('where nothing was committed, it begins with the job that it has now, and says nothing of the other', async () => {
  const { cnt } = await begun([])
  // The experiment record alone, as of a kill before the first commit.
  const [record] = looseRecords(readFileSync(cnt))
  const fresh = fileTree({})
  const freshCnt = join(fresh, 'made.cnt')
  writeFileSync(freshCnt, craftedFile([record as NonNullable<typeof record>]))
  writeFileSync(join(fresh, 'made.h5'), '')
  expect(readCnt(freshCnt).lastSequence).toBe(0)
  const store = await goOn(freshCnt, [0, 1, 2], { environment, config })
  store.close({ config: [], isComplete: true })
  await store.finish()
  expect(await rowsIn(join(fresh, 'made.h5'))).toEqual({
    rows: Array(3).fill('fedcba9'),
    environments: [NAME],
  })
})
