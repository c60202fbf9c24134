import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PageImage } from '../../src/journal/cnt-record.ts'
import type { Disk } from '../../src/journal/disk.ts'
import { StagedFile } from '../../src/journal/staged-file.ts'

/** A disk in memory that fails from a given number of writes on, to be looked at in between. */
class MemoryDisk implements Disk {
  bytes = new Uint8Array(0)

  size(): number {
    return this.bytes.byteLength
  }

  read(target: Uint8Array, position: number): number {
    const found = this.bytes.subarray(position, position + target.byteLength)
    target.set(found)
    return found.byteLength
  }

  write(source: Uint8Array, position: number): void {
    if (position + source.byteLength > this.bytes.byteLength) this.truncate(position + source.byteLength)
    this.bytes.set(source, position)
  }

  truncate(size: number): void {
    const cut = new Uint8Array(size)
    cut.set(this.bytes.subarray(0, size))
    this.bytes = cut
  }

  sync(): void {}

  close(): void {}
}

/** What a recovery makes of a disk: the pages of every commit that is not known to be in the file, in order. */
function recovered(disk: MemoryDisk, size: number, commits: readonly (readonly PageImage[])[]): Uint8Array {
  const copy = new MemoryDisk()
  copy.bytes = disk.bytes.slice()
  for (const images of commits) for (const { offset, bytes } of images) copy.write(bytes, offset)
  copy.truncate(size)
  return copy.bytes
}

const size = fc.oneof(fc.nat(300), fc.nat(20_000), fc.nat(300_000))
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      position: fc.double({ min: 0, max: 1.2, noNaN: true }),
      size,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('truncate' as const),
      position: fc.double({ min: 0, max: 1.3, noNaN: true }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('commit' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('write-pages' as const) }) },
)

describe('a staged file', () => {
  test('reads back what was written, and at any moment the last commit can be recovered', () => {
    fc.assert(
      fc.property(
        fc.nat(50_000),
        fc.nat(9000),
        fc.array(action, { maxLength: 40 }),
        (base, stale, actions) => {
          const disk = new MemoryDisk()
          disk.bytes = Uint8Array.from({ length: base + stale }, (_, index) => (index * 7) % 251)
          const file = new StagedFile(disk, base)
          // The same by the simplest means: an array of bytes.
          const model = new MemoryDisk()
          model.bytes = disk.bytes.slice(0, base)
          let committed = model.bytes.slice()
          let unapplied: PageImage[][] = []
          let fill = 0
          for (const step of actions) {
            fill += 1
            if (step.type === 'write') {
              const position = Math.floor(step.position * model.size())
              const source = new Uint8Array(step.size).fill(fill)
              file.write(source, position)
              if (step.size > 0) model.write(source, position)
              else if (position > model.size()) model.truncate(position)
            } else if (step.type === 'truncate') {
              const end = Math.floor(step.position * model.size())
              file.truncate(end)
              model.truncate(end)
            } else if (step.type === 'commit') {
              unapplied.push(file.prepare().map(({ offset, bytes }) => ({ offset, bytes: bytes.slice() })))
              file.commit()
              committed = model.bytes.slice()
            } else {
              file.writePages()
              // The next `prepare` syncs it; this disk forgets nothing.
              unapplied = []
            }
            const seen = new Uint8Array(model.size())
            expect(file.size()).toBe(model.size())
            expect(file.read(seen, 0)).toBe(model.size())
            expect(Buffer.compare(seen, model.bytes)).toBe(0)
            expect(Buffer.compare(recovered(disk, committed.byteLength, unapplied), committed)).toBe(0)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('leaves committed bytes on the disk as they are until its pages are written', () => {
    const disk = new MemoryDisk()
    disk.bytes = new Uint8Array(10_000).fill(1)
    const file = new StagedFile(disk, 10_000)
    file.write(new Uint8Array(20_000).fill(2), 5000)
    file.prepare()
    expect(disk.bytes.subarray(0, 10_000).every((byte) => byte === 1)).toBe(true)
    expect(disk.bytes.subarray(10_000).every((byte) => byte === 2)).toBe(true)
    file.commit()
    expect(file.pendingBytes).toBeGreaterThan(0)
    file.writePages()
    expect(file.pendingBytes).toBe(0)
    expect(disk.bytes.subarray(5000).every((byte) => byte === 2)).toBe(true)
  })

  test('cuts a file that became smaller only when it is finished', () => {
    const disk = new MemoryDisk()
    disk.bytes = new Uint8Array(10_000).fill(1)
    const file = new StagedFile(disk, 10_000)
    file.truncate(3000)
    file.prepare()
    file.commit()
    file.writePages()
    expect(disk.size()).toBe(10_000)
    file.finish()
    expect(disk.size()).toBe(3000)
  })

  test('journals only the pages of a large write that it changes', () => {
    const disk = new MemoryDisk()
    const file = new StagedFile(disk, 0)
    const chunk = Uint8Array.from({ length: 65_536 }, (_, index) => index % 251)
    file.write(chunk, 100)
    file.prepare()
    file.commit()
    const changed = chunk.slice()
    changed[30_000] = 255
    file.write(changed, 100)
    const offsets = file.prepare().map(({ offset }) => offset)
    // The first and the last one are written in part.
    expect(offsets).toEqual([0, 28_672, 65_536])
    file.commit()
    // What is committed but not in the file yet counts, too.
    file.write(changed, 100)
    expect(file.prepare().map(({ offset }) => offset)).toEqual([0, 65_536])
    const found = new Uint8Array(65_536)
    file.read(found, 100)
    expect(Buffer.compare(found, changed)).toBe(0)
  })
})
