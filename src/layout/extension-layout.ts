/** What the tables of a trajectory gain when points are added while it is open (docs/format.md, sections 2 to 4). Decides and does nothing. */
import { PypetError } from '../errors.ts'
import { type ExplorationPlan, type ExploredParameter, exploredColumn } from '../exploration/expand.ts'
import type { PoolPart } from '../exploration/value-pool.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { createFilledTable, defineTable, type Row, resizeTable, writeRows } from '../hdf5/table.ts'
import { MEMORY, overviewPath, RANGE } from '../names.ts'
import type { OpenRequest } from '../protocol.ts'
import { parameterLocation } from '../values/path.ts'
import type { RawNumbers } from '../values/raw-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'
import { exploredOverview, exploredOverviewRows } from './branch-overviews.ts'
import type { LayoutMemory } from './layout-memory.ts'
import {
  exploredReferences,
  exploredRowBytes,
  exploredRows,
  exploredTable,
  type NumberBytes,
} from './leaf-layout.ts'
import { INFO, infoRow, RUNS } from './overview-tables.ts'
import {
  grownReferences,
  type NumberDtype,
  numberRows,
  numberTable,
  objectOperations,
  rangeSuffix,
  referenceTable,
  referenceTexts,
  textsOf,
} from './range-layout.ts'

/** What is written at a time when a table is filled: little enough to be in memory several times over. */
const BATCH_BYTES_MAX = 4_194_304
/** Narrow rows are many, and each is an object before it is bytes. */
const BATCH_ROWS_MAX = 4096

/** Texts that are added later should find room in a column whose size cannot change: so many bytes at least. */
export const GROWING_TEXT_BYTES = 64

/** The rows from first to end, exclusive, that are written together. */
export function* batches(
  start: number,
  end: number,
  rowBytes: number,
): Generator<[first: number, end: number]> {
  const size = Math.min(BATCH_ROWS_MAX, Math.max(1, Math.floor(BATCH_BYTES_MAX / rowBytes)))
  for (let first = start; first < end; first += size) yield [first, Math.min(first + size, end)]
}

/** The size of a column of texts, as the layout remembers it: that of a table cannot change. */
export function columnTextBytes({ name, textBytesMax }: ExploredParameter, memory: LayoutMemory): number {
  return Number(memory.value(MEMORY.textBytesOf(name)) ?? textBytesMax)
}

/** That of the numbers of arrays, as the layout remembers it where it is not ours. */
function columnNumberBytes(name: string, memory: LayoutMemory): NumberBytes {
  return memory.value(MEMORY.numberBytesOf(name)) === 4 ? 4 : 8
}

/** The table of explored parameters, by their names. */
export function explorationsTable(root: string, explored: readonly ExploredParameter[]): Hdf5Operation[] {
  const names = explored.map(({ name }) => parameterLocation(name))
  const table = defineTable([['explorations', `S${Math.floor(longestUtf8Bytes(names) * 1.5)}`]])
  const rows = names.map((name): Row => [name])
  return createFilledTable(overviewPath(root, 'explorations'), table, '', rows)
}

const REFERENCE_BYTES = 8
/** Of a complex number. */
const NUMBER_BYTES_MAX = 16

/** The table that the range of one explored parameter is written to. */
export function rangeTable(
  root: string,
  { name, dtype, parameter }: ExploredParameter,
  textBytes: number,
  runCount: number,
): Hdf5Operation[] {
  const path = parameterPath(root, name)
  if (dtype !== 'object') return exploredTable(path, dtype, textBytes, runCount)
  return parameter.stored.form === 'scalar'
    ? numberTable(path, parameter.stored.dtype as NumberDtype, runCount)
    : referenceTable(path, parameter.stored, runCount)
}

/**
 * Lists and arrays of a range, in few operations at a time.
 *
 * @param first number of the first of them; what is only in the file is left out
 */
export function* rangeValues(
  root: string,
  { name, parameter }: Pick<ExploredParameter, 'name' | 'parameter'>,
  { first, values }: PoolPart,
  complevel: number,
): Generator<Hdf5Operation[]> {
  // Single values stand in the rows.
  if (parameter.stored.form === 'scalar') return
  const path = parameterPath(root, name)
  const suffix = rangeSuffix(parameter.stored)
  for (const [index, value] of values.entries()) {
    if (typeof value === 'string') continue
    yield objectOperations(path, suffix, first + index, [value], complevel)
  }
}

