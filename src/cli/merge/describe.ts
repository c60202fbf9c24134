/** How `pypet-ts merge` is called. */
import type { Command } from 'commander'
import type { MergeFlags } from './perform.ts'

export function describeMerge(program: Command): void {
  program
    .command('merge')
    .description('Merge trajectories with the same parameters into a new or an existing file.')
    .argument(
      '<files...>',
      'HDF5 files, or a folder of them; file.h5:name if a file holds several trajectories',
    )
    .requiredOption('--into <file>', 'New file, or an existing one to which a single other file is appended')
    .option('--remove-duplicates', 'Skip points that the target already has.')
    .option(
      '--trial-parameter <name>',
      'Parameter that counts trials. Each file continues the count of the files before it.',
    )
    .option('--overwrite', 'Replace an existing file.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print each step even on a pipe, and error stacks.')
    .addOption(
      program
        .createOption(
          '--conflicts <choice>',
          'What to do if equal points have different results: error or keep-first. Default: error.',
        )
        .choices(['error', 'keep-first'])
        .default('error'),
    )
    .addOption(
      program
        .createOption('--append', 'Append the runs to an existing file, in one transaction.')
        .conflicts('overwrite'),
    )
    .addHelpText('after', MERGE_EXAMPLES)
    .action(async (files: string[], flags: MergeFlags) => {
      const { mergeCommand } = await import('./perform.ts')
      await mergeCommand(files, flags)
    })
}

const MERGE_EXAMPLES = `
Examples:
  $ pypet-ts merge a.h5 b.h5 --into c.h5
  $ pypet-ts merge a.h5 b.h5 --into c.h5 --remove-duplicates
  $ pypet-ts merge b.h5 --into a.h5        the runs of b.h5, appended to a.h5
  $ pypet-ts merge f.h5:one f.h5:two --into c.h5:both
  $ pypet-ts merge results/ --into all.h5 --trial-parameter trial`
