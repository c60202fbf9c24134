/** `pypet-ts restore <file>`, as the command line describes it. */
import type { Command } from 'commander'
import type { RestoreFlags } from '../restore.ts'

export function describeRestore(program: Command): void {
  program
    .command('restore')
    .description('Write back the job of a trajectory as it was when the trajectory was made.')
    .argument('<file>', 'The HDF5 file')
    .requiredOption('--to <folder>', 'The folder to write into; it must be empty or new.')
    .option('--trajectory <name>', 'Which trajectory, where the file holds several.')
    .option('--run <n>', 'What this run was made with. Default: what the latest environment was.')
    .option('--environment <name>', 'What this environment was, instead of a run.')
    .option('--force', 'Write into a folder that is not empty, too, and replace files of the same name.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print stacks of errors.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: RestoreFlags) => {
      const { restoreCommand } = await import('../restore.ts')
      await restoreCommand(file, flags)
    })
}

const EXAMPLES = `
Examples:
  $ pypet-ts restore hdf5/job.h5 --to again
  $ pypet-ts restore hdf5/job.h5 --to before --run 17
  $ pypet-ts restore hdf5/all.h5 --to again --trajectory tau10`
