/** Opens a stored trajectory to perform the runs that were added to it. */
import { PypetError } from '../errors.ts'
import { type ExplorationSpec, explorationReader } from '../exploration/exploration.ts'
import type { ExplorationPlan } from '../exploration/run-point.ts'
import type { MemoryDelta } from '../journal/cnt-record.ts'
import { RunSet } from '../journal/run-set.ts'
import { rangeSuffix } from '../layout/range-layout.ts'
import { isRunName, type Layout, MEMORY, overviewPath, RANGE, SRVC } from '../names.ts'
import type { OpenRequest } from '../protocol.ts'
import { exploredNames } from '../reading/explored-names.ts'
import { readOverviewMemory } from '../reading/overview-memory.ts'
import type { NodeReader } from '../reading/raw-reader.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { openHdf5Reader } from '../reading/reader.ts'
import { rangeColumn } from '../reading/stored-range.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import { formatCount, formatRuns } from '../reporting/quantity.ts'
import type { Parameter } from '../run/parameter.ts'
import { rangeValue } from '../run/parameter-range.ts'
import { parameterLocation, parameterName } from '../values/path.ts'
import { type RawValue, storedOfRaw } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { isEqualValue } from '../values/value-key.ts'

/** What the file says about a trajectory, for continuing to write it. */
export interface StoredTrajectory {
  readonly stored: RunSet
  readonly failed: readonly number[]
  readonly memory: MemoryDelta
  /** Undefined if the file has no columns: then it gets none. */
  readonly layout: Layout | undefined
  /** The part of `config` that is not in the file yet. */
  readonly config: readonly Parameter[]
}

/**
 * @param request what to write. Existing config is left out of it.
 * @param plan the runs it should have, as read from the file before it was locked
 * @throws PypetError `PYPET_TRAJECTORY_CHANGED` if the file has other runs now, and as `openHdf5Reader`
 */
export async function readStoredTrajectory(
  file: string,
  { trajectory, config, continuation }: Pick<OpenRequest, 'trajectory' | 'config' | 'continuation'>,
  plan: ExplorationPlan,
): Promise<StoredTrajectory> {
  using reader = await openHdf5Reader(file)
  assertSameRuns(reader, file, trajectory.name, plan)
  const root = `/${trajectory.name}`
  const isThere = (name: string) => reader.kind(`${root}/config/${name.replaceAll('.', '/')}`) !== undefined
  const [runs, failedRuns] = [overviewPath(root, 'runs'), overviewPath(root, 'failed_runs')]
  const stored = new RunSet()
  reader.scanRows(runs, ['completed'], (run, [completed]) => {
    if (completed === 1) stored.add(run)
  })
  const failed: number[] = []
  if (reader.kind(failedRuns) === 'dataset') {
    reader.scanRows(failedRuns, ['idx'], (_, [idx]) => failed.push(Number(idx)))
  }
  const groups: string[] = []
  for (const child of reader.raw.children(root)) {
    if (child !== 'overview' && reader.raw.kind(`${root}/${child}`) === 'group')
      collectGroups(reader.raw, root, `/${child}`, groups)
  }
  const [first] = stored
  const { added, values } = readOverviewMemory(reader, root, first)
  added[MEMORY.groups] = groups
  const columns = reader.columns(trajectory.name)
  Object.assign(added, columns?.memory())
  values[MEMORY.isSettled] = true
  // A script's environment may run several times, and then ends more than once.
  if (isThere(`environment.${continuation.environmentName}.finish_timestamp`))
    values[MEMORY.hasLastConfig] = true
  Object.assign(values, columnSizes(reader, root))
  return {
    stored,
    failed,
    memory: { added, values },
    layout: columns?.layout,
    // The config of the file itself is already there.
    config: config.filter(({ name }) => name.startsWith('environment.') && !isThere(name)),
  }
}

