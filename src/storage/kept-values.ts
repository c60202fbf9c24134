/**
 * Explored lists and arrays are written once, to the HDF5 file. The `.cnt` file and the writing process only know their
 * indices and types. Single values, including complex numbers and dates, are known everywhere.
 */
import { PypetError } from '../errors.ts'
import type { ExplorationSpec, Pools } from '../exploration/exploration.ts'
import { type PooledValue, pooledBytes, pooledText } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import type { TrajectoryLayout } from '../layout/trajectory-layout.ts'
import type { OpenRequest } from '../protocol.ts'
import { shellWord } from '../shell-word.ts'
import type { RawValue } from '../values/raw-value.ts'

/** Returns some of the values of a parameter, starting with this index. */
export type ValueSource = (name: string, first: number) => Promise<readonly RawValue[]> | readonly RawValue[]

/** This many bytes may also be in the `.cnt` file: then an experiment can restart before its first commit. */
const INLINE_BYTES_MAX = 4096
/** The largest amount sent at once, unless one value is larger. */
const BATCH_BYTES_MAX = 8_388_608

/** The exploration without its values, unless there are only a few. */
export function withFewValues(exploration: ExplorationSpec): ExplorationSpec {
  if (exploration.kind !== 'pooled') return exploration
  let bytes = 0
  for (const { values } of Object.values(exploration.pools))
    for (const value of values) bytes += pooledBytes(value)
  return bytes <= INLINE_BYTES_MAX ? exploration : withoutValues(exploration)
}

/** The exploration without its values, which are in the HDF5 file. */
export function withoutValues(exploration: ExplorationSpec): ExplorationSpec {
  if (exploration.kind !== 'pooled') return exploration
  const pools = Object.entries(exploration.pools).map(
    ([name, { first, values }]): [string, Pools[string]] => [
      name,
      { first, values: values.map(withoutArray) },
    ],
  )
  return { ...exploration, pools: Object.fromEntries(pools) }
}

function withoutArray(value: PooledValue): PooledValue {
  return typeof value === 'object' && (value.form === 'scalar' || value.form === 'date')
    ? value
    : pooledText(value)
}

export function valueSource(exploration: ExplorationSpec | undefined): ValueSource {
  const pools: Pools = exploration?.kind === 'pooled' ? exploration.pools : {}
  return (name, first) => {
    const batch: RawValue[] = []
    let bytes = 0
    for (const value of (pools[name]?.values ?? []).slice(first)) {
      if (typeof value === 'string') break
      bytes += pooledBytes(value)
      if (batch.length > 0 && bytes > BATCH_BYTES_MAX) break
      batch.push(value)
    }
    return batch
  }
}

/**
 * Writes the values that the ranges of a new trajectory refer to and that are not in its request. Works in parts: there
 * may be too many to be in memory twice.
 *
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` without a source: the experiment was interrupted before its first commit
 */
export async function storeValues(
  { request, layout }: { readonly request: OpenRequest; readonly layout: TrajectoryLayout },
  source: ValueSource | undefined,
  apply: (operations: readonly Hdf5Operation[]) => void,
): Promise<void> {
  const pools: Pools = request.exploration?.kind === 'pooled' ? request.exploration.pools : {}
  for (const [name, { values }] of Object.entries(pools)) {
    const missing = values.findIndex((value) => typeof value === 'string')
    let first = missing < 0 ? values.length : missing
    while (first < values.length) {
      const part = (await source?.(name, first)) ?? []
      if (part.length === 0) throw lacksValues(request, name)
      for (const operations of layout.values(name, { first, values: part })) apply(operations)
      first += part.length
    }
  }
}

function lacksValues({ file, trajectory, continuation }: OpenRequest, name: string): PypetError {
  const { job } = continuation
  const [module, target, own] = [job.file, file, trajectory.name].map((word) => shellWord(word))
  return new PypetError(
    'PYPET_CNT_FILE_MISMATCH',
    `${trajectory.name} in ${file} was interrupted before the values of ${name} were written: nothing of it is stored`,
    {
      where: file,
      hint:
        job.isFunction === true
          ? `Start again: run the script ${job.file}.`
          : `Start again: pypet-ts run ${module} --file ${target} --name ${own}`,
    },
  )
}
