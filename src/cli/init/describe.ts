import type { Command } from 'commander'

/** `pypet-ts init [folder]`: writes a first experiment. */
export function describeInit(program: Command): void {
  program
    .command('init')
    .description('Write a job, a config file and a README, ready to run.')
    .argument('[folder]', 'Folder to write into; created if necessary. Default: the current one.')
    .option('--force', 'Replace existing files.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', INIT_EXAMPLES)
    .action(async (folder: string | undefined, flags: { force?: boolean }) => {
      const { initCommand } = await import('./perform.ts')
      initCommand(folder ?? '.', { isForced: flags.force === true }, process.stdout)
    })
}

const INIT_EXAMPLES = `
Examples:
  $ pypet-ts init my-experiment
  $ cd my-experiment && pypet-ts run job.ts`
