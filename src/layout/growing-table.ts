import type { Hdf5Operation } from '../hdf5/operation.ts'
import { addRows, createFilledTable, type Row, resizeTable, type TableDescription } from '../hdf5/table.ts'
import { MEMORY } from '../names.ts'
import type { LayoutMemory } from './layout-memory.ts'

/** A table that is created with its first row and then grows. Only returns operations. */
export class GrowingTable {
  readonly #path: string
  readonly #table: TableDescription
  readonly #title: string
  readonly #expectedRows: number
  readonly #memory: LayoutMemory
  /** The name of the row count in the memory. Unset while there is no table. */
  readonly #rowsName: string

  /** @param expectedRows expected number of rows, 0 if unknown: determines the chunk size */
  constructor(path: string, table: TableDescription, title: string, memory: LayoutMemory, expectedRows = 0) {
    this.#expectedRows = expectedRows
    this.#path = path
    this.#table = table
    this.#title = title
    this.#memory = memory
    this.#rowsName = MEMORY.rowsOf(title)
  }

  get rowCount(): number {
    return Number(this.#memory.value(this.#rowsName) ?? 0)
  }

  get #exists(): boolean {
    return this.#memory.value(this.#rowsName) !== undefined
  }

  /** Creates an empty table for readers that expect it, unless rows have already created it. */
  create(): Hdf5Operation[] {
    if (this.#exists) return []
    this.#memory.set(this.#rowsName, 0)
    return createFilledTable(this.#path, this.#table, this.#title, [], { expectedRows: this.#expectedRows })
  }

  append(rows: readonly Row[]): Hdf5Operation[] {
    if (rows.length === 0) return []
    const { rowCount } = this
    const before = {
      title: this.#title,
      expectedRows: this.#expectedRows,
      rowCount: this.#exists ? rowCount : undefined,
    }
    const operations = addRows(this.#path, this.#table, before, rows)
    this.#memory.set(this.#rowsName, rowCount + rows.length)
    return operations
  }

  /** Removes all rows. The table stays, because HDF5 files are not truncated. */
  clear(): Hdf5Operation[] {
    if (this.rowCount === 0) return []
    this.#memory.set(this.#rowsName, 0)
    return resizeTable(this.#path, 0)
  }
}
