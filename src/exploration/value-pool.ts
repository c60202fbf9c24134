/**
 * The explored values of a parameter that have no literal in JavaScript, such as lists and arrays: each distinct value
 * once. Explorations have their numbers, runs get the values, and the HDF5 file has them under the same numbers.
 */
import { pythonRepr } from '../values/python-repr.ts'
import { type RawValue, storedOfRaw } from '../values/raw-value.ts'
import { typeName } from '../values/stored-value.ts'
import { rawValueKey } from '../values/value-key.ts'

/** A value, or only its text if the value is just in the HDF5 file. */
export type PooledValue = RawValue | string

/** The values of one parameter from a number on. Earlier values are known elsewhere. */
export interface PoolPart {
  readonly first: number
  readonly values: readonly PooledValue[]
}

export class ValuePool {
  readonly #values: PooledValue[] = []
  /** Numbers of values that were looked up or added. */
  readonly #numbers = new Map<string, number>()
  #keyedCount = 0

  get values(): readonly PooledValue[] {
    return this.#values
  }

  /** The number of the value. A new value is added. */
  numberOf(value: RawValue): number {
    for (; this.#keyedCount < this.#values.length; this.#keyedCount += 1) {
      const before = this.#values[this.#keyedCount] as PooledValue
      // The file may have a value twice.
      if (typeof before !== 'string' && !this.#numbers.has(keyOf(before)))
        this.#numbers.set(keyOf(before), this.#keyedCount)
    }
    const key = keyOf(value)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, this.#values.length)
    this.#keyedCount += 1
    return this.#values.push(value) - 1
  }

  /** Adds a value under the next number, in the order of the file. */
  append(value: PooledValue): void {
    this.#values.push(value)
  }
}

/** Cached, because an exploration is read several times and its arrays may be large. */
const keys = new WeakMap<RawValue, string>()

function keyOf(value: RawValue): string {
  let key = keys.get(value)
  if (key === undefined) {
    key = rawValueKey(value)
    keys.set(value, key)
  }
  return key
}

/** The pools of an exploration, by parameter. */
export class ValuePools {
  readonly #pools = new Map<string, ValuePool>()

  get names(): readonly string[] {
    return [...this.#pools.keys()]
  }

  get(name: string): ValuePool | undefined {
    return this.#pools.get(name)
  }

  /** The pool of the parameter, empty at first. */
  of(name: string): ValuePool {
    const known = this.#pools.get(name)
    if (known !== undefined) return known
    const pool = new ValuePool()
    this.#pools.set(name, pool)
    return pool
  }

  set(name: string, pool: ValuePool): void {
    this.#pools.set(name, pool)
  }
}

/** Arrays from this size on are shared with threads instead of being sent with every run. */
const SHARED_BYTES_MIN = 4096

/** A copy of the value that does not change. Threads can read it without another copy. */
export function pooled(value: RawValue): RawValue {
  switch (value.form) {
    case 'scalar':
    case 'list':
    case 'ndarray':
      return 'bytes' in value
        ? { ...value, bytes: copied(value.bytes) }
        : { ...value, texts: [...value.texts] }
    case 'sparse': {
      const { indptr, indices, data } = value
      const part = (numbers: typeof data) => ({ ...numbers, bytes: copied(numbers.bytes) })
      return { ...value, indptr: part(indptr), indices: part(indices), data: part(data) }
    }
    case 'record':
      return { ...value, fields: value.fields.map((field) => ({ ...field, value: pooled(field.value) })) }
    default:
      return value
  }
}

function copied(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) return bytes
  const isShared = bytes.byteLength >= SHARED_BYTES_MIN
  const copy = new Uint8Array(
    isShared ? new SharedArrayBuffer(bytes.byteLength) : new ArrayBuffer(bytes.byteLength),
  )
  copy.set(bytes)
  return copy as Uint8Array
}

/** Approximate size of the value in bytes. */
export function pooledBytes(value: PooledValue): number {
  if (typeof value === 'string') return value.length
  if ('bytes' in value) return value.bytes.byteLength
  if ('texts' in value) return value.texts.reduce((sum, text) => sum + text.length, 0)
  if (value.form === 'record') return value.fields.reduce((sum, field) => sum + pooledBytes(field.value), 0)
  return value.form === 'sparse'
    ? value.indptr.bytes.byteLength + value.indices.bytes.byteLength + value.data.bytes.byteLength
    : 8
}

/** For longer texts, type and shape say more. */
const SHOWN_LENGTH_MAX = 40
/** A larger value cannot have such a short text. */
const SHOWN_BYTES_MAX = 8 * SHOWN_LENGTH_MAX

/** The text of a value in tables: `[10.0, 5.0]`, `float64 array [1000]`. */
export function pooledText(value: PooledValue): string {
  if (typeof value === 'string') return value
  if (pooledBytes(value) <= SHOWN_BYTES_MAX) {
    const text = pythonRepr(storedOfRaw(value))
    if (text.length <= SHOWN_LENGTH_MAX) return text
  }
  return pooledTypeName(value)
}

/** `list of float64 [1000]`, `float64 array [3, 4]`. */
export function pooledTypeName(value: RawValue): string {
  switch (value.form) {
    case 'scalar':
      return value.dtype
    case 'list':
      return `list of ${value.shape[0]} ${value.dtype}`
    case 'ndarray':
      return `${value.dtype} array [${value.shape.join(', ')}]`
    case 'sparse':
      return `sparse ${value.data.dtype} matrix [${value.shape.join(', ')}]`
    case 'record':
      return `record of ${value.fields.map(({ name }) => name).join(', ')}`
    default:
      return typeName(storedOfRaw(value))
  }
}
