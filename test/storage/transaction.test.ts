/** A file that loses its name between its two openings: by descriptor for the journal's pages, and by name for HDF5. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Hdf5File } from '../../src/hdf5/file.ts'
import { FILES } from '../../src/journal/disk.ts'
import { Hdf5Transaction } from '../../src/journal/transaction.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()

async function beginAfter(file: string, isTurn: boolean, happens: () => void): Promise<unknown> {
  await Hdf5File.write(file, 'create', () => undefined)
  const disk = FILES.open(file, 'write')
  happens()
  return await Hdf5Transaction.begin({
    path: file,
    isNewFile: false,
    isTurn,
    disk,
    storage: { readerWaitMs: 0, cntCompactBytes: 0 },
    onNotice: () => undefined,
    onError: () => undefined,
    openJournal: () => {
      throw new Error('the file was opened')
    },
  }).catch((error: unknown) => error)
}

describe('a file that loses its name while it is being opened', () => {
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
})
