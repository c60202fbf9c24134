/** How `pypet-ts continue` is called. */
import type { Command, Option } from 'commander'
import { CHANGEABLE_OPTIONS } from '../../experiment/options.ts'
import { DAILY_OPTIONS, inHelpGroups, withHelpAll } from '../help.ts'
import {
  addOptions,
  allowChangedJobOption,
  breakLockOption,
  type Described,
  givenFlags,
  shownOptions,
  tableOptions,
} from '../options.ts'

export function describeContinue(program: Command, { asksDaily }: Described): void {
  const command = program
    .command('continue')
    .description('Resume an interrupted experiment. Runs only what is missing.')
    .argument('<file>', 'The .cnt file next to the HDF5 file, or the HDF5 file itself')
  addOptions(command, continueOptions(command))
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, _flags: unknown, called: Command) => {
      const { continueCommand } = await import('./perform.ts')
      process.exitCode = await continueCommand(file, givenFlags(called))
    })
  withHelpAll(command, DAILY, asksDaily)
}

function continueOptions(command: Command): readonly Option[] {
  const others = [
    ...CHANGEABLE_OPTIONS.filter((name) => name !== 'ncores').flatMap((name) =>
      tableOptions(command, name, AS_IT_WAS),
    ),
    // The service stays the same, but may be in a place that only the user can confirm.
    ...tableOptions(command, 'storageService', AS_IT_WAS),
    breakLockOption(command),
  ]
  return [
    ...tableOptions(command, 'ncores'),
    command.createOption(
      '--dry-run',
      'Print what is stored, failed and missing, and what would be run; change nothing.',
    ),
    command.createOption('--retry-failed', 'Also run failed runs again.'),
    command
      .createOption('--only <runs>', 'Run only failed runs, or only missing ones: failed or missing.')
      .choices(['failed', 'missing']),
    command.createOption(
      '--job <file>',
      'Job module. Default: the one that the .cnt file names, if it is near that file.',
    ),
    allowChangedJobOption(command),
    ...shownOptions(command),
    ...inHelpGroups(others),
  ]
}

/** Options that are not given keep their values from the start of the experiment. */
const AS_IT_WAS = { hasDefault: false }

const DAILY = {
  ...DAILY_OPTIONS.ncores,
  '--dry-run': 'Print what would run; run nothing.',
  '--retry-failed': 'Also run failed runs again.',
  '--only': 'Only failed, or only missing runs.',
  ...DAILY_OPTIONS.job,
  ...DAILY_OPTIONS.failures,
  ...DAILY_OPTIONS.shown,
}

const EXAMPLES = `
Examples:
  $ pypet-ts continue hdf5/job.cnt              runs what is missing
  $ pypet-ts continue hdf5/job.h5 --dry-run     shows what that would be
  $ pypet-ts continue hdf5/job.cnt --retry-failed --ncores 4

The job, its parameters and the exploration stay as they were. So do options
that you do not give. The .cnt file is removed when every run is stored.`
