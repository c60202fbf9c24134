/**
 * A file whose committed bytes only change with a commit.
 *
 * Data beyond the committed end goes to the disk at once, since nobody reads there. Data that would overwrite committed
 * bytes stays in memory, in pages, and is read from there. `prepare` makes the first durable and returns the second.
 * When those pages are durable elsewhere (in a `.cnt` file), `commit` makes all of it the new committed state.
 * `writePages` writes them into the file, now or later.
 *
 * Invariants:
 * - Bytes of the disk below the protected end change only in `writePages`.
 * - A read returns the newest of working page, pending page and disk. All three agree except for what was changed.
 * - A page in memory is zero beyond the size of the file.
 */
import type { HookedFile } from '../hdf5/hook.ts'
import type { PageImage } from './cnt-record.ts'
import type { Disk } from './disk.ts'

const PAGE_BYTES = 4096
/** Larger writes that change nothing committed go to the disk at once, without a copy. */
const DIRECT_BYTES_MIN = 65_536
/** Pages kept beyond the committed end, so that small adjacent writes reach the disk as one. */
const TAIL_PAGES_MAX = 4096
/** The largest part of the tail that is joined into one write. */
const JOINED_BYTES_MAX = 1_048_576

export class StagedFile implements HookedFile {
  readonly #disk: Disk
  /** Changed since the last commit, by page number. */
  #working = new Map<number, Uint8Array>()
  /** Committed, but not yet in the file. */
  readonly #pending = new Map<number, Uint8Array>()
  #size: number
  #committedSize: number
  /** The largest size ever committed. Readers may look at anything before it. */
  #protectedEnd: number
  /** Beyond this, the disk holds only zeros. */
  #staleEnd: number
  /** Pages of `#working` that are entirely beyond the protected end. */
  #tailPageCount = 0

  /** @param committedSize the valid part of the disk. The rest is left over from something unfinished. */
  constructor(disk: Disk, committedSize: number) {
    this.#disk = disk
    this.#size = committedSize
    this.#committedSize = committedSize
    this.#protectedEnd = committedSize
    this.#staleEnd = disk.size()
  }

