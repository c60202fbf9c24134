/** Texts as the file measures them: in UTF-8 bytes. */

/**
 * In a list of texts and in the range of an explored text, every element takes the space of the longest. One long
 * text among many short ones would fill memory and file with padding, so no such array may exceed 1 GiB.
 */
export const PADDED_TEXTS_BYTES_MAX = 2 ** 30

/** The number of UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).byteLength
}

/** The number of bytes of the longest text; 0 if there are no texts. */
export function longestUtf8Bytes(texts: Iterable<string>): number {
  let longest = 0
  for (const text of texts) {
    // A UTF-16 code unit takes at most three bytes, so most texts need no encoding.
    if (text.length * UTF8_BYTES_MAX > longest) longest = Math.max(longest, utf8Bytes(text))
  }
  return longest
}

/**
 * Cuts a text to `bytesMax` bytes of UTF-8 without splitting a character. A text that was cut ends in `...`,
 * like pypet's comments. A long text costs no more than the part that is kept.
 */
export function cutToUtf8Bytes(text: string, bytesMax: number): string {
  if (text.length * UTF8_BYTES_MAX <= bytesMax) return text
  const room = new Uint8Array(bytesMax)
  if (encoder.encodeInto(text, room).read === text.length) return text
  const { read } = encoder.encodeInto(text, room.subarray(0, Math.max(0, bytesMax - DOTS.length)))
  return text.slice(0, read) + DOTS
}

/** Per UTF-16 code unit. A surrogate pair takes four. */
const UTF8_BYTES_MAX = 3
const DOTS = '...'
const encoder = new TextEncoder()
