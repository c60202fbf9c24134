/** How `pypet-ts snapshot` is called. */
import type { Command } from 'commander'

export function describeSnapshot(program: Command): void {
  program
    .command('snapshot')
    .description('Copy the last committed state of an HDF5 file, even while it is being written.')
    .argument('<source>', 'HDF5 file, or a .cnt file next to it')
    .argument('<target>', 'The copy')
    .option('--overwrite', 'Replace an existing target.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', SNAPSHOT_EXAMPLES)
    .action(async (source: string, target: string, flags: { overwrite?: boolean; json?: boolean }) => {
      const { snapshotCommand } = await import('./perform.ts')
      await snapshotCommand(source, target, flags)
    })
}

const SNAPSHOT_EXAMPLES = `
Examples:
  $ pypet-ts snapshot hdf5/job.h5 copy.h5
  $ pypet-ts snapshot hdf5/job.cnt copy.h5 --overwrite`
