/** Texts as the file counts them: in bytes of UTF-8. */

/**
 * A list of texts, and the range of an explored text, have room for the longest in each element. One long
 * text among many short ones would fill memory and file with padding, so no such array may exceed 1 GiB.
 */
export const PADDED_TEXTS_BYTES_MAX = 2 ** 30

/** How many bytes of UTF-8 a text takes. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength
}

/** The bytes of the longest of many texts; 0 where there is none. */
export function longestUtf8Bytes(texts: Iterable<string>): number {
  let longest = 0
  for (const text of texts) {
    // A UTF-16 code unit takes at most three bytes, so most texts need not be encoded.
    if (text.length * UTF8_BYTES_MAX > longest) longest = Math.max(longest, utf8Bytes(text))
  }
  return longest
}

/**
 * Text cut to `bytesMax` bytes of UTF-8 without breaking a character, and with `...` where it was cut,
 * as pypet cuts comments. A long text costs no more than what is kept of it.
 */
export function cutToUtf8Bytes(text: string, bytesMax: number): string {
  if (text.length * UTF8_BYTES_MAX <= bytesMax) return text
  const room = new Uint8Array(bytesMax)
  if (encoder.encodeInto(text, room).read === text.length) return text
  const { read } = encoder.encodeInto(text, room.subarray(0, Math.max(0, bytesMax - DOTS.length)))
  return text.slice(0, read) + DOTS
}

/** Of one UTF-16 code unit; a pair of them takes four. */
const UTF8_BYTES_MAX = 3
const DOTS = '...'
const encoder = new TextEncoder()
