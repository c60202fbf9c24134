import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { PageImage } from '../../src/journal/cnt-record.ts'
import { FILES } from '../../src/journal/disk.ts'
import { CommittedView } from '../../src/reading/committed-view.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()

function viewOf(
  content: Uint8Array,
  fileBytes: number,
  pages: readonly PageImage[],
  hasMoved = () => false,
): CommittedView {
  const file = inFolder('view.bin')
  writeFileSync(file, content)
  const disk = FILES.open(file, 'read')
  onTestFinished(() => disk.close())
  return new CommittedView({ disk, fileBytes, pages, hasMoved })
}

function readAll(view: CommittedView): Buffer {
  const bytes = Buffer.alloc(view.size())
  expect(view.read(bytes, 0)).toBe(bytes.byteLength)
  return bytes
}

const image = fc.record({
  offset: fc.oneof(
    fc.nat(20_000),
    fc.nat(4).map((page) => page * 4096),
  ),
  bytes: fc
    .record({ length: fc.oneof(fc.constant(4096), fc.nat(9000)), fill: fc.nat(255) })
    .map(({ length, fill }) => new Uint8Array(length).fill(fill)),
})

describe('a view of the last commit', () => {
  test('is the file with the pages laid over it in order, whatever part of it is read', () => {
    const file = inFolder('property.bin')
    const content = Uint8Array.from({ length: 16_000 }, (_, index) => (index * 7) % 251)
    writeFileSync(file, content)
    const disk = FILES.open(file, 'read')
    onTestFinished(() => disk.close())
    const part = fc.record({ position: fc.nat(32_000), length: fc.nat(12_000) })
    fc.assert(
      fc.property(fc.array(image), fc.nat(30_000), fc.array(part), (pages, fileBytes, parts) => {
        const expected = Buffer.alloc(40_000)
        expected.set(content)
        for (const { offset, bytes } of pages) expected.set(bytes, offset)
        const view = new CommittedView({ disk, fileBytes, pages, hasMoved: () => false })
        for (const { position, length } of [{ position: 0, length: fileBytes }, ...parts]) {
          const seen = Buffer.alloc(length, 99)
          const count = view.read(seen, position)
          const committed = expected.subarray(
            position,
            Math.max(position, Math.min(fileBytes, position + length)),
          )
          expect(count).toBe(committed.byteLength)
          expect(Buffer.compare(seen.subarray(0, count), committed)).toBe(0)
          // Beyond what was read nothing is touched.
          expect(seen.subarray(count).every((byte) => byte === 99)).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('does not show what lies beyond the last commit', () => {
    const view = viewOf(new Uint8Array(10_000).fill(7), 6000, [])
    expect(view.size()).toBe(6000)
    expect(view.read(new Uint8Array(100), 5950)).toBe(50)
    expect(view.read(new Uint8Array(100), 6000)).toBe(0)
  })

  test('fails, and stays so, once the writer has moved on', () => {
    let hasMoved = false
    const view = viewOf(new Uint8Array(5000), 5000, [], () => hasMoved)
    readAll(view)
    hasMoved = true
    expect(view.isLost).toBe(false)
    expect(() => readAll(view)).toThrow(expect.objectContaining({ name: 'ErrnoError', errno: 29 }))
    hasMoved = false
    expect(() => readAll(view)).toThrow('changed')
    expect(view.isLost).toBe(true)
  })

  test('reads what the disk has at that moment, and never writes', () => {
    const file = inFolder('live.bin')
    writeFileSync(file, Buffer.alloc(8192))
    const disk = FILES.open(file, 'read')
    onTestFinished(() => disk.close())
    const page = { offset: 0, bytes: new Uint8Array(4096).fill(1) }
    const view = new CommittedView({ disk, fileBytes: 8192, pages: [page], hasMoved: () => false })
    // The writer brings the very page into the file meanwhile: nothing changes for the reader.
    const writer = openSync(file, 'r+')
    writeSync(writer, page.bytes, 0, 4096, 0)
    closeSync(writer)
    const before = statSync(file)
    expect(Buffer.compare(readAll(view), readFileSync(file))).toBe(0)
    expect(() => view.write()).toThrow('only read')
    expect(() => view.truncate()).toThrow('only read')
    expect(statSync(file)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs })
  })
})
