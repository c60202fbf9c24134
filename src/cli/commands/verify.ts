/** `pypet-ts verify <file>`, as the command line describes it. */
import type { Command } from 'commander'
import type { VerifyFlags } from '../verify.ts'

export function describeVerify(program: Command, jobArguments: readonly string[]): void {
  program
    .command('verify')
    .description(
      'Run stored runs again, and compare what they give with the file bit by bit. Writes nothing.',
    )
    .argument('<file>', 'The HDF5 file')
    .usage('[options] <file> [-- arguments of the job]')
    .option('--sample <n>', 'Verify so many stored runs, drawn at random. Default: 20.')
    .option('--all', 'Verify all stored runs.')
    .option('--runs <list>', 'Verify these runs, as 3,5,7..9.')
    .option('--sample-seed <n>', 'Draw the sample again that a report names. Default: another one each time.')
    .option(
      '--job <file>',
      'The job module, wherever it is. Default: the one that the file names, where it lies with the experiment.',
    )
    .option('--allow-changed-job', 'Compare runs that another job has made, too.')
    .option('--trajectory <name>', 'Which trajectory, where the file holds several.')
    .option(
      '--ncores <n>',
      'How many runs are computed at the same time; 0 means one on each core. Default: 1.',
    )
    .option(
      '--executor <choice>',
      'Where runs are computed: inline, pool or process. Default: as ncores demands.',
    )
    .option('--timeout <n>', 'Seconds after which a run is ended and has failed; 0 means never. Default: 0.')
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print stacks of errors.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyCommand } = await import('../verify.ts')
      process.exitCode = await verifyCommand(file, flags, jobArguments)
    })
}

const EXAMPLES = `
Examples:
  $ pypet-ts verify hdf5/job.h5
  $ pypet-ts verify hdf5/job.h5 --all --ncores 0
  $ pypet-ts verify hdf5/job.h5 --runs 3,5,7..9 --json
  $ pypet-ts verify hdf5/job.h5 -- --any=flag   of a job that was run with it

Exit codes: 0 all are identical; 3 some differ or fail, or were made by another
job (--all); 2 nothing was compared.`
