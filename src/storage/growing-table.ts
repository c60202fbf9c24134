import type { Hdf5Operation } from './hdf5-operation.ts'
import { appendRows, createFilledTable, type Row, type Table } from './hdf5-table.ts'

/** A table that comes into being with its first row and then grows. Returns operations, does nothing. */
export class GrowingTable {
  readonly #path: string
  readonly #table: Table
  readonly #title: string
  #rowCount = 0
  #exists = false

  constructor(path: string, table: Table, title: string) {
    this.#path = path
    this.#table = table
    this.#title = title
  }

  /** Creates the table without rows, for readers that expect it, unless rows have created it already. */
  create(): Hdf5Operation[] {
    if (this.#exists) return []
    this.#exists = true
    return createFilledTable(this.#path, this.#table, this.#title, [])
  }

  append(rows: readonly Row[]): Hdf5Operation[] {
    if (rows.length === 0) return []
    const operations = this.#exists
      ? appendRows(this.#path, this.#table, this.#rowCount, rows)
      : createFilledTable(this.#path, this.#table, this.#title, rows)
    this.#exists = true
    this.#rowCount += rows.length
    return operations
  }
}
