/**
 * What a run's random numbers begin with. They depend on the experiment's seed and on the values of all parameters in
 * this run, and on nothing else: no run, worker or attempt is numbered here.
 *
 *     key     SHA-256 of 'pypet-ts seed 1', the seed as float64, and by name, sorted by code unit, each parameter's
 *             name and the SHA-256 of its stored value
 *     seed    SHA-256 of key and 'seed', the first 53 bits
 *     stream  SHA-256 of key and 'random', or 'stream' and its names, the first 128 bits: the state of xoroshiro128+
 *
 * Texts have their length in front, in bytes as u32; numbers are little-endian.
 *
 * This must never change: results that were stored could not be computed again.
 */
import { createRequire } from 'node:module'
import type { WorkerSetup } from '../protocol.ts'
import type { PointValues } from '../trajectory/parameter-view.ts'
import { type RunRandom, randomOf, type WordStream } from '../trajectory/random.ts'
import { type RawValue, rawValue } from '../trajectory/raw-value.ts'
import type { Scalar, StoredValue } from '../trajectory/stored-value.ts'
import { toStoredParameter } from '../trajectory/value.ts'

/** Of one run; made when the job first asks for either. */
export interface RunSeeds {
  /** A whole number below 2^53. */
  readonly seed: number
  readonly random: RunRandom
}

/** The returned function makes those of one run. What does not differ between runs is digested once, at the first call. */
export function runSeeds({
  seed,
  parameters,
}: Pick<WorkerSetup, 'seed' | 'parameters'>): (point: PointValues) => RunSeeds {
  let defaults: readonly ParameterDigest[] | undefined
  return (point) => {
    defaults ??= parameters.map(digestParameter).sort((a, b) => (a.name < b.name ? -1 : 1))
    const hash = sha256('pypet-ts seed 1')
    hash.update(new Uint8Array(Float64Array.of(seed).buffer))
    for (const { name, digest, stored } of defaults) {
      hash.update(lengthOf(name)).update(name)
      hash.update(name in point ? digestOf(exploredValue(stored, point[name], name)) : digest())
    }
    return seedsOf(hash.digest())
  }
}

interface ParameterDigest {
  readonly name: string
  readonly stored: StoredValue
  readonly digest: () => Uint8Array
}

function digestParameter({ name, stored }: WorkerSetup['parameters'][number]): ParameterDigest {
  let known: Uint8Array | undefined
  return {
    name,
    stored,
    digest() {
      known ??= digestOf(stored)
      return known
    },
  }
}

/** An explored value has the type of the default, which a plain number does not show. */
function exploredValue(preset: StoredValue, value: unknown, name: string): StoredValue {
  if (preset.form === 'scalar' && typeof value !== 'object') {
    return { form: 'scalar', dtype: preset.dtype, value: value as Scalar }
  }
  return toStoredParameter(value, `parameters.${name}`)
}

function seedsOf(key: Uint8Array): RunSeeds {
  const stateOf = (...texts: readonly string[]) => {
    const hash = sha256(key)
    for (const text of texts) hash.update(lengthOf(text)).update(text)
    return hash.digest()
  }
  const open = (path: readonly string[]): RunRandom =>
    randomOf(generator(stateOf('stream', ...path)), (name) => open([...path, name]))
  let seed: number | undefined
  let random: RunRandom | undefined
  return {
    get seed() {
      seed ??= Number(stateOf('seed').readBigUInt64LE() >> 11n)
      return seed
    },
    get random() {
      random ??= randomOf(generator(stateOf('random')), (name) => open([name]))
      return random
    },
  }
}

type PureRand = typeof import('pure-rand/generator/xoroshiro128plus')

/** Loaded when the first number is drawn: jobs that draw none do not pay for it. */
let pureRand: PureRand | undefined

function generator(state: Buffer): WordStream {
  pureRand ??= createRequire(import.meta.url)('pure-rand/generator/xoroshiro128plus') as PureRand
  return pureRand.xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => state.readInt32LE(offset)))
}

function digestOf(value: StoredValue): Uint8Array {
  const hash = sha256('value')
  addValue(hash, rawValue(value))
  return hash.digest()
}

interface Hash {
  update(data: string | Uint8Array): Hash
  digest(): Buffer
}

/** Form, element type, shape and bits, so that no two different values are taken for one. */
function addValue(hash: Hash, value: RawValue): void {
  const addText = (text: string) => hash.update(lengthOf(text)).update(text)
  addText(value.form)
  switch (value.form) {
    case 'null':
      break
    case 'date':
      hash.update(new Uint8Array(Float64Array.of(value.time).buffer))
      break
    case 'record':
      hash.update(count(value.fields.length))
      for (const { name, value: field } of value.fields) {
        addText(name)
        addValue(hash, field)
      }
      break
    case 'table':
      hash.update(count(value.columns.length))
      for (const { name, value: column } of value.columns) {
        addText(name)
        addValue(hash, column)
      }
      break
    case 'sparse':
      addText(`${value.format} ${value.shape.join(' ')}`)
      for (const part of [value.indptr, value.indices, value.data]) addValue(hash, part)
      break
    default:
      addText(`${value.dtype} ${value.shape.join(' ')}`)
      if ('texts' in value) for (const text of value.texts) addText(text)
      else
        hash.update(value.dtype === 'float64' && value.form !== 'ndarray' ? oneNaN(value.bytes) : value.bytes)
  }
}

/** Which of its many bit patterns a NaN has, a single number of JavaScript does not keep. */
function oneNaN(bytes: Uint8Array): Uint8Array {
  const numbers = new Float64Array(new Uint8Array(bytes).buffer)
  const words = new BigUint64Array(numbers.buffer)
  for (const [index, number] of numbers.entries()) {
    if (Number.isNaN(number)) words[index] = 0x7ff8000000000000n
  }
  return new Uint8Array(numbers.buffer)
}

/** In front of each text, so that what follows cannot be taken for a part of it. */
function lengthOf(text: string): Uint8Array {
  return count(Buffer.byteLength(text))
}

function count(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

function sha256(first: string | Uint8Array): Hash {
  crypto ??= createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto')
  return crypto.createHash('sha256').update(first)
}

/** Loaded at the first digest, and asked for only once: `require` takes longer than a digest. */
let crypto: typeof import('node:crypto') | undefined
