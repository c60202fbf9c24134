/** Text in UTF-8, put together in one buffer: millions of short texts cost less than as one long string. */

/** Longer texts are encoded at once. */
const SHORT = 64

export class TextBytes {
  #bytes = Buffer.allocUnsafe(2 ** 20)
  #length = 0

  put(text: string): void {
    // A character takes at most three bytes.
    const most = this.#length + 3 * text.length
    if (most > this.#bytes.length) this.#grow(most)
    const bytes = this.#bytes
    let at = this.#length
    if (text.length <= SHORT) {
      for (let index = 0; index < text.length; index += 1) {
        const code = text.charCodeAt(index)
        if (code > 127) {
          at = -1
          break
        }
        bytes[at] = code
        at += 1
      }
    } else at = -1
    this.#length = at >= 0 ? at : this.#length + bytes.write(text, this.#length)
  }

  /** What was put since the last call. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  #grow(most: number): void {
    const larger = Buffer.allocUnsafe(2 * most)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
