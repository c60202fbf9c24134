/** Images of parts of a file, the newest of each byte. */
import type { PageImage } from './cnt-record.ts'

/** Images are laid by pages of this size; theirs begin where a page begins. */
const PAGE_BYTES = 4096

export class PageSet {
  readonly #pages = new Map<number, Uint8Array>()

  /** Lays an image over those before. A shorter one leaves the rest of an older one in sight. */
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
   * In the order of their offsets.
   *
   * @param end what lies beyond is left out: it was a part of the file once, and is none any more
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
