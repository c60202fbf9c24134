/**
 * What a run's random numbers begin with. They depend on the experiment's seed and on the values of all parameters in
 * this run, and on nothing else: no run, worker or attempt is numbered here.
 *
 *     key     SHA-256 of 'pypet-ts seed 1', the seed as float64, and by name, sorted by code unit, each parameter's
 *             name and the SHA-256 of its stored value; of derived ones those that are explored, with another value
 *             than their default
 *     seed    SHA-256 of key and 'seed', the first 53 bits
 *     stream  SHA-256 of key and 'random', or 'stream' and its names, the first 128 bits: the state of xoroshiro128+
 *
 * Texts have their length in front, in bytes as u32; numbers are little-endian.
 *
 * This must never change: results that were stored could not be computed again.
 */
import { createRequire } from 'node:module'
import type { WorkerSetup } from '../protocol.ts'
import type { PointValues } from '../run/parameter-view.ts'
import { type RunRandom, randomOf, type WordStream } from '../run/random.ts'
import { parameterBranch } from '../values/path.ts'
import { type RawValue, rawValue } from '../values/raw-value.ts'
import type { Scalar, StoredValue } from '../values/stored-value.ts'
import { countBytes, valueParts } from '../values/value-key.ts'

/** Of one run. Computed when the job first uses either. */
export interface RunSeeds {
  /** A whole number below 2^53. */
  readonly seed: number
  readonly random: RunRandom
}

/** Returns a function that makes the seeds of one run. Data common to all runs is digested once, at the first call. */
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
      const ofRun = name in point ? digestOf(exploredValue(stored, point[name])) : digest()
      // Ignore derived parameters at their default: exploring one later must not change existing runs.
      if (parameterBranch(name) === 'derived_parameters' && Buffer.compare(ofRun, digest()) === 0) continue
      hash.update(lengthOf(name)).update(name)
      hash.update(ofRun)
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
      known ??= digestOf(rawValue(stored))
      return known
    },
  }
}

/** An explored value gets the type of its default, which a plain number does not show. Other values come as stored. */
function exploredValue(preset: StoredValue, value: unknown): RawValue {
  if (preset.form === 'scalar' && typeof value !== 'object')
    return rawValue({ form: 'scalar', dtype: preset.dtype, value: value as Scalar })
  return value as RawValue
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

/** Loaded when the first number is drawn: other jobs do not pay for it. */
let pureRand: PureRand | undefined

function generator(state: Buffer): WordStream {
  pureRand ??= createRequire(import.meta.url)('pure-rand/generator/xoroshiro128plus') as PureRand
  return pureRand.xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => state.readInt32LE(offset)))
}

function digestOf(value: RawValue): Uint8Array {
  const hash = sha256('value')
  valueParts(value, (part) => hash.update(part))
  return hash.digest()
}

interface Hash {
  update(data: string | Uint8Array): Hash
  digest(): Buffer
}

/** Written before each text, so that its end is unambiguous. */
function lengthOf(text: string): Uint8Array {
  return countBytes(Buffer.byteLength(text))
}

function sha256(first: string | Uint8Array): Hash {
  crypto ??= createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto')
  return crypto.createHash('sha256').update(first)
}

/** Loaded at the first digest, and only once: `require` takes longer than a digest. */
let crypto: typeof import('node:crypto') | undefined
