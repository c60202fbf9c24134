/** The parts of a run in their file, where the disk fails. */
import { readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PartFile } from '../../src/journal/part-file.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** A disk that takes the first bytes of a write and then fails, as often as it is told to; it cannot be cut either. */
function failingDisk() {
  const disk = { isFailing: false, openings: 0 }
  const openFile: typeof open = async (...given) => {
    disk.openings += 1
    const file = await open(...given)
    return new Proxy(file, {
      get(target, name: keyof FileHandle) {
        const found = target[name]
        if (typeof found !== 'function') return found
        if (!disk.isFailing) return found.bind(target)
        if (name === 'write') {
          return async (piece: Uint8Array, offset: number, _: number, position: number) => {
            await target.write(piece, offset, 1, position)
            throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
          }
        }
        if (name === 'truncate') {
          return async () => {
            throw Object.assign(new Error('EIO: i/o error, ftruncate'), { code: 'EIO' })
          }
        }
        return found.bind(target)
      },
    })
  }
  return { disk, openFile }
}

test('parts stay where a later one can neither be written nor be cut off, and the next takes its place', async () => {
  const { disk, openFile } = failingDisk()
  const parts = new PartFile(join(fileTree({}), 'parts'), 3, 1, openFile)
  const frame = (text: string) => [[Buffer.from(text)]]
  expect(await parts.write(frame('first'))).toEqual([{ offset: 0, bytes: 5 }])
  disk.isFailing = true
  await expect(parts.write(frame('second'))).rejects.toMatchObject({
    code: 'PYPET_STORAGE_FAILED',
    message: expect.stringContaining('EIO: i/o error, write'),
  })
  disk.isFailing = false
  expect(await parts.write(frame('third'))).toEqual([{ offset: 5, bytes: 5 }])
  expect([readFileSync(parts.path, 'utf8'), disk.openings]).toEqual(['firstthird', 1])
  await parts.close()
  await expect(parts.write(frame('late'))).rejects.toThrow('the run has ended')
})
