/** Writes a table of runs to a file of another format. */
import { extname } from 'node:path'
import { PypetError } from '../errors.ts'
import { Hdf5File } from '../hdf5/file.ts'
import type { TrajectoryFacts } from '../results/open-table.ts'
import type { ResultTable } from '../results/query.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isArray, isSingle, longCsvText } from './long-table.ts'
import { netcdfPlan } from './netcdf.ts'
import { csvText, jsonLines } from './text-rows.ts'
import { type OutputOptions, writeOutput } from './write-output.ts'

/** By the ending of the file's name. */
export const EXPORT_FORMATS = ['csv', 'parquet', 'jsonl', 'nc'] as const

export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ExportOptions extends OutputOptions {
  /** CSV: a row for each element of an array. */
  readonly isLong: boolean
  /** Called with the number of rows written since the last call. */
  readonly onRows?: (rows: number) => void
}

export interface ExportReport {
  readonly rowCount: number
  readonly columnCount: number
  /** Sentences: what was left out and why, which dimensions were found. */
  readonly notices: readonly string[]
}

/** @throws PypetError `PYPET_USAGE` with the known endings */
export function exportFormat(path: string): ExportFormat {
  const ending = extname(path).slice(1).toLowerCase()
  const found = EXPORT_FORMATS.find((format) => format === ending)
  if (found !== undefined) return found
  const known = EXPORT_FORMATS.map((format) => `.${format}`)
  const shown = ending === '' ? 'no ending' : `the ending .${ending}`
  throw new PypetError('PYPET_USAGE', `cannot export to ${path}: it has ${shown}`, {
    where: path,
    hint: nearestHint(`.${ending}`, known, `Known endings: ${known.join(', ')}.`),
  })
}

/**
 * Writes the file under a temporary name, and renames it when it is durable.
 *
 * @throws PypetError as `writeOutput` and the reading of the table
 */
export async function exportTable(
  path: string,
  table: ResultTable,
  facts: TrajectoryFacts,
  options: ExportOptions,
): Promise<ExportReport> {
  const format = exportFormat(path)
  const report = (columnCount: number, notices: readonly string[]) => ({
    rowCount: table.length,
    columnCount,
    notices,
  })
  const source = { source: `pypet-ts: trajectory ${facts.trajectory} of ${facts.file}` }
  return await writeOutput(path, options, async (output) => {
    switch (format) {
      case 'csv': {
        const shown = options.isLong ? table : singlesOf(table)
        const pieces = options.isLong ? longCsvText(table) : csvText(shown)
        await writePieces(pieces, output.write, options.onRows)
        const leftOut = table.columns.filter(
          (column) => !isSingle(column) && !(options.isLong && isArray(column)),
        )
        return report(
          shown.columns.length,
          leftOutNotices(
            leftOut.map(({ name }) => name),
            options.isLong,
          ),
        )
      }
      case 'jsonl':
        await writePieces(jsonLines(table), output.write, options.onRows)
        return report(table.columns.length, [])
      case 'parquet': {
        const { writeParquet } = await import('./parquet.ts')
        const metadata = { ...source, 'pypet-ts': JSON.stringify({ columns: descriptionsOf(table) }) }
        await writeParquet(table, {
          metadata,
          write: output.write,
          ...(options.onRows !== undefined && { onRows: options.onRows }),
        })
        return report(table.columns.length, [])
      }
      case 'nc': {
        const plan = netcdfPlan(table, source)
        await Hdf5File.write(output.path, 'create', (file) => {
          for (const operation of plan.operations()) file.apply([operation])
        })
        options.onRows?.(table.length)
        const dimensions = plan.dimensions.map(([name, size]) => `${name} (${size})`).join(', ')
        const why =
          plan.dimensions[0]?.[0] === 'run' ? ': the runs are no full product of their parameters' : ''
        return report(table.columns.length - plan.leftOut.length, [
          `dimensions: ${dimensions}${why}`,
          ...(plan.leftOut.length === 0
            ? []
            : [`left out, because runs differ in shape or type: ${plan.leftOut.join(', ')}`]),
        ])
      }
    }
  })
}

function singlesOf(table: ResultTable): ResultTable {
  return { ...table, columns: table.columns.filter(isSingle) }
}

function leftOutNotices(names: readonly string[], isLong: boolean): string[] {
  if (names.length === 0) return []
  const how = isLong ? '' : '; --long writes a row for each element of arrays'
  return [`left out, because they are not single values: ${names.join(', ')}${how}`]
}

function descriptionsOf({ columns }: ResultTable) {
  return columns.map(({ name, unit, comment, type }) => ({ name, unit, comment, dtype: type().dtype }))
}

/** Lets the event loop breathe between pieces: for a progress bar, and for Ctrl-C. */
async function writePieces(
  pieces: Iterable<string>,
  write: (text: string) => void,
  onRows?: (rows: number) => void,
): Promise<void> {
  let number = 0
  for (const piece of pieces) {
    write(piece)
    number += 1
    if (number === 1) continue
    onRows?.(ROWS_PER_PIECE)
    if (number % PIECES_PER_BREATH === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** About. */
const ROWS_PER_PIECE = 8192
const PIECES_PER_BREATH = 8
