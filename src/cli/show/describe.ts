/** How `pypet-ts show` is called. */
import type { Command } from 'commander'
import { trajectoryOption } from '../options.ts'
import type { ShowFlags } from './perform.ts'

export function describeShow(program: Command): void {
  const command = program
    .command('show')
    .description('Show everything about one run: parameters, results, times, error and log.')
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
    .argument('<run>', 'Number or name of the run; -1 is the last one')
  command
    .addOption(trajectoryOption(command))
    .option('--all', 'Show all parameters, and all lines of the log.')
    .option('--json', 'Print one JSON document.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', SHOW_EXAMPLES)
    .action(async (file: string, run: string, flags: ShowFlags) => {
      const { show } = await import('./perform.ts')
      await show(file, run, flags, process.stdout)
    })
}

const SHOW_EXAMPLES = `
Examples:
  $ pypet-ts show hdf5/job.h5 3
  $ pypet-ts show hdf5/job.h5 -1
  $ pypet-ts show hdf5/job.h5 run_00000003 --json`
