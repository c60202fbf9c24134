/**
 * One experiment is recorded at the disk, operation by operation. Its files after each of them are what a process
 * leaves that is killed there; with losses, tears and another order, what a power cut leaves. Each such state is
 * recovered and, after a kill, continued to its end.
 *
 * `npm run test:crash` takes every state; `npm test` a sample that covers them all in some days.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { FILES } from '../../src/journal/disk.ts'
import { recoverFile } from '../../src/journal/recover.ts'
import { whereaboutsOf } from '../../src/journal/replacement.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { useFolder } from '../temporary-folder.ts'
import { contentOf, differences } from './file-content.ts'
import { isLongForm, randomFrom, seedOf } from './long-form.ts'
import {
  afterKill,
  afterPowerCut,
  type DiskOperation,
  type Files,
  RecordingDisks,
} from './recording-disks.ts'
import { goOn, perform, SCRIPT, type Script, samplesOf, scalarOf } from './script.ts'

const inFolder = useFolder()
const SAMPLES = isLongForm ? Number.POSITIVE_INFINITY : 12
const POWER_CUTS = isLongForm ? 2000 : 80

/** The recording of an experiment: its operations, what was announced by when, and how it ended. */
interface Recording {
  readonly operations: readonly DiskOperation[]
  /** Runs announced after so many operations. */
  readonly announced: readonly { readonly after: number; readonly runs: readonly number[] }[]
  readonly content: Readonly<Record<string, string>>
}

async function record(folder: string, script: Script): Promise<Recording> {
  mkdirSync(inFolder(folder))
  const file = join(inFolder(folder), 'file.h5')
  const disks = new RecordingDisks()
  const announced: { after: number; runs: readonly number[] }[] = []
  await perform(file, script, disks, {
    onAnnounced: (runs) => announced.push({ after: disks.operations.length, runs }),
  })
  return { operations: disks.operations, announced, content: await contentOf(file, { withTimes: true }) }
}

function announcedBy(recording: Recording, count: number): number[] {
  return recording.announced.filter(({ after }) => after <= count).flatMap(({ runs }) => [...runs])
}

/** Puts files where a continued experiment finds them, in the place of all others there. */
function putFiles(folder: string, files: Files): void {
  rmSync(inFolder(folder), { recursive: true, force: true })
  mkdirSync(inFolder(folder))
  for (const [name, bytes] of files) writeFileSync(join(inFolder(folder), name), bytes)
}

/** Every announced run is in the recovered file, with its values. */
async function expectStored(file: string, runs: readonly number[]): Promise<void> {
  if (runs.length === 0) return
  using content = await Hdf5Content.open(file)
  const completed = content.column('/made/overview/runs', 'completed')
  for (const run of runs) {
    expect(completed[run], `run ${run}`).toBe(1)
    expect(valueIn(content, run, 'z')).toBe(scalarOf(run))
    if (run % 5 !== 0) continue
    const samples = valueIn(content, run, 'samples') as Float64Array
    expect(Buffer.compare(bytesOf(samples), bytesOf(samplesOf(run))), `samples of run ${run}`).toBe(0)
  }
}

/** From below its run, or from its column. */
function valueIn(content: Hdf5Content, run: number, name: string): unknown {
  const runs = '/made/results/runs'
  const runOfName = `run_${String(run).padStart(8, '0')}`
  if (content.names(runs).includes(runOfName) && content.names(`${runs}/${runOfName}`).includes(name))
    return content.dataset(`${runs}/${runOfName}/${name}/${name}`).value
  const column = content.dataset(`/made/results/columns/${name}`)
  const all = column.value as Float64Array
  const length = (column.shape ?? []).slice(1).reduce((product, size) => product * size, 1)
  return column.shape?.length === 1 ? all[run] : all.slice(run * length, (run + 1) * length)
}

