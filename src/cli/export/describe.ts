/** How `pypet-ts export` is called. */
import type { Command } from 'commander'
import { trajectoryOption } from '../options.ts'
import type { ExportFlags } from './perform.ts'

export function describeExport(program: Command): void {
  const command = program
    .command('export')
    .description(
      'Write parameters and results to a CSV, Parquet, JSON lines or NetCDF file, one row per run.',
    )
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
    .argument('<output>', 'The new file; its ending says the format: .csv, .parquet, .jsonl or .nc')
  command
    .addOption(trajectoryOption(command))
    .option('--select <names>', 'Columns, as for table. Default: what was explored, and all results.')
    .option('--where <condition>', `Only runs where a condition is true, as 'status == "stored"'.`)
    .option('--sort <names>', 'Sort by columns or expressions; -z is descending.')
    .option('--limit <n>', 'Write at most so many rows.')
    .option('--all', 'Also parameters that have the same value in all runs.')
    .option('--long', 'CSV: write a row for each element of arrays.')
    .option('--force', 'Replace an existing file.')
    .option('--quiet', 'Print only errors.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', EXPORT_EXAMPLES)
    .action(async (file: string, output: string, flags: ExportFlags) => {
      const { exportCommand } = await import('./perform.ts')
      await exportCommand(file, output, flags)
    })
}

const EXPORT_EXAMPLES = `
Examples:
  $ pypet-ts export hdf5/job.h5 runs.csv
  $ pypet-ts export hdf5/job.h5 runs.parquet --all
  $ pypet-ts export hdf5/job.h5 best.csv --where 'z > 10' --sort -z --limit 100
  $ pypet-ts export hdf5/job.h5 traces.csv --select run,x,trace --long
  $ pypet-ts export hdf5/job.h5 grid.nc     for xarray, parameters as dimensions`
