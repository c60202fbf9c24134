/**
 * JSON for what JSON lacks: 64-bit integers, NaN, infinities, the negative zero, typed arrays.
 *
 *     12n            {"$bigint":"12"}
 *     NaN, -0        {"$number":"NaN"}, {"$number":"-0"}
 *     Float64Array   {"$array":"Float64Array","base64":"…"}
 *     {"$x":1}       {"$object":{"$x":1}}
 *
 * Nothing that is read is ever executed.
 */
import { foundText } from './check.ts'

const ARRAY_TYPES = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const

/** Encodes plain objects, arrays, typed arrays and primitives as text. Undefined values are omitted. */
export function encodeTaggedJson(value: unknown): string {
  return JSON.stringify(tag(value))
}

/** @throws Error if `encodeTaggedJson` cannot have written the text */
export function decodeTaggedJson(text: string): unknown {
  return untag(JSON.parse(text), 0)
}

function tag(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return { $bigint: String(value) }
    case 'number':
      if (Object.is(value, -0)) return { $number: '-0' }
      return Number.isFinite(value) ? value : { $number: String(value) }
    case 'object':
      return value === null ? null : tagObject(value)
    default:
      return value
  }
}

function tagObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(tag)
  if (ArrayBuffer.isView(value)) {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    return { $array: value.constructor.name, base64 }
  }
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  // `fromEntries` treats `__proto__` as an ordinary key.
  const tagged = Object.fromEntries(entries.map(([key, entry]) => [key, tag(entry)]))
  return entries.some(([key]) => key.startsWith('$')) ? { $object: tagged } : tagged
}

/** Deeper than anything ever written, but not too deep for the stack. */
const DEPTH_MAX = 500

function untag(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEPTH_MAX) throw new Misread(`more than ${DEPTH_MAX} nested values`)
  if (Array.isArray(value)) return untagList(value, depth)
  const { $bigint, $number, $array, $object, base64 } = value as Record<string, unknown>
  if ($bigint !== undefined) return bigintOf($bigint)
  if ($number !== undefined) return numberOf($number)
  if ($array !== undefined) return arrayOf($array, base64)
  if ($object === undefined) return untagEntries(value, depth)
  if (typeof $object !== 'object' || $object === null) throw new Misread('$object is not an object')
  return untagEntries($object, depth)
}

function untagList(list: readonly unknown[], depth: number): unknown[] {
  const untagged: unknown[] = []
  try {
    for (const value of list) untagged.push(untag(value, depth + 1))
  } catch (error) {
    throw below(`[${untagged.length}]`, error)
  }
  return untagged
}

function untagEntries(value: object, depth: number): unknown {
  const entries = Object.entries(value)
  for (const entry of entries) {
    try {
      entry[1] = untag(entry[1], depth + 1)
    } catch (error) {
      throw below(`.${entry[0]}`, error)
    }
  }
  return Object.fromEntries(entries)
}

/** Parsing time grows faster than the number of digits. Stored integers have 64 bits, so 20 digits. */
function bigintOf(text: unknown): bigint {
  if (typeof text !== 'string' || !/^-?\d{1,1000}$/.test(text))
    throw new Misread('$bigint is not a whole number')
  return BigInt(text)
}

function numberOf(text: unknown): number {
  const number = UNUSUAL_NUMBERS.get(text)
  if (number === undefined) throw new Misread('$number is not NaN, Infinity, -Infinity or -0')
  return number
}

const UNUSUAL_NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

function arrayOf(name: unknown, base64: unknown): unknown {
  if (typeof name !== 'string' || !Object.hasOwn(ARRAY_TYPES, name))
    throw new Misread(`unknown kind of array: ${foundText(name)}`)
  if (typeof base64 !== 'string') throw new Misread('an array without its bytes')
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'))
  const type = ARRAY_TYPES[name as keyof typeof ARRAY_TYPES]
  if (bytes.byteLength % type.BYTES_PER_ELEMENT !== 0)
    throw new Misread(`${bytes.byteLength} bytes are not a ${name}`)
  return new type(bytes.buffer)
}

/** What is wrong in a text, and where. */
class Misread extends Error {
  readonly found: string
  readonly at: string

  constructor(found: string, at = '') {
    super(at === '' ? found : `${at.replace(/^\./, '')}: ${found}`)
    this.found = found
    this.at = at
  }
}

function below(key: string, error: unknown): unknown {
  return error instanceof Misread ? new Misread(error.found, key + error.at) : error
}
