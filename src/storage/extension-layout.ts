/** What the tables of a trajectory gain when points are added while it is open (FORMAT, sections 2 to 4). Decides and does nothing. */
import { PypetError } from '../errors.ts'
import { type ExplorationPlan, type ExploredParameter, exploredColumn } from '../exploration/expand.ts'
import type { OpenRequest } from '../protocol.ts'
import { longestUtf8Bytes } from '../trajectory/utf8.ts'
import { exploredOverview, exploredOverviewRows } from './branch-overviews.ts'
import type { Hdf5Operation } from './hdf5-operation.ts'
import { createFilledTable, defineTable, type Row, writeRows } from './hdf5-table.ts'
import type { LayoutMemory } from './layout-memory.ts'
import { exploredRowBytes, exploredRows, exploredTable, type ScalarDtype } from './leaf-layout.ts'
import { INFO, infoRow, RUNS } from './overview-tables.ts'
import { grown } from './range-layout.ts'

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
  return Number(memory.value(textBytesName(name)) ?? textBytesMax)
}

export function textBytesName(name: string): string {
  return `text bytes of ${name}`
}

/** The table of explored parameters, by their names. */
export function explorationsTable(root: string, explored: readonly ExploredParameter[]): Hdf5Operation[] {
  const names = explored.map(({ name }) => `parameters.${name}`)
  const table = defineTable([['explorations', `S${Math.floor(longestUtf8Bytes(names) * 1.5)}`]])
  const rows = names.map((name): Row => [name])
  return createFilledTable(`${root}/overview/explorations`, table, '', rows)
}

/** The range of one explored parameter, from a run on. */
export function* rangeRows(
  root: string,
  plan: ExplorationPlan,
  { name, dtype }: ExploredParameter,
  textBytes: number,
  firstRun: number,
): Generator<Hdf5Operation[]> {
  const path = `${root}/parameters/${name.replaceAll('.', '/')}`
  const rowBytes = exploredRowBytes(dtype as ScalarDtype, textBytes)
  for (const [first, end] of batches(firstRun, plan.runCount, rowBytes)) {
    const column = exploredColumn(plan, name, first, end)
    yield exploredRows(path, dtype as ScalarDtype, textBytes, first, column)
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
  yield grown(`${root}/overview/runs`, after.runCount)
  yield writeRows(`${root}/overview/info`, INFO, 0, [infoRow(request, after.runCount)])
  if (isNewlyExplored) yield explorationsTable(root, after.explored)
  for (const explored of after.explored) {
    const path = `${root}/parameters/${explored.name.replaceAll('.', '/')}`
    const { dtype } = explored
    if (isNewlyExplored) {
      memory.set(textBytesName(explored.name), Math.max(GROWING_TEXT_BYTES, explored.textBytesMax))
      const textBytes = columnTextBytes(explored, memory)
      yield exploredTable(path, dtype as ScalarDtype, textBytes, after.runCount)
      yield* rangeRows(root, after, explored, textBytes, 0)
    } else {
      yield grown(`${path}/explored_data`, after.runCount)
      yield* rangeRows(root, after, explored, columnTextBytes(explored, memory), before.runCount)
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
