/** Images of parts of a file, with the newest data for each byte. */
import type { PageImage } from './cnt-record.ts'

/** Images are stored in pages of this size, aligned to it. */
const PAGE_BYTES = 4096

export class PageSet {
  readonly #pages = new Map<number, Uint8Array>()

  /** Adds an image over earlier ones. A shorter image keeps the rest of an older one. */
  lay({ offset, bytes }: PageImage): void {
    for (let start = 0; start < bytes.byteLength; ) {
      const at = offset + start
      const from = at % PAGE_BYTES
      const part = bytes.subarray(start, start + PAGE_BYTES - from)
      this.#layPart(at - from, from, part)
      start += part.byteLength
    }
  }

  /**
   * In order of offset.
   *
   * @param end leaves out what lies beyond: it is no longer part of the file
   */
  images(end: number): PageImage[] {
    return [...this.#pages]
      .filter(([offset]) => offset < end)
      .sort(([a], [b]) => a - b)
      .map(([offset, bytes]) => ({ offset, bytes: bytes.subarray(0, end - offset) }))
  }

  #layPart(page: number, from: number, part: Uint8Array): void {
    const known = this.#pages.get(page)
    if (from === 0 && part.byteLength >= (known?.byteLength ?? 0)) {
      this.#pages.set(page, part)
      return
    }
    const joined = new Uint8Array(Math.max(known?.byteLength ?? 0, from + part.byteLength))
    if (known !== undefined) joined.set(known)
    joined.set(part, from)
    this.#pages.set(page, joined)
  }
}