function parameterPath(root: string, name: string): string {
  return `${root}/${parameterLocation(name).replaceAll('.', '/')}`
}

/** The rows of the range of one explored parameter, from a run on. */
export function* rangeRows(
  root: string,
  plan: ExplorationPlan,
  explored: ExploredParameter,
  memory: LayoutMemory,
  firstRun: number,
): Generator<Hdf5Operation[]> {
  const { name, dtype, parameter } = explored
  const path = parameterPath(root, name)
  if (dtype === 'object') {
    const suffix = rangeSuffix(parameter.stored)
    if (parameter.stored.form === 'scalar') {
      for (const [first, end] of batches(firstRun, plan.runCount, NUMBER_BYTES_MAX)) {
        const numbers = exploredColumn(plan, name, first, end) as Float64Array
        yield numberRows(
          path,
          first,
          Array.from(numbers, (number) => explored.pool[number] as RawNumbers),
        )
      }
      return
    }
    const numberBytes = columnNumberBytes(name, memory)
    for (const [first, end] of batches(firstRun, plan.runCount, REFERENCE_BYTES)) {
      const numbers = exploredColumn(plan, name, first, end) as Float64Array
      yield exploredReferences(path, suffix, first, numbers, numberBytes)
      yield referenceTexts(path, parameter.stored, first, textsOf(explored.pool, numbers))
    }
    return
  }
  const textBytes = columnTextBytes(explored, memory)
  const rowBytes = exploredRowBytes(dtype, textBytes)
  for (const [first, end] of batches(firstRun, plan.runCount, rowBytes)) {
    const column = exploredColumn(plan, name, first, end)
    yield exploredRows(path, dtype, textBytes, first, column)
  }
}

/**
 * Everything but the rows of `runs`.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` for a text that its column cannot hold; before the first operations
 */
export function* grownTables(
  root: string,
  request: OpenRequest,
  { before, after }: { readonly before: ExplorationPlan; readonly after: ExplorationPlan },
  memory: LayoutMemory,
): Generator<Hdf5Operation[]> {
  for (const explored of after.explored) assertFits(explored, before, memory)
  const isNewlyExplored = before.explored.length === 0
  yield resizeTable(overviewPath(root, 'runs'), after.runCount)
  yield writeRows(overviewPath(root, 'info'), INFO, 0, [infoRow(request, after.runCount)])
  if (isNewlyExplored) yield explorationsTable(root, after.explored)
  for (const explored of after.explored) {
    const known = before.explored.find(({ name }) => name === explored.name)?.pool.length ?? 0
    const gained = { first: known, values: explored.pool.slice(known) }
    yield* rangeValues(root, explored, gained, request.storage.complevel)
    if (isNewlyExplored) {
      memory.set(MEMORY.textBytesOf(explored.name), Math.max(GROWING_TEXT_BYTES, explored.textBytesMax))
      yield rangeTable(root, explored, columnTextBytes(explored, memory), after.runCount)
      yield* rangeRows(root, after, explored, memory, 0)
    } else {
      const { stored } = explored.parameter
      const path = parameterPath(root, explored.name)
      yield explored.dtype === 'object' && stored.form !== 'scalar'
        ? grownReferences(path, stored, after.runCount)
        : resizeTable(`${path}/${RANGE}`, after.runCount)
      yield* rangeRows(root, after, explored, memory, before.runCount)
    }
  }
  if (!request.storage.overviews.exploredParameters) return
  if (isNewlyExplored) yield exploredOverview(root, after)
  else yield exploredOverviewRows(root, after)
}

/** How a row of `runs` is addressed. */
export const RUN_ROW_BYTES = RUNS.rowType.bytes

function assertFits(explored: ExploredParameter, before: ExplorationPlan, memory: LayoutMemory): void {
  const { name, dtype, textBytesMax } = explored
  const known = before.explored.find((candidate) => candidate.name === name)
  if (dtype !== 'str' || known === undefined) return
  const bytes = columnTextBytes(known, memory)
  if (textBytesMax <= bytes) return
  throw new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `${name} cannot be given a text of ${textBytesMax} bytes: its range in the file holds at most ${bytes}`,
    {
      where: name,
      hint: 'Add shorter texts, or name the longest one among the points that the experiment begins with.',
    },
  )
}
