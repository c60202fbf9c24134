/** A file that loses its name or content between its two openings: by descriptor for the journal's pages, and by name for HDF5. */
import { existsSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Hdf5File } from '../../src/hdf5/file.ts'
import { FILES } from '../../src/journal/disk.ts'
import { headOf } from '../../src/journal/displaced.ts'
import { Hdf5Transaction } from '../../src/journal/transaction.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()

async function beginAfter(file: string, isTurn: boolean, happens: () => void): Promise<unknown> {
  await Hdf5File.write(file, 'create', () => undefined)
  const disk = FILES.open(file, 'write')
  const head = headOf(disk.descriptor as number)
  const fileBytes = disk.size()
  happens()
  return await Hdf5Transaction.begin({
    path: file,
    isNewFile: false,
    isTurn,
    disk,
    left: { fileBytes, protectedBytes: fileBytes, pages: [] },
    head,
    storage: { readerWaitMs: 0, cntCompactBytes: 0 },
    onNotice: () => undefined,
    onError: () => undefined,
    openJournal: () => {
      throw new Error('the file was opened')
    },
  }).catch((error: unknown) => error)
}

describe('a file that loses its name or content while it is being opened', () => {
  test('is moved, and says where to: not that it cannot be written', async () => {
    const file = inFolder('moved.h5')
    const away = inFolder('away.h5')
    expect(await beginAfter(file, false, () => renameSync(file, away))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      message: expect.stringContaining(`moved to ${away}`),
    })
  })

  test('is told of in a turn without putting it back, because the opening does that', async () => {
    const file = inFolder('turn.h5')
    expect(await beginAfter(file, true, () => rmSync(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      hint: 'Move it back.',
    })
    expect(existsSync(file)).toBe(false)
  })

  test('is put back where it was removed', async () => {
    const file = inFolder('removed.h5')
    expect(await beginAfter(file, false, () => rmSync(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      hint: 'It was restored from the open file.',
    })
    expect(existsSync(file)).toBe(true)
  })

  test('is not written where another file has its name by then', async () => {
    const file = inFolder('replaced.h5')
    const replace = () => {
      rmSync(file)
      writeFileSync(file, 'not HDF5')
    }
    expect(await beginAfter(file, true, replace)).toMatchObject({ code: 'PYPET_FILE_MOVED' })
  })

  test.each([
    ['overwritten', (file: string) => writeFileSync(file, new Uint8Array(1_000_000), { flag: 'r+' })],
    ['truncated', (file: string) => truncateSync(file, 10)],
  ])('is %s, and is not said to be unwritable', async (what, harm) => {
    const file = inFolder(`${what}.h5`)
    expect(await beginAfter(file, true, () => harm(file))).toMatchObject({
      code: 'PYPET_FILE_MOVED',
      message: expect.stringContaining(`was ${what}`),
    })
  })
})
