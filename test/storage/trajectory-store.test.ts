import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { useFolder } from '../temporary-folder.ts'
import { Hdf5Content } from './hdf5-content.ts'
import {
  arrived,
  closeStore,
  failure,
  openRequest,
  type Requested,
  result,
  runRecord,
  storeOptions,
  unreadableResult,
} from './open-request.ts'

const inFolder = useFolder()
const open = (file: string, requested: Requested = {}) =>
  TrajectoryStore.open(openRequest(inFolder(file), requested), storeOptions())

/** A trajectory with one stored run. */
async function made(file: string, requested: Requested = {}): Promise<void> {
  const store = await open(file, requested)
  store.storeRun(arrived(runRecord(0, [result(0, 'z', 42)])))
  await closeStore(store)
}

describe('a trajectory', () => {
  test('has its runs, its failures and its rows after the close', async () => {
    const store = await open('runs.h5', { x: [1, 2, 3, 4], comment: 'ein Vergleich' })
    store.storeRun(arrived(runRecord(3, [result(3, 'z', 6)])))
    store.failRun(failure(1, 'schief gegangen'))
    expect(store.hasUncommitted).toBe(true)
    expect(store.commit()).toEqual({ stored: [3], failed: [1], refused: [] })
    expect(store.hasUncommitted).toBe(false)
    store.storeRun(arrived(runRecord(0, [result(0, 'sub.z', 'a')])))
    const [runtime] = flattenParameters({ runtime: 1.5 }, 'config')
    expect(await closeStore(store, [runtime as NonNullable<typeof runtime>])).toEqual({
      stored: [0],
      failed: [],
      refused: [],
    })

    using content = await Hdf5Content.open(inFolder('runs.h5'))
    const runs = '/made/overview/runs'
    expect(content.column(runs, 'idx')).toEqual([0, 1, 2, 3])
    expect(content.column(runs, 'completed')).toEqual([1, 0, 0, 1])
    expect(content.column(runs, 'parameter_summary')).toEqual(['x: 1.0', 'x: 2.0', 'x: 3.0', 'x: 4.0'])
    expect(content.column(runs, 'runtime')).toEqual([
      '0:00:00.250000',
      '0:00:00.500000',
      '',
      '0:00:00.250000',
    ])
    expect(content.column(runs, 'short_environment_hexsha')).toEqual(Array(4).fill('0123456'))
    expect(content.column('/made/overview/failed_runs', 'message')).toEqual(['schief gegangen'])
    expect(content.names('/made/results/runs')).toEqual(['run_00000000', 'run_00000003'])
    expect(content.dataset('/made/results/runs/run_00000003/z/z').value).toBe(6)
    expect(content.column('/made/config/runtime/data', 'data')).toEqual([1.5])
    expect(content.column('/made/config/hdf5/complevel/data', 'data')).toEqual([0])
    expect(content.column('/made/overview/info', 'length')).toEqual([4])
    expect(content.column('/made/overview/info', 'comment')).toEqual(['ein Vergleich'])
  })

  test('takes the first word about a run and ignores the second', async () => {
    const store = await open('twice.h5')
    store.storeRun(arrived(runRecord(0, [result(0, 'z', 1)])))
    store.failRun(failure(0))
    store.failRun(failure(1))
    store.storeRun(arrived(runRecord(1, [result(1, 'z', 2)])))
    expect(await closeStore(store)).toEqual({ stored: [0], failed: [1], refused: [] })
    using content = await Hdf5Content.open(inFolder('twice.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([1, 0, 0])
    expect(content.column('/made/overview/failed_runs', 'idx')).toEqual([1])
    expect(content.names('/made/results/runs')).toEqual(['run_00000000'])
  })

  test('fails a run that it cannot lay out, with the reason, and stores the others', async () => {
    const store = await open('unreadable.h5')
    store.storeRun(arrived(runRecord(0, [result(0, 'z', 1), unreadableResult(0)])))
    store.storeRun(arrived(runRecord(1, [result(1, 'z', 2)])))
    store.failRun(failure(0, 'a second word'))
    const { stored, failed, refused } = await closeStore(store)
    expect([stored, failed]).toEqual([[1], [0]])
    expect(refused).toMatchObject([{ run: 0, error: { name: 'TypeError' } }])
    using content = await Hdf5Content.open(inFolder('unreadable.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([0, 1, 0])
    expect(content.column('/made/overview/failed_runs', 'message')).toEqual([refused[0]?.error.message])
    expect(content.names('/made/results/runs')).toEqual(['run_00000001'])
  })

  test('can be read after a commit, while it is still open', async () => {
    const store = await open('open.h5')
    store.storeRun(arrived(runRecord(2, [result(2, 'z', Float64Array.of(1, 2))])))
    store.commit()
    takeSnapshot(inFolder('open.h5'), inFolder('copy.h5'))
    await closeStore(store)
    using content = await Hdf5Content.open(inFolder('copy.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([0, 0, 1])
    expect(content.dataset('/made/results/runs/run_00000002/z/z').value).toEqual(Float64Array.of(1, 2))
  })

  test('may settle after its first runs without losing a row of the summaries', async () => {
    const store = await open('settled.h5')
    store.storeRun(arrived(runRecord(0, [result(0, 'z', 1, 'before')])))
    store.commit()
    store.settle()
    store.settle()
    store.storeRun(arrived(runRecord(1, [result(1, 'z', 1, 'after')])))
    await closeStore(store)
    using content = await Hdf5Content.open(inFolder('settled.h5'))
    expect(content.column('/made/overview/results_summary', 'comment')).toEqual(['before', 'after'])
    expect(content.column('/made/overview/config_overview', 'name')).toEqual(['complevel'])
    expect(content.column('/made/overview/derived_parameters_summary', 'comment')).toEqual([])
  })

  test('that explores nothing has one run', async () => {
    const request = { ...openRequest(inFolder('one.h5')), exploration: undefined }
    const store = await TrajectoryStore.open(request, storeOptions())
    store.storeRun(arrived(runRecord(0, [])))
    await closeStore(store)
    using content = await Hdf5Content.open(inFolder('one.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([1])
    expect(content.has('/made/overview/explorations')).toBe(false)
    expect(content.has('/made/results/runs/run_00000000')).toBe(true)
  })
})

describe('several trajectories in one file', () => {
  test('a second name joins and the first stays as it was', async () => {
    await made('several.h5', { name: 'first' })
    await made('several.h5', { name: 'second' })
    using content = await Hdf5Content.open(inFolder('several.h5'))
    expect(content.names('/')).toEqual(['first', 'second'])
    for (const name of ['first', 'second']) {
      expect(content.dataset(`/${name}/results/runs/run_00000000/z/z`).value).toBe(42)
    }
  })

  test('an existing name is refused and the file is byte for byte the same', async () => {
    await made('taken.h5')
    const before = await readFile(inFolder('taken.h5'))
    await expect(open('taken.h5')).rejects.toMatchObject({
      code: 'PYPET_TRAJECTORY_EXISTS',
      where: inFolder('taken.h5'),
      message: expect.stringContaining('made'),
      hint: expect.stringContaining('--overwrite'),
    })
    expect(Buffer.compare(await readFile(inFolder('taken.h5')), before)).toBe(0)
  })

  test('overwriting replaces the whole file', async () => {
    await made('replaced.h5', { name: 'old' })
    await made('replaced.h5', { name: 'new', overwrite: true })
    using content = await Hdf5Content.open(inFolder('replaced.h5'))
    expect(content.names('/')).toEqual(['new'])
  })
})

describe('what is no place for a trajectory', () => {
  test('a file that is not HDF5 is refused and left as it is', async () => {
    await writeFile(inFolder('text.h5'), 'a text that somebody wrote')
    await expect(open('text.h5')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_HDF5' })
    expect(await readFile(inFolder('text.h5'), 'utf8')).toBe('a text that somebody wrote')
  })

  test('an HDF5 file that was cut short is refused and left as it is', async () => {
    await made('whole.h5')
    const cut = (await readFile(inFolder('whole.h5'))).subarray(0, 3000)
    await writeFile(inFolder('cut.h5'), cut)
    await expect(open('cut.h5', { name: 'other' })).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_HDF5' })
    expect(Buffer.compare(await readFile(inFolder('cut.h5')), cut)).toBe(0)
  })

  test('a folder is refused', async () => {
    await mkdir(inFolder('folder.h5'))
    await expect(open('folder.h5')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_HDF5' })
  })

  test('a path below a file is refused', async () => {
    await writeFile(inFolder('file'), '')
    await expect(open('file/below/it.h5')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_WRITABLE' })
  })

  // The administrator may write everywhere.
  test.skipIf(process.getuid?.() === 0)('a folder without permission is refused', async () => {
    await mkdir(inFolder('closed'))
    await chmod(inFolder('closed'), 0o500)
    await expect(open('closed/new.h5')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_WRITABLE' })
  })
})

test('an empty file and a folder that is missing are filled', async () => {
  await writeFile(inFolder('empty.h5'), '')
  await made('empty.h5')
  await made('new/folder/file.h5')
  for (const file of ['empty.h5', 'new/folder/file.h5']) {
    using content = await Hdf5Content.open(inFolder(file))
    expect(content.names('/')).toEqual(['made'])
  }
})
