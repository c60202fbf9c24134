/** How `pypet-ts table` is called. */
import type { Command } from 'commander'
import { trajectoryOption } from '../options.ts'
import type { TableFlags } from './perform.ts'

export function describeTable(program: Command): void {
  const command = program
    .command('table')
    .alias('query')
    .description('Show parameters and results, one row per run.')
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
  command
    .addOption(trajectoryOption(command))
    .option(
      '--select <names>',
      "Columns, as x,z,neuron.* or 'm = mean(trace)'. Default: what was explored, and single results.",
    )
    .option('--where <condition>', `Only runs where a condition is true, as 'x > 3 && status == "stored"'.`)
    .option('--sort <names>', 'Sort by columns or expressions; -z is descending.')
    .option('--limit <n>', 'Show at most so many rows.')
    .option('--group-by <names>', 'One row for each combination of values of these columns.')
    .option('--agg <expressions>', "What to compute for each group, as 'mean(z), std(z), count()'.")
    .option('--csv', 'Print CSV.')
    .option('--jsonl', 'Print one JSON object per line.')
    .option('--json', 'Print one JSON document.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', TABLE_EXAMPLES)
    .action(async (file: string, flags: TableFlags) => {
      const { table } = await import('./perform.ts')
      await table(file, flags, process.stdout)
    })
}

const TABLE_EXAMPLES = `
Examples:
  $ pypet-ts table hdf5/job.h5
  $ pypet-ts table hdf5/job.h5 --where 'x > 1 && z < 10' --sort -z --limit 10
  $ pypet-ts table hdf5/job.h5 --group-by x --agg 'mean(z), std(z), count()'
  $ pypet-ts table hdf5/job.h5 --select run,x,z --csv > runs.csv
  $ pypet-ts table hdf5/job.h5 --where 'status == "failed"'

In expressions: + - * / % **, < <= > >= == !=, in [1, 2], && || !, z == null,
mean(trace), max(trace), trace[3], length(trace), abs(x) and other functions.`
