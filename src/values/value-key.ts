/**
 * When two values are the same: equal form, element type and shape, and equal bits. A NaN equals itself. There is one
 * rule for all: seeds digest these parts, and points are told apart by a key of them.
 */
import { type RawValue, rawValue } from './raw-value.ts'
import type { Complex, Scalar, StoredScalar, StoredValue } from './stored-value.ts'
import { utf8Bytes } from './utf8.ts'

/**
 * The parts of a value in order. Different values never have the same parts. Each text is preceded by its length.
 *
 * The seeds of runs depend on these parts, so they must never change: otherwise stored results could not be reproduced.
 */
export function valueParts(value: RawValue, add: (part: string | Uint8Array) => void): void {
  const addText = (text: string) => {
    add(countBytes(utf8Bytes(text)))
    add(text)
  }
  addText(value.form)
  switch (value.form) {
    case 'null':
      break
    case 'date':
      add(new Uint8Array(Float64Array.of(value.time).buffer))
      break
    case 'record':
      add(countBytes(value.fields.length))
      for (const { name, value: field } of value.fields) {
        addText(name)
        valueParts(field, add)
      }
      break
    case 'table':
      add(countBytes(value.columns.length))
      for (const { name, value: column } of value.columns) {
        addText(name)
        valueParts(column, add)
      }
      break
    case 'sparse':
      addText(`${value.format} ${value.shape.join(' ')}`)
      for (const part of [value.indptr, value.indices, value.data]) valueParts(part, add)
      break
    default:
      addText(`${value.dtype} ${value.shape.join(' ')}`)
      if ('texts' in value) for (const text of value.texts) addText(text)
      else add(value.dtype === 'float64' && value.form !== 'ndarray' ? oneNaN(value.bytes) : value.bytes)
  }
}

/** A number as `valueParts` writes it: u32, little-endian. */
export function countBytes(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

/** Makes all NaNs the same: JavaScript does not preserve the bit pattern of a single NaN. */
function oneNaN(bytes: Uint8Array): Uint8Array {
  const numbers = new Float64Array(new Uint8Array(bytes).buffer)
  const words = new BigUint64Array(numbers.buffer)
  for (const [index, number] of numbers.entries()) {
    if (Number.isNaN(number)) words[index] = 0x7ff8000000000000n
  }
  return new Uint8Array(numbers.buffer)
}

/** A text that equal values share and different values do not. For a long value it is a 128-bit digest. */
export function valueKey(value: StoredValue): string {
  if (value.form === 'scalar') return scalarKey(value)
  return value.form === 'unread' ? `unread:${value.type}:${value.note}` : rawValueKey(rawValue(value))
}

/** The same for a raw value that is not a single number or text. */
export function rawValueKey(value: RawValue): string {
  const digest = new Digest()
  valueParts(value, (part) => digest.add(part))
  return `${value.form}:${digest.text()}`
}

export function isEqualValue(a: StoredValue, b: StoredValue): boolean {
  return a === b || valueKey(a) === valueKey(b)
}

function scalarKey({ dtype, value }: StoredScalar): string {
  return `${dtype}:${elementText(value)}`
}

/**
 * A key for a single value of an exploration. Values of one parameter, which have one type, are equal if their keys are:
 * 0 and -0 differ, as their seeds do, and a NaN equals itself.
 */
export function plainKey(value: Scalar): string {
  return elementText(value)
}

/** One key from the keys of a point's values, whatever they contain. */
export function pointKey(keys: readonly string[]): string {
  return keys.map((key) => `${key.length}:${key}`).join(',')
}

function elementText(element: StoredScalar['value']): string {
  if (typeof element === 'number') return Object.is(element, -0) ? '-0' : String(element)
  if (typeof element !== 'object') return String(element)
  if (element instanceof Uint8Array) return element.join(',')
  const { re, im } = element as Complex
  return `${elementText(re)},${elementText(im)}`
}

/** MurmurHash3_x86_128 (Austin Appleby, public domain) of each part, preceded by its length. */
class Digest {
  #h1 = 0
  #h2 = 0
  #h3 = 0
  #h4 = 0

  add(part: string | Uint8Array): void {
    this.#block(part.length, typeof part === 'string' ? 1 : 2, 0, 0)
    if (typeof part === 'string') this.#addText(part)
    else this.#addBytes(part)
  }

  text(): string {
    const words = [this.#h1, this.#h2, this.#h3, this.#h4].map(finished)
    return words.map((word) => word.toString(16).padStart(8, '0')).join('')
  }

  #addText(text: string): void {
    for (let index = 0; index < text.length; index += 4) {
      // Past the end this is NaN, which is 0 as bits.
      const at = (offset: number) => text.charCodeAt(index + offset) | 0
      this.#block(at(0), at(1), at(2), at(3))
    }
  }

  #addBytes(bytes: Uint8Array): void {
    const wordCount = bytes.byteLength >>> 2
    const words = bytes.byteOffset % 4 === 0 ? wordsOf(bytes, wordCount) : wordsOf(bytes.slice(), wordCount)
    let index = 0
    for (; index + 4 <= wordCount; index += 4) {
      this.#block(
        words[index] as number,
        words[index + 1] as number,
        words[index + 2] as number,
        words[index + 3] as number,
      )
    }
    const rest = bytes.subarray(index * 4)
    if (rest.byteLength === 0) return
    const tail = new Uint8Array(16)
    tail.set(rest)
    const [a = 0, b = 0, c = 0, d = 0] = wordsOf(tail, 4)
    this.#block(a, b, c, d)
  }

  #block(a: number, b: number, c: number, d: number): void {
    this.#h1 ^= Math.imul(rotated(Math.imul(a, C1), 15), C2)
    this.#h1 = (Math.imul((rotated(this.#h1, 19) + this.#h2) | 0, 5) + 0x561ccd1b) | 0
    this.#h2 ^= Math.imul(rotated(Math.imul(b, C2), 16), C3)
    this.#h2 = (Math.imul((rotated(this.#h2, 17) + this.#h3) | 0, 5) + 0x0bcaa747) | 0
    this.#h3 ^= Math.imul(rotated(Math.imul(c, C3), 17), C4)
    this.#h3 = (Math.imul((rotated(this.#h3, 15) + this.#h4) | 0, 5) + 0x96cd1c35) | 0
    this.#h4 ^= Math.imul(rotated(Math.imul(d, C4), 18), C1)
    this.#h4 = (Math.imul((rotated(this.#h4, 13) + this.#h1) | 0, 5) + 0x32ac3b17) | 0
  }
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count)
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function finished(word: number, _index: number, all: readonly number[]): number {
  let h = (word + all.reduce((sum, other) => (sum + other) | 0, 0)) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
