/** How `pypet-ts overview` is called. */
import type { Command } from 'commander'

export function describeOverview(program: Command): void {
  program
    .command('overview')
    .description('Show what an HDF5 file holds: trajectories, parameters, runs and results.')
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
    .option('--trajectory <name>', 'Only this trajectory.')
    .option('--runs', 'Also show the table of runs: on a terminal the first and last ones, otherwise all.')
    .option('--json', 'Print one JSON document.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', OVERVIEW_EXAMPLES)
    .action(async (file: string, flags: { trajectory?: string; runs?: boolean; json?: boolean }) => {
      const { overview } = await import('./perform.ts')
      await overview(file, flags, process.stdout)
    })
}

const OVERVIEW_EXAMPLES = `
Examples:
  $ pypet-ts overview hdf5/job.h5
  $ pypet-ts overview hdf5/job.h5 --runs --trajectory tau10
  $ pypet-ts overview hdf5/job.h5 --json | jq '.trajectories[0].runs'
  $ pypet-ts overview hdf5/job.h5 --json --runs     the same, with every run`
