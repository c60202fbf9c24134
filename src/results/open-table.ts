/** Keeps a table readable for as long as it is being written somewhere, without keeping a writer waiting. */
import { fileChanging } from '../hdf5/read-errors.ts'
import { whileUnchanged } from '../reading/read-hdf5.ts'
import { openHdf5Reader } from '../reading/reader.ts'
import { sliceRows } from './block.ts'
import { chooseTrajectory } from './choose-trajectory.ts'
import type { ResultTable } from './query.ts'
import { RunData } from './run-data.ts'

/** What a table says of its trajectory. It stays known when the file is closed. */
export interface TrajectoryFacts extends Pick<RunData, 'file' | 'trajectory' | 'runCount' | 'counts'> {
  /** Names of the explored parameters. */
  readonly explored: readonly string[]
  /** @throws PypetError `PYPET_FILE_CHANGING` if someone has written the file while it was read */
  readonly assertUnchanged: () => void
}

/**
 * Makes a table and uses it. If an experiment is writing the file, the whole table is read first, and the file is closed
 * before the use, which may take as long as someone reads a page. Otherwise it is read in blocks.
 *
 * @throws PypetError as `readRunData`; `PYPET_FILE_CHANGING` if someone has written the file during the use
 */
export async function useTable<Value>(
  file: string,
  {
    trajectory,
    isWhole = false,
  }: {
    readonly trajectory?: string | undefined
    /** Read all of it before the use, which may take long. */
    readonly isWhole?: boolean
  },
  makeTable: (data: RunData) => ResultTable,
  use: (table: ResultTable, facts: TrajectoryFacts) => Promise<Value>,
): Promise<Value> {
  const { table, facts, reader } = await whileUnchanged(async () => {
    const reader = await openHdf5Reader(file)
    try {
      const data = RunData.open(reader, chooseTrajectory(reader, trajectory))
      const { runCount, counts } = data
      const readsFirst = isWhole || reader.unfinished.length > 0
      const explored = data.columns.filter(({ isExplored }) => isExplored).map(({ name }) => name)
      const assertUnchanged = () => {
        if (!readsFirst && reader.hasChanged) throw fileChanging(file)
      }
      const facts = { file, trajectory: data.trajectory, runCount, counts, explored, assertUnchanged }
      const table = readsFirst ? readWhole(makeTable(data)) : makeTable(data)
      if (reader.hasChanged) throw fileChanging(file)
      if (readsFirst) reader.close()
      return { table, facts, reader: readsFirst ? undefined : reader }
    } catch (error) {
      const hasChanged = reader.hasChanged
      reader.close()
      throw hasChanged ? fileChanging(file, error) : error
    }
  })
  try {
    const value = await use(table, facts)
    facts.assertUnchanged()
    return value
  } finally {
    reader?.close()
  }
}

function readWhole(table: ResultTable): ResultTable {
  const columns = table.columns.map((column) => {
    const [block, type] = [column.read(0, table.length), column.type()]
    return {
      ...column,
      type: () => type,
      read: (start: number, end: number) => sliceRows(block, start, end),
    }
  })
  return { ...table, columns }
}
