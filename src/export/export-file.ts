/** Writes a table of runs to a file of another format. */
import { extname } from 'node:path'
import { breathe } from '../breath.ts'
import { PypetError } from '../errors.ts'
import { Hdf5File } from '../hdf5/file.ts'
import type { TrajectoryFacts } from '../results/open-table.ts'
import type { ResultTable } from '../results/query.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isArray, isSingle, longCsvText, longNames } from './long-table.ts'
import { netcdfPlan } from './netcdf.ts'
import { csvText, jsonLines } from './text-rows.ts'
import { type OutputOptions, writeOutput } from './write-output.ts'

/** By the ending of the file's name. */
const EXPORT_FORMATS = ['csv', 'parquet', 'jsonl', 'nc'] as const

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
  return await writeOutput(path, { ...options, check: facts.assertUnchanged }, async (output) => {
    switch (format) {
      case 'csv': {
        if (!options.isLong) {
          const single = { ...table, columns: table.columns.filter(isSingle) }
          const leftOut = table.columns.filter((column) => !isSingle(column)).map(({ name }) => name)
          await writePieces(csvText(single), output.write, options.onRows)
          return report(
            single.columns.length,
            leftOutNotices(leftOut, '; --long writes a row for each element of arrays'),
          )
        }
        if (!table.columns.some(isArray)) {
          throw new PypetError('PYPET_USAGE', '--long: no column has arrays', {
            where: '--long',
            hint: 'Leave out --long, or select a column with arrays.',
          })
        }
        let rowCount = 0
        await writePieces(
          longCsvText(table, (rows) => (rowCount += rows)),
          output.write,
        )
        const leftOut = table.columns.filter((column) => !isSingle(column) && !isArray(column))
        const notices = leftOutNotices(
          leftOut.map(({ name }) => name),
          '',
        )
        return { rowCount, columnCount: longNames(table).length, notices }
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
        const plan = netcdfPlan(table, source, facts.explored)
        await Hdf5File.write(output.path, 'create', (file) => {
          for (const operation of plan.operations()) file.apply([operation])
        })
        options.onRows?.(table.length)
        const dimensions = plan.dimensions.map(([name, size]) => `${name} (${size})`).join(', ')
        const why = plan.reason === undefined ? '' : `: ${plan.reason}`
        return report(table.columns.length - plan.leftOut.length, [
          `dimensions: ${dimensions}${why}`,
          ...(plan.leftOut.length === 0
            ? []
            : [`left out, because NetCDF has no form for them: ${plan.leftOut.join(', ')}`]),
        ])
      }
    }
  })
}

function leftOutNotices(names: readonly string[], how: string): string[] {
  return names.length === 0 ? [] : [`left out, because they are not single values: ${names.join(', ')}${how}`]
}

function descriptionsOf({ columns }: ResultTable) {
  return columns.map(({ name, unit, comment, type }) => ({ name, unit, comment, dtype: type().dtype }))
}

/** Lets other work of the process run now and then: a progress line, and Ctrl-C. */
async function writePieces(
  pieces: Iterable<string | Uint8Array>,
  write: (piece: string | Uint8Array) => void,
  onRows?: (rows: number) => void,
): Promise<void> {
  for (const piece of pieces) {
    write(piece)
    onRows?.(ROWS_PER_PIECE)
    await breathe()
  }
}

/** Of most pieces. Those of arrays have fewer. */
const ROWS_PER_PIECE = 8192