  /**
   * Takes over the file as another process left it.
   *
   * @param pages committed, but not yet in the file
   * @param protectedEnd the largest size of the file in any state that readers may find
   */
  takeUp(pages: readonly PageImage[], protectedEnd: number): void {
    this.#protectedEnd = Math.max(this.#protectedEnd, protectedEnd)
    for (const { offset, bytes } of pages) {
      const from = offset % PAGE_BYTES
      const number = (offset - from) / PAGE_BYTES
      let page = this.#pending.get(number)
      if (page === undefined) {
        page = new Uint8Array(PAGE_BYTES)
        const used = Math.max(0, Math.min(PAGE_BYTES, this.#size - number * PAGE_BYTES))
        this.#readDisk(page.subarray(0, used), number * PAGE_BYTES)
        this.#pending.set(number, page)
      }
      page.set(bytes.subarray(0, PAGE_BYTES - from), from)
    }
  }

  size(): number {
    return this.#size
  }

  /** Approximate size of what the next commit must write to the disk. */
  get uncommittedBytes(): number {
    return this.#working.size * PAGE_BYTES + Math.max(0, this.#size - this.#protectedEnd)
  }

  /** Size of the committed pages that wait for `writePages`. */
  get pendingBytes(): number {
    return this.#pending.size * PAGE_BYTES
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.byteLength, this.#size - position))
    let done = 0
    // Pages that are only on the disk are read together.
    let diskStart = 0
    const readDiskUpTo = (end: number) => {
      if (end > diskStart) this.#readDisk(target.subarray(diskStart, end), position + diskStart)
    }
    while (done < count) {
      const at = position + done
      const from = at % PAGE_BYTES
      const number = (at - from) / PAGE_BYTES
      const page = this.#working.get(number) ?? this.#pending.get(number)
      const part = target.subarray(done, Math.min(count, done + PAGE_BYTES - from))
      if (page !== undefined) {
        readDiskUpTo(done)
        part.set(page.subarray(from, from + part.byteLength))
        diskStart = done + part.byteLength
      }
      done += part.byteLength
    }
    readDiskUpTo(count)
    return count
  }

  write(source: Uint8Array, position: number): void {
    if (position > this.#size) this.#fillGap(position)
    const end = position + source.byteLength
    const directStart = roundUp(position)
    const directEnd = end - (end % PAGE_BYTES)
    if (directStart >= this.#protectedEnd && directEnd - directStart >= DIRECT_BYTES_MIN) {
      this.#writePaged(source.subarray(0, directStart - position), position)
      this.#writeDirect(source.subarray(directStart - position, directEnd - position), directStart)
      this.#writePaged(source.subarray(directEnd - position), directEnd)
    } else this.#writePaged(source, position)
    if (this.#tailPageCount > TAIL_PAGES_MAX) this.#spill()
  }

  truncate(size: number): void {
    if (size > this.#size) this.#fillGap(size)
    else this.#cut(size)
    this.#size = size
  }

  /**
   * Durably writes everything beyond the committed end to the disk, together with what `writePages` wrote before.
   * Returns the other changes since the last commit: new images of parts of the committed file, as views that the next
   * write may change.
   */
  prepare(): PageImage[] {
    this.#spill()
    if (this.#disk.size() < this.#size) this.#disk.truncate(this.#size)
    this.#disk.sync()
    const images: PageImage[] = []
    const end = Math.min(this.#size, this.#protectedEnd)
    for (const number of sortedKeys(this.#working)) {
      const offset = number * PAGE_BYTES
      const bytes = (this.#working.get(number) as Uint8Array).subarray(0, Math.max(0, end - offset))
      if (bytes.byteLength > 0) images.push({ offset, bytes })
    }
    return images
  }

  /** The pages from `prepare` are durable elsewhere: they are committed now, although they are not in the file. */
  commit(): void {
    for (const [number, page] of this.#working) this.#pending.set(number, page)
    this.#working = new Map()
    this.#tailPageCount = 0
    this.#committedSize = this.#size
    // `finish` truncates a file that has shrunk. Before that, readers see the older, longer state.
    this.#protectedEnd = Math.max(this.#protectedEnd, this.#size)
  }

  /** Drops everything since the last commit. */
  discard(): void {
    this.#working = new Map()
    this.#tailPageCount = 0
    this.#staleEnd = Math.max(this.#staleEnd, this.#size)
    this.#size = this.#committedSize
  }

  /** Writes the committed pages into the file. They are durable after the next `prepare` or `finish`. */
  writePages(): void {
    for (const number of sortedKeys(this.#pending)) {
      const offset = number * PAGE_BYTES
      const page = this.#pending.get(number) as Uint8Array
      const bytes = page.subarray(0, Math.max(0, this.#committedSize - offset))
      if (bytes.byteLength > 0) this.#disk.write(bytes, offset)
    }
    this.#pending.clear()
  }

  /** Makes the written pages durable. */
  sync(): void {
    this.#disk.sync()
  }

  /** After the last commit and its `writePages`: makes the file the committed state, durably. */
  finish(): void {
    if (this.#disk.size() !== this.#committedSize) this.#disk.truncate(this.#committedSize)
    this.#disk.sync()
  }

  #writePaged(source: Uint8Array, position: number): void {
    const before = this.#contentBefore(source, position)
    let done = 0
    while (done < source.byteLength) {
      const at = position + done
      const from = at % PAGE_BYTES
      const part = source.subarray(done, done + PAGE_BYTES - from)
      if (before !== undefined && part.byteLength === PAGE_BYTES && !this.#working.has(at / PAGE_BYTES)) {
        if (before.subarray(done, done + PAGE_BYTES).equals(part)) {
          done += PAGE_BYTES
          continue
        }
      }
      this.#workingPage((at - from) / PAGE_BYTES, part.byteLength === PAGE_BYTES).set(part, from)
      done += part.byteLength
      this.#size = Math.max(this.#size, at + part.byteLength)
    }
  }

  /**
   * What a write of whole committed pages replaces. HDF5 writes a whole chunk where a few rows of it have changed; pages
   * that stay as they are need no journal. Undefined for other writes.
   */
  #contentBefore(source: Uint8Array, position: number): Buffer | undefined {
    const end = position + source.byteLength
    if (source.byteLength < 2 * PAGE_BYTES || end > Math.min(this.#size, this.#protectedEnd)) return undefined
    const before = Buffer.allocUnsafe(source.byteLength)
    return this.read(before, position) === source.byteLength ? before : undefined
  }

  /** Writes whole pages beyond everything ever committed. */
  #writeDirect(source: Uint8Array, position: number): void {
    this.#disk.write(source, position)
    const end = position + source.byteLength
    for (let at = position; at < end; at += PAGE_BYTES) {
      if (this.#working.delete(at / PAGE_BYTES)) this.#tailPageCount -= 1
    }
    this.#size = Math.max(this.#size, end)
    this.#staleEnd = Math.max(this.#staleEnd, end)
  }

  /** A page to write to. If it will be fully overwritten, it need not be read. */
  #workingPage(number: number, isWhole: boolean): Uint8Array {
    const known = this.#working.get(number)
    if (known !== undefined) return known
    const offset = number * PAGE_BYTES
    const page = new Uint8Array(PAGE_BYTES)
    if (!isWhole && offset < this.#size) {
      const used = page.subarray(0, this.#size - offset)
      const pending = this.#pending.get(number)
      if (pending === undefined) this.#readDisk(used, offset)
      else used.set(pending.subarray(0, used.byteLength))
    }
    this.#working.set(number, page)
    if (offset >= this.#protectedEnd) this.#tailPageCount += 1
    return page
  }

  /** Data that the disk lacks is zero. */
  #readDisk(target: Uint8Array, position: number): void {
    const count = this.#disk.read(target, position)
    target.fill(0, count)
  }

  /** The file grows to `end` with zeros. They must be written if the disk holds older data there. */
  #fillGap(end: number): void {
    const staleEnd = Math.min(end, this.#staleEnd)
    const zeros = new Uint8Array(PAGE_BYTES)
    while (this.#size < staleEnd) {
      this.#writePaged(zeros.subarray(0, Math.min(PAGE_BYTES, staleEnd - this.#size)), this.#size)
      if (this.#tailPageCount > TAIL_PAGES_MAX) this.#spill()
    }
    this.#size = end
  }

  #cut(size: number): void {
    this.#staleEnd = Math.max(this.#staleEnd, this.#size)
    for (const [number, page] of this.#working) {
      const offset = number * PAGE_BYTES
      if (offset + PAGE_BYTES <= size) continue
      if (offset < size) page.fill(0, size - offset)
      else {
        this.#working.delete(number)
        if (offset >= this.#protectedEnd) this.#tailPageCount -= 1
      }
    }
  }

  /** Writes the tail to the disk, adjacent pages in one write. */
  #spill(): void {
    let run: Uint8Array[] = []
    let runOffset = 0
    let runBytes = 0
    const writeRun = () => {
      if (runBytes > 0)
        this.#disk.write(run.length === 1 ? (run[0] as Uint8Array) : Buffer.concat(run), runOffset)
      run = []
      runBytes = 0
    }
    for (const number of sortedKeys(this.#working)) {
      const offset = number * PAGE_BYTES
      const start = Math.max(offset, this.#protectedEnd)
      const end = Math.min(offset + PAGE_BYTES, this.#size)
      if (start >= end) continue
      if (start !== runOffset + runBytes || runBytes >= JOINED_BYTES_MAX) {
        writeRun()
        runOffset = start
      }
      const page = this.#working.get(number) as Uint8Array
      run.push(page.subarray(start - offset, end - offset))
      runBytes += end - start
      // Keep the page with the protected end: the part before it may have changed.
      if (offset >= this.#protectedEnd) this.#working.delete(number)
      this.#staleEnd = Math.max(this.#staleEnd, end)
    }
    writeRun()
    this.#tailPageCount = 0
  }
}

function roundUp(position: number): number {
  return Math.ceil(position / PAGE_BYTES) * PAGE_BYTES
}

function sortedKeys(pages: ReadonlyMap<number, unknown>): number[] {
  return [...pages.keys()].sort((a, b) => a - b)
}