function bytesOf(array: Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

/** So many commits that their `.cnt` file is compacted on the way. */
const MANY_COMMITS: Script = { ...SCRIPT, runCount: 90, groupSize: 1, failing: -1 }

const IN_COLUMNS: Script = { ...SCRIPT, layout: 'columns' }

describe.each([
  ['with group commits', SCRIPT, 1],
  ['with many commits', MANY_COMMITS, 3],
  ['in columns', IN_COLUMNS, 1],
])('an experiment %s whose writer is killed at a disk operation', (name, script, rarity) => {
  let recording: Recording
  beforeAll(async () => {
    recording = await record(name, script)
  })

  test('compacts its .cnt file when that is worth it', () => {
    const renames = recording.operations.filter(({ type }) => type === 'rename')
    // The first two give the files their names.
    expect(renames.length > 2).toBe(script === MANY_COMMITS)
  })

  test('has every announced run after its recovery, and ends like the unbroken one', async () => {
    const { operations } = recording
    const seed = seedOf()
    const random = randomFrom(seed)
    const step = Math.max(1, (operations.length * rarity) / SAMPLES)
    for (let at = random() * step; at <= operations.length; at += step) {
      const count = Math.floor(at)
      const where = `after ${count} of ${operations.length} operations (seed ${seed})`
      const files = afterKill(operations.slice(0, count))
      if (!files.has('made.cnt')) {
        // Nothing had been begun, or everything was done.
        if (announcedBy(recording, count).length === 0) continue
        putFiles('killed', files)
        expect(
          differences(await contentOf(inFolder('killed/file.h5'), { withTimes: true }), recording.content),
          where,
        ).toEqual([])
        continue
      }
      putFiles('killed', files)
      const cntFile = inFolder('killed/made.cnt')
      const state = readCnt(cntFile)
      expect(
        announcedBy(recording, count).filter((run) => !state.stored.has(run) && !state.failed.has(run)),
        where,
      ).toEqual([])
      if (whereaboutsOf(state.experiment, () => state.lastSequence > 0, FILES).at === 'place') {
        recoverFile(state)
        await expectStored(inFolder('killed/file.h5'), announcedBy(recording, count))
      }
      await goOn(cntFile, script, FILES)
      const content = await contentOf(inFolder('killed/file.h5'), { withTimes: true })
      expect(differences(content, recording.content), where).toEqual([])
      expect(readdirSync(inFolder('killed')), where).toEqual(
        script.failing >= 0 ? ['file.h5', 'made.cnt'] : ['file.h5'],
      )
    }
  }, 1_200_000)

  test('has every announced run after a power cut, whatever was lost, torn or written in another order', async () => {
    const { operations } = recording
    const seed = seedOf()
    const random = randomFrom(seed)
    for (let cut = 0; cut < POWER_CUTS / rarity; cut += 1) {
      const count = 1 + Math.floor(random() * operations.length)
      const where = `power cut ${cut} after ${count} of ${operations.length} operations (seed ${seed})`
      const files = afterPowerCut(operations.slice(0, count), random)
      const announced = announcedBy(recording, count)
      putFiles('cut', files)
      if (!files.has('made.cnt')) {
        // Nothing had been begun, or everything was done.
        await expectStored(inFolder('cut/file.h5'), announced)
        continue
      }
      const state = readCnt(inFolder('cut/made.cnt'))
      expect(
        announced.filter((run) => !state.stored.has(run) && !state.failed.has(run)),
        where,
      ).toEqual([])
      if (state.lastSequence === 0) continue
      if (whereaboutsOf(state.experiment, () => true, FILES).at !== 'place') {
        expect(announced, where).toEqual([])
        continue
      }
      recoverFile(state)
      await expectStored(inFolder('cut/file.h5'), announced)
      // A second power cut during the recovery would leave it to be done again.
      expect(readCnt(inFolder('cut/made.cnt')).isApplied, where).toBe(true)
    }
  }, 1_200_000)
})

test('a recording made again is what was recorded', async () => {
  const { operations } = await record('again', { ...SCRIPT, runCount: 6, failing: -1 })
  const files = afterKill(operations)
  expect([...files.keys()]).toEqual(['file.h5'])
  expect(Buffer.compare(files.get('file.h5') as Uint8Array, readFileSync(inFolder('again/file.h5')))).toBe(0)
})
