/** `pypet-ts verify <file>`, as the command line describes it. */
import type { Command } from 'commander'
import { type Described, jobOption, trajectoryOption } from '../options.ts'
import type { VerifyFlags } from './perform.ts'

export function describeVerify(program: Command, { jobArguments }: Described): void {
  program
    .command('verify')
    .description('Repeat stored runs and compare their results with the file, bit by bit. Writes nothing.')
    .argument('<file>', 'HDF5 file')
    .usage('[options] <file> [-- arguments of the job]')
    .option('--sample <n>', 'Number of stored runs to verify, drawn at random. Default: 20.')
    .option('--all', 'Verify all stored runs.')
    .option('--runs <list>', 'Verify these runs, such as 3,5,7..9.')
    .option(
      '--sample-seed <n>',
      'Draw the same sample as an earlier report. Default: a new sample each time.',
    )
    .addOption(jobOption(program))
    .option('--allow-changed-job', 'Also compare runs that a different version of the job made.')
    .addOption(trajectoryOption(program))
    .option('--ncores <n>', 'Number of runs at the same time; 0 uses all cores. Default: 1.')
    .option(
      '--executor <choice>',
      'Where runs are computed: inline, pool or process. Default: inline on one core, pool on several, unless another option requires one.',
    )
    .option(
      '--timeout <n>',
      'Time limit for a run, in seconds; a run that exceeds it fails. 0 means no limit. Default: 0.',
    )
    .option('--json', 'Print one JSON object.')
    .option('--verbose', 'Print error stacks.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyCommand } = await import('./perform.ts')
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
