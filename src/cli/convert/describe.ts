/** How `pypet-ts convert` is called. */
import type { Command } from 'commander'

export function describeConvert(program: Command): void {
  program
    .command('convert')
    .description('Copy an HDF5 file into another layout: results below their runs, or in columns.')
    .argument('<source>', 'HDF5 file')
    .argument('<target>', 'The new file')
    .requiredOption('--layout <layout>', 'Where results are: below their runs (tree), or in columns.')
    .option('--overwrite', 'Replace an existing target.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', CONVERT_EXAMPLES)
    .action(async (source: string, target: string, flags: Flags) => {
      const { convertCommand } = await import('./perform.ts')
      await convertCommand(source, target, flags)
    })
}

interface Flags {
  readonly layout: string
  readonly overwrite?: boolean
  readonly json?: boolean
}

const CONVERT_EXAMPLES = `
Examples:
  $ pypet-ts convert hdf5/job.h5 columns.h5 --layout columns
  $ pypet-ts convert columns.h5 tree.h5 --layout tree`
