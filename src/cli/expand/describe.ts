/** How `pypet-ts expand` is called. */
import type { Command, Option } from 'commander'
import { CHANGEABLE_OPTIONS } from '../../experiment/options.ts'
import { DAILY_OPTIONS, inHelpGroups, withHelpAll } from '../help.ts'
import {
  addOptions,
  allowChangedJobOption,
  breakLockOption,
  type Described,
  exploreOption,
  givenFlags,
  jobOption,
  shapingOptions,
  shownOptions,
  tableOptions,
  trajectoryOption,
} from '../options.ts'

export function describeExpand(program: Command, { asksDaily }: Described): void {
  const command = program
    .command('expand')
    .description('Add points to a stored trajectory and run them. Completed runs are not repeated.')
    .argument('<file>', 'HDF5 file')
  addOptions(command, expandOptions(command))
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, _flags: unknown, called: Command) => {
      const { expandCommand } = await import('./perform.ts')
      process.exitCode = await expandCommand(file, givenFlags(called))
    })
  withHelpAll(command, DAILY, asksDaily)
}

function expandOptions(command: Command): readonly Option[] {
  const changeable = CHANGEABLE_OPTIONS.filter((name) => name !== 'ncores')
  return [
    exploreOption(
      command,
      'Points to add, as x=1,2,3 or x=0:1:0.1. Name every explored parameter (repeatable).',
    ),
    ...shapingOptions(command),
    ...tableOptions(command, 'repeat'),
    ...tableOptions(command, 'ncores'),
    jobOption(command),
    trajectoryOption(command),
    allowChangedJobOption(command),
    ...shownOptions(command, 'Print log lines, and stacks of errors.'),
    ...inHelpGroups([...changeable.flatMap((name) => tableOptions(command, name)), breakLockOption(command)]),
  ]
}

const DAILY = {
  ...DAILY_OPTIONS.points,
  ...DAILY_OPTIONS.ncores,
  ...DAILY_OPTIONS.job,
  '--trajectory': 'Trajectory, if the file holds several.',
  ...DAILY_OPTIONS.failures,
  ...DAILY_OPTIONS.shown,
}

const EXAMPLES = `
Examples:
  $ pypet-ts expand hdf5/job.h5 --explore x=4,5,6
  $ pypet-ts expand hdf5/job.h5 --explore x=1:11 --explore y=6,7 --ncores 4
  $ pypet-ts expand hdf5/job.h5 --job job.ts        runs what is not completed

Points that the trajectory already has are not run again.`
