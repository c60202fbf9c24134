/** `pypet-ts restore <file>`, as the command line describes it. */
import type { Command } from 'commander'
import { trajectoryOption } from '../options.ts'
import type { RestoreFlags } from './perform.ts'

export function describeRestore(program: Command): void {
  program
    .command('restore')
    .description("Restore the job's source as it was when the file was written.")
    .argument('<file>', 'HDF5 file')
    .requiredOption('--to <folder>', 'Folder to write into. It must be new or empty.')
    .addOption(trajectoryOption(program))
    .option('--run <n>', 'Restore the source of this run. Default: the source of the latest environment.')
    .option('--environment <name>', 'Restore the source of this environment.')
    .option('--force', 'Also write into a folder that is not empty, and replace files of the same name.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: RestoreFlags) => {
      const { restoreCommand } = await import('./perform.ts')
      await restoreCommand(file, flags)
    })
}

const EXAMPLES = `
Examples:
  $ pypet-ts restore hdf5/job.h5 --to again
  $ pypet-ts restore hdf5/job.h5 --to before --run 17
  $ pypet-ts restore hdf5/all.h5 --to again --trajectory tau10`
