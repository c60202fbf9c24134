/**
 * The values of an explored parameter that JavaScript has no literal for, as lists and arrays: each distinct one once.
 * Explorations hold their numbers, runs are given the values, and the HDF5 file has them under the same numbers.
 */
import { pythonRepr } from '../values/python-repr.ts'
import { type RawValue, storedOfRaw } from '../values/raw-value.ts'
import { typeName } from '../values/stored-value.ts'
import { rawValueKey } from '../values/value-key.ts'

/** A value; or, where only the HDF5 file has it, what it looks like. */
export type PooledValue = RawValue | string

/** The values of one parameter from a number on; those before are known elsewhere. */
export interface PoolPart {
  readonly first: number
  readonly values: readonly PooledValue[]
}

export class ValuePool {
  readonly #values: PooledValue[] = []
  /** Of those that were looked up, or added since. */
  readonly #numbers = new Map<string, number>()
  #keyedCount = 0

  get values(): readonly PooledValue[] {
    return this.#values
  }

  /** The number of the value, which is added where it is not there. */
  numberOf(value: RawValue): number {
    for (; this.#keyedCount < this.#values.length; this.#keyedCount += 1) {
      const before = this.#values[this.#keyedCount] as PooledValue
      // The file may have one twice.
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

  /** Adds a value under the next number, as a file has it. */
  append(value: PooledValue): void {
    this.#values.push(value)
  }
}

/** An exploration is looked at several times, and its arrays may be large. */
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

  /** That of the parameter, which is empty at first. */
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

/** Arrays of so many bytes are shared with threads instead of being sent with every run. */
const SHARED_BYTES_MIN = 4096

/** A copy of the value that nobody changes, and that threads see without another one. */
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

/** Bytes that the value takes, about. */
export function pooledBytes(value: PooledValue): number {
  if (typeof value === 'string') return value.length
  if ('bytes' in value) return value.bytes.byteLength
  if ('texts' in value) return value.texts.reduce((sum, text) => sum + text.length, 0)
  if (value.form === 'record') return value.fields.reduce((sum, field) => sum + pooledBytes(field.value), 0)
  return value.form === 'sparse'
    ? value.indptr.bytes.byteLength + value.indices.bytes.byteLength + value.data.bytes.byteLength
    : 8
}

/** Longer texts tell less than the type and the shape. */
const SHOWN_LENGTH_MAX = 40
/** What is larger cannot have a text as short. */
const SHOWN_BYTES_MAX = 8 * SHOWN_LENGTH_MAX

/** What a value looks like in tables: `[10.0, 5.0]`, `float64 array [1000]`. */
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
