/** How `pypet-ts compare` is called. */
import type { Command } from 'commander'
import { trajectoryOption } from '../options.ts'
import type { CompareFlags } from './perform.ts'

export function describeCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('Show what differs between runs: parameters, results, config and source of the job.')
    .argument(
      '<words...>',
      'A file and its runs, as a.h5 3 7; or runs of several files, as a.h5#3 b.h5:name#7',
    )
  command
    .addOption(trajectoryOption(command))
    .option('--json', 'Print one JSON document.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', COMPARE_EXAMPLES)
    .action(async (words: readonly string[], flags: CompareFlags) => {
      const { compare } = await import('./perform.ts')
      await compare(words, flags, process.stdout)
    })
}

const COMPARE_EXAMPLES = `
Examples:
  $ pypet-ts compare hdf5/job.h5 3 7
  $ pypet-ts compare hdf5/job.h5 0 1 -1
  $ pypet-ts compare a.h5:first#3 a.h5:second#3
  $ pypet-ts compare a.h5#3 b.h5#7 --json

Differences are against the first run. The exit code is 0 if runs differ, too.`
