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

/** A value of plain objects, arrays, typed arrays and primitives, as text. What is undefined is absent. */
export function encodeTaggedJson(value: unknown): string {
  return JSON.stringify(tag(value))
}

/** @throws Error when the text is none that `encodeTaggedJson` writes */
export function decodeTaggedJson(text: string): unknown {
  return untag(JSON.parse(text))
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
  // `fromEntries` makes `__proto__` a key like any other.
  const tagged = Object.fromEntries(entries.map(([key, entry]) => [key, tag(entry)]))
  return entries.some(([key]) => key.startsWith('$')) ? { $object: tagged } : tagged
}

function untag(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(untag)
  const { $bigint, $number, $array, $object, base64 } = value as Record<string, unknown>
  if (typeof $bigint === 'string') return BigInt($bigint)
  if (typeof $number === 'string') return Number($number)
  if (typeof $array === 'string') return arrayOf($array, String(base64))
  return untagEntries($object ?? value)
}

function untagEntries(value: object): unknown {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, untag(entry)]))
}

function arrayOf(name: string, base64: string): unknown {
  if (!Object.hasOwn(ARRAY_TYPES, name)) throw new Error(`unknown kind of array: ${name}`)
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'))
  return new ARRAY_TYPES[name as keyof typeof ARRAY_TYPES](bytes.buffer)
}