/** Another expansion may have come in between, or another trajectory with the same name. */
function assertSameRuns(reader: Hdf5Reader, file: string, trajectory: string, plan: ExplorationPlan): void {
  const runs = overviewPath(`/${trajectory}`, 'runs')
  const runCount = reader.kind(runs) === 'dataset' ? reader.rowCount(runs) : 0
  if (runCount !== plan.runCount)
    throw changed(
      file,
      trajectory,
      `it now has ${formatRuns(runCount)}, before ${formatCount(plan.runCount)}`,
    )
  const { exploration } = plan
  if (exploration === undefined) return
  const source = new Hdf5Source(reader, trajectory)
  for (const { name, dtype, parameter, pool } of plan.explored) {
    if (dtype === 'object' && parameter.stored.form !== 'scalar') {
      assertSameNumbers(reader, file, trajectory, plan, name, rangeSuffix(parameter.stored))
      continue
    }
    const fullName = parameterLocation(name)
    const head = source.head(fullName)
    const range = head === undefined ? undefined : source.parameter(fullName, head.className).range
    const planned = explorationReader(exploration, name)
    const plannedAt = (run: number): StoredValue =>
      dtype === 'object'
        ? storedOfRaw(pool[planned(run) as number] as RawValue)
        : { form: 'scalar', dtype, value: planned(run) }
    for (let run = 0; run < runCount; run += 1) {
      const stored = range === undefined ? undefined : rangeValue(range, run)
      if (stored !== undefined && isEqualValue(stored, plannedAt(run))) continue
      throw changed(file, trajectory, `${name} of run ${run} has changed`)
    }
  }
}

/** Lists and arrays are compared by index. */
function assertSameNumbers(
  reader: Hdf5Reader,
  file: string,
  trajectory: string,
  { exploration }: ExplorationPlan,
  name: string,
  suffix: string,
): void {
  const table = `/${trajectory}/${parameterLocation(name).replaceAll('.', '/')}/${RANGE}${suffix}`
  const planned = explorationReader(exploration as ExplorationSpec, name)
  const isThere = reader.kind(table) === 'dataset'
  if (!isThere) throw changed(file, trajectory, `${name} is no longer explored`)
  reader.scanRows(table, ['idx'], (run, [number]) => {
    if (Number(number) !== planned(run)) throw changed(file, trajectory, `${name} of run ${run} has changed`)
  })
}

/** Another process has changed a trajectory since it was read. */
export function changed(file: string, trajectory: string, found: string): PypetError {
  return new PypetError(
    'PYPET_TRAJECTORY_CHANGED',
    `${trajectory} in ${file} has changed since it was read: ${found}; nothing was written`,
    { where: file, hint: 'Repeat the command, or load the trajectory again.' },
  )
}

/** The widths of columns of explored texts, and of array indices in pypet's size: they cannot change. */
function columnSizes(reader: Hdf5Reader, root: string): Record<string, number> {
  const sizes: Record<string, number> = {}
  for (const fullName of exploredNames(reader, root.slice(1))) {
    const column = rangeColumn(reader, `${root}/${fullName.replaceAll('.', '/')}`)
    if (column === undefined) continue
    const name = parameterName(fullName)
    if (column.textBytes > 0) sizes[MEMORY.textBytesOf(name)] = column.textBytes
    if (column.numberBytes === 4) sizes[MEMORY.numberBytesOf(name)] = column.numberBytes
  }
  return sizes
}

/** Groups shared by runs. Skips a run's own groups, and leaves. */
function collectGroups(reader: NodeReader, root: string, path: string, into: string[]): void {
  into.push(path)
  for (const child of reader.children(root + path)) {
    if (isRunName(child)) continue
    const below = `${path}/${child}`
    if (reader.kind(root + below) !== 'group') continue
    const isLeaf = reader.attribute(root + below, SRVC.leaf)
    if (isLeaf === undefined) collectGroups(reader, root, below, into)
  }
}
