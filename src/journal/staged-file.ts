/**
 * A file whose committed bytes do not change until a commit says so.
 *
 * What lies beyond the committed end goes to the disk as it comes, since nobody looks there. What would
 * overwrite committed bytes stays in memory, in pages, and is read from there. `prepare` makes the first
 * durable and returns the second; once those are durable elsewhere (in a `.cnt` file), `commit` makes all of
 * it the new committed state, and `writePages` brings it into the file, now or later.
 *
 * Invariants:
 * - Bytes of the disk below the protected end change in `writePages` only.
 * - What is read is the newest of working page, pending page and disk; all three hold the same beyond what
 *   was changed.
 * - A page in memory is zero beyond the size of the file.
 */
import type { HookedFile } from '../hdf5/hook.ts'
import type { PageImage } from './cnt-record.ts'
import type { Disk } from './disk.ts'

const PAGE_BYTES = 4096
/** Writes from this size on that change nothing committed go to the disk at once, without a copy. */
const DIRECT_BYTES_MIN = 65_536
/** Pages beyond the committed end that are kept, so that neighbouring small writes reach the disk as one. */
const TAIL_PAGES_MAX = 4096
/** How much of the tail is joined into one write. */
const JOINED_BYTES_MAX = 1_048_576

export class StagedFile implements HookedFile {
  readonly #disk: Disk
  /** Changed since the last commit, by page number. */
  #working = new Map<number, Uint8Array>()
  /** Committed, but not yet in the file. */
  readonly #pending = new Map<number, Uint8Array>()
  #size: number
  #committedSize: number
  /** The largest size that was ever committed: what lies before it may be looked at. */
  #protectedEnd: number
  /** Beyond this the disk holds nothing but zeros. */
  #staleEnd: number
  /** Pages of `#working` that lie wholly beyond the protected end. */
  #tailPageCount = 0

  /** @param committedSize what of the disk counts; the rest of it is left from something unfinished */
  constructor(disk: Disk, committedSize: number) {
    this.#disk = disk
    this.#size = committedSize
    this.#committedSize = committedSize
    this.#protectedEnd = committedSize
    this.#staleEnd = disk.size()
  }

  /**
   * Takes the file up where another one has left it.
   *
   * @param pages committed, but not yet in the file
   * @param protectedEnd the largest size that the file has in any state in which readers may find it
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

  /** Bytes that the next commit has to bring to the disk, about. */
  get uncommittedBytes(): number {
    return this.#working.size * PAGE_BYTES + Math.max(0, this.#size - this.#protectedEnd)
  }

  /** Bytes of committed pages that wait for `writePages`. */
  get pendingBytes(): number {
    return this.#pending.size * PAGE_BYTES
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.byteLength, this.#size - position))
    let done = 0
    while (done < count) {
      const at = position + done
      const from = at % PAGE_BYTES
      const number = (at - from) / PAGE_BYTES
      const page = this.#working.get(number) ?? this.#pending.get(number)
      const part = target.subarray(done, Math.min(count, done + PAGE_BYTES - from))
      if (page === undefined) this.#readDisk(part, at)
      else part.set(page.subarray(from, from + part.byteLength))
      done += part.byteLength
    }
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
   * Brings everything beyond the committed end to the disk, durably, and with it what `writePages` has written
   * before. Returns what else has changed since the last commit: new images of parts of the committed
   * file, as views that the next write may change.
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

  /** What `prepare` returned is durable elsewhere: from now on it counts, though it is not in the file. */
  commit(): void {
    for (const [number, page] of this.#working) this.#pending.set(number, page)
    this.#working = new Map()
    this.#tailPageCount = 0
    this.#committedSize = this.#size
    // A file that became smaller is cut by `finish`: until then readers see the older, longer state.
    this.#protectedEnd = Math.max(this.#protectedEnd, this.#size)
  }

  /** What has changed since the last commit never happened. */
  discard(): void {
    this.#working = new Map()
    this.#tailPageCount = 0
    this.#staleEnd = Math.max(this.#staleEnd, this.#size)
    this.#size = this.#committedSize
  }

  /** Brings the committed pages into the file. They are durable after the next `prepare` or `finish`. */
  writePages(): void {
    for (const number of sortedKeys(this.#pending)) {
      const offset = number * PAGE_BYTES
      const page = this.#pending.get(number) as Uint8Array
      const bytes = page.subarray(0, Math.max(0, this.#committedSize - offset))
      if (bytes.byteLength > 0) this.#disk.write(bytes, offset)
    }
    this.#pending.clear()
  }

  /** Makes the pages that were written durable. */
  sync(): void {
    this.#disk.sync()
  }

  /** After the last commit and its `writePages`: makes the file what was committed, durably. */
  finish(): void {
    if (this.#disk.size() !== this.#committedSize) this.#disk.truncate(this.#committedSize)
    this.#disk.sync()
  }

  #writePaged(source: Uint8Array, position: number): void {
    let done = 0
    while (done < source.byteLength) {
      const at = position + done
      const from = at % PAGE_BYTES
      const part = source.subarray(done, done + PAGE_BYTES - from)
      this.#workingPage((at - from) / PAGE_BYTES, part.byteLength === PAGE_BYTES).set(part, from)
      done += part.byteLength
      this.#size = Math.max(this.#size, at + part.byteLength)
    }
  }

  /** Whole pages beyond everything that was ever committed. */
  #writeDirect(source: Uint8Array, position: number): void {
    this.#disk.write(source, position)
    const end = position + source.byteLength
    for (let at = position; at < end; at += PAGE_BYTES) {
      if (this.#working.delete(at / PAGE_BYTES)) this.#tailPageCount -= 1
    }
    this.#size = Math.max(this.#size, end)
    this.#staleEnd = Math.max(this.#staleEnd, end)
  }

  /** A page to write to. One that will be overwritten whole need not be read. */
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

  /** What the disk does not have is zero. */
  #readDisk(target: Uint8Array, position: number): void {
    const count = this.#disk.read(target, position)
    target.fill(0, count)
  }

  /** The file grows to `end` by zeros. Where the disk holds something older, they must be written. */
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

  /** Brings the tail to the disk, neighbouring pages in one write. */
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
      // The page that holds the protected end stays: what lies before it may have changed.
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
