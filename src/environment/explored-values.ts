/**
 * Reads the lists and arrays of an exploration that only the HDF5 file has. Separate, because only this module reads
 * the file.
 */
import { isPypetError, PypetError } from '../errors.ts'
import type { ExplorationSpec, Pools } from '../exploration/exploration.ts'
import { planRuns } from '../exploration/plan.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import { type PooledValue, pooled } from '../exploration/value-pool.ts'
import type { OpenRequest } from '../protocol.ts'
import { type Hdf5Reader, openHdf5Reader } from '../reading/reader.ts'
import { readRangeValue } from '../reading/stored-leaf.ts'
import { shellWord } from '../shell-word.ts'
import { parameterLocation } from '../values/path.ts'
import { rawValue } from '../values/raw-value.ts'

/**
 * The plan with all its values.
 *
 * @param known an earlier plan, whose values are reused
 *
 * @throws PypetError `PYPET_CNT_FILE_MISMATCH` if the file does not have the values, and as `openHdf5Reader`
 */
export async function planWithValues(
  plan: ExplorationPlan,
  {
    file,
    trajectory: { name: trajectory },
    parameters,
  }: Pick<OpenRequest, 'file' | 'parameters'> & { readonly trajectory: { readonly name: string } },
  known?: ExplorationPlan,
): Promise<ExplorationPlan> {
  const { exploration } = plan
  if (exploration?.kind !== 'pooled') return plan
  using reader = await readerOf(file, trajectory)
  const pools = Object.entries(exploration.pools).map(([name, pool]): [string, Pools[string]] => {
    const before = known?.explored.find((explored) => explored.name === name)?.pool ?? []
    const values = pool.values.map((value, number): PooledValue => {
      if (typeof value !== 'string') return value
      return before[number] ?? readValue(reader, { file, trajectory, name, number })
    })
    return [name, { first: pool.first, values }]
  })
  const whole: ExplorationSpec = { ...exploration, pools: Object.fromEntries(pools) }
  return planRuns({ parameters, exploration: whole })
}

async function readerOf(file: string, trajectory: string): Promise<Hdf5Reader> {
  try {
    return await openHdf5Reader(file)
  } catch (error) {
    if (!isPypetError(error) || !['PYPET_FILE_NOT_FOUND', 'PYPET_FILE_NOT_HDF5'].includes(error.code))
      throw error
    throw missing(file, trajectory, error.message, error)
  }
}

function readValue(
  reader: Hdf5Reader,
  {
    file,
    trajectory,
    name,
    number,
  }: { readonly file: string; readonly trajectory: string; readonly name: string; readonly number: number },
): PooledValue {
  const path = `/${trajectory}/${parameterLocation(name).replaceAll('.', '/')}`
  const value = reader.kind(path) === 'group' ? readRangeValue(reader, path, number) : undefined
  if (value === undefined || value.form === 'unread')
    throw missing(file, trajectory, `value ${number} of ${name} is missing`)
  return pooled(rawValue(value))
}

function missing(file: string, trajectory: string, found: string, cause?: unknown): PypetError {
  return new PypetError(
    'PYPET_CNT_FILE_MISMATCH',
    `${file} does not hold the lists and arrays that ${trajectory} explores: ${found}`,
    {
      where: file,
      hint: `Restore the HDF5 file that belongs to it. If the experiment ended before its first run, start it again, which replaces what it left: pypet-ts run <job> --file ${shellWord(file)} --name ${shellWord(trajectory)}`,
      cause,
    },
  )
}
