/** The action of `pypet-ts export <file> <output>`. */
import { statSync } from 'node:fs'
import { PypetError } from '../../errors.ts'
import { exportFormat, exportTable } from '../../export/export-file.ts'
import { checkOutput } from '../../export/write-output.ts'
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { formatBytes, formatCount, plural } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { defaultColumns } from '../../results/default-columns.ts'
import { useTable } from '../../results/open-table.ts'
import { queryRuns } from '../../results/query.ts'
import { printable } from '../../values/printable.ts'
import { interruptible } from '../end-on-signals.ts'
import { FLAG_NAMES, type QueryFlags, queryOf } from '../query-flags.ts'

export interface ExportFlags extends QueryFlags {
  readonly all?: boolean | undefined
  readonly long?: boolean | undefined
  readonly force?: boolean | undefined
  readonly quiet?: boolean | undefined
  readonly json?: boolean | undefined
}

/** A progress line appears for exports that take longer. */
const PROGRESS_AFTER_MS = 2000

/**
 * Writes the file, and prints what is in it. Notices about what was left out go to stderr.
 *
 * @throws PypetError as `exportTable` and `queryRuns`; then nothing was written
 */
export async function exportCommand(file: string, output: string, flags: ExportFlags): Promise<void> {
  const format = exportFormat(output)
  if (flags.long === true && format !== 'csv') {
    throw new PypetError('PYPET_USAGE', `--long is for CSV: a .${format} file holds arrays as they are`, {
      where: '--long',
      hint: 'Leave out --long.',
    })
  }
  const outputOptions = { force: flags.force === true, forceName: '--force' }
  checkOutput(output, outputOptions)
  if (isSameFile(file, output)) {
    throw new PypetError('PYPET_USAGE', `cannot export ${file} to itself`, {
      where: output,
      hint: 'Choose another name.',
    })
  }
  if (knowsQuickening()) quickenH5wasm(TIERING.glance)
  const withArrays = format !== 'csv' || flags.long === true
  let arrays: readonly string[] = []
  const { report, runCount } = await interruptible(
    'export',
    () => 'nothing was written',
    () =>
      useTable(
        file,
        flags,
        (data) => {
          if (!withArrays && flags.select === undefined)
            arrays = data.columns
              .filter(({ kind, isExplored }) => kind !== 'parameter' || isExplored || flags.all === true)
              .filter(({ shape }) => shape?.length !== 0)
              .map(({ name }) => name)
          return queryRuns(
            data,
            queryOf(flags),
            (all) => defaultColumns(all, { withFacts: true, withArrays, withConstants: flags.all === true }),
            FLAG_NAMES,
          )
        },
        async (table, facts) => {
          using progress = showProgress(output, table.length, flags)
          const options = { ...outputOptions, isLong: flags.long === true, onRows: progress.add }
          return { report: await exportTable(output, table, facts, options), runCount: facts.runCount }
        },
      ),
  )
  const notices = [
    ...report.notices,
    ...(arrays.length === 0
      ? []
      : [
          `left out, because they are not single values: ${arrays.join(', ')}; --long writes a row for each element`,
        ]),
    ...(report.rowCount === 0 ? [noRows(runCount, flags)] : []),
  ].map(printable)
  const { rowCount, columnCount } = report
  const bytes = statSync(output).size
  if (flags.json === true) {
    const facts = {
      event: 'export',
      file: output,
      format,
      row_count: rowCount,
      column_count: columnCount,
      bytes,
      notices,
    }
    process.stdout.write(`${JSON.stringify(facts)}\n`)
    return
  }
  if (flags.quiet === true) return
  process.stdout.write(
    `${shownPath(output)}: ${plural(rowCount, 'row')}, ${plural(columnCount, 'column')}, ${formatBytes(bytes)}\n`,
  )
  for (const notice of notices) process.stderr.write(`${notice}\n`)
}

function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev
}

function noRows(runCount: number, { where }: ExportFlags): string {
  return where === undefined || runCount === 0
    ? 'no rows were written'
    : `none of the ${plural(runCount, 'run')} matches --where ${where}: no rows were written`
}

/** A line on a terminal's stderr. */
function showProgress(
  output: string,
  rowCount: number,
  { quiet, json }: ExportFlags,
): Disposable & { readonly add: (rows: number) => void } {
  const { stderr } = process
  const isShown = stderr.isTTY === true && quiet !== true && json !== true
  const start = performance.now()
  let [done, lastMs] = [0, start + PROGRESS_AFTER_MS]
  let hasLine = false
  return {
    add: (rows) => {
      done += rows
      const now = performance.now()
      if (!isShown || now < lastMs) return
      lastMs = now + REDRAW_MS
      hasLine = true
      const percent = `${Math.floor((100 * Math.min(done, rowCount)) / Math.max(1, rowCount))} %`
      stderr.write(`\r\x1b[2K${shownPath(output)}: ${percent}, ${formatCount(Math.min(done, rowCount))} rows`)
    },
    [Symbol.dispose]: () => {
      if (hasLine) stderr.write('\r\x1b[2K')
    },
  }
}

const REDRAW_MS = 200
