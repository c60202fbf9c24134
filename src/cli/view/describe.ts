/** How `pypet-ts view` is called. */
import type { Command } from 'commander'
import type { ViewFlags } from './perform.ts'

export function describeView(program: Command): void {
  program
    .command('view')
    .description('Explore an HDF5 file in the browser, even while it is being written.')
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
    .option('--trajectory <name>', 'This trajectory, if the file holds several.')
    .option('--port <number>', 'Listen on this port. Default: any free one.')
    .option('--host <address>', 'Listen on this address of this machine. Default: 127.0.0.1.')
    .option(
      '--allow-remote',
      'Allow a --host that other machines can reach. The connection is not encrypted.',
    )
    .option('--no-open', 'Only print the address.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', VIEW_EXAMPLES)
    .action(async (file: string, flags: ViewFlags) => {
      const { view } = await import('./perform.ts')
      await view(file, flags)
    })
}

const VIEW_EXAMPLES = `
Examples:
  $ pypet-ts view hdf5/job.h5
  $ pypet-ts view hdf5/job.h5 --no-open --port 8000`
