/** How `pypet-ts run` is called. */
import type { Command, Option } from 'commander'
import { OPTION_NAMES, type OptionName } from '../../experiment/options.ts'
import { DAILY_OPTIONS, inHelpGroups, TRAJECTORY, withHelpAll } from '../help.ts'
import {
  addOptions,
  breakLockOption,
  configOption,
  type Described,
  exploreOption,
  givenFlags,
  setOption,
  shapingOptions,
  shownOptions,
  tableOptions,
} from '../options.ts'

export function describeRun(program: Command, { jobArguments, asksDaily }: Described): void {
  const command = program
    .command('run')
    .description('Run a job at every point of its parameter space and store every result.')
    .argument('<job>', 'Job module: .ts .mts .cts .js .mjs .cjs')
    .usage('[options] <job> [-- arguments of the job]')
  addOptions(command, runOptions(command))
    .addHelpText('after', EXAMPLES)
    .action(async (job: string, _flags: unknown, called: Command) => {
      const { runCommand } = await import('./perform.ts')
      process.exitCode = await runCommand(job, givenFlags(called), jobArguments)
    })
  withHelpAll(command, DAILY, asksDaily)
}

/** In the order of the help: the most common options come first. */
function runOptions(command: Command): readonly Option[] {
  const ofTable = new Map(OPTION_NAMES.map((name) => [name, tableOptions(command, name)]))
  const take = (...names: OptionName[]): Option[] =>
    names.flatMap((name) => {
      const [option] = ofTable.get(name) ?? []
      ofTable.delete(name)
      return option ?? []
    })
  return [
    ...take('ncores'),
    configOption(command),
    ...take('filename', 'name', 'addTime', 'comment'),
    setOption(command),
    exploreOption(command),
    ...shapingOptions(command),
    ...take('repeat', 'logFolder', 'logLevel', 'overwrite'),
    command.createOption('--dry-run', 'Print the points that would be run, and run nothing.'),
    command
      .createOption(
        '--point <n>',
        'Run only this point, in the main thread, and print its results; store nothing.',
      )
      .conflicts(['dryRun', 'json', 'quiet']),
    command.createOption('--inspect', 'With --point: wait for a debugger, and stop before the job.'),
    ...shownOptions(command),
    ...inHelpGroups([...[...ofTable.values()].flat(), breakLockOption(command)]),
  ]
}

const { ncores, points, failures, shown } = DAILY_OPTIONS
const DAILY = {
  ...ncores,
  '--seed': 'Seed of random numbers. Default: 0.',
  ...points,
  '--set': 'Set a parameter: neuron.tau=10.',
  '--file': 'HDF5 file. Default: hdf5/<name>.h5.',
  '--name': 'Name of the trajectory in the file.',
  '--add-time': 'Append the start time to that name.',
  '--overwrite': 'Replace the HDF5 file.',
  '--comment': 'Comment to store.',
  '--config': 'Config file. Default: pypet.config.*.',
  '--dry-run': 'Print the points; run nothing.',
  '--point': 'Run one point here; store nothing.',
  ...failures,
  ...shown,
}

const EXAMPLES = `
${TRAJECTORY}

Examples:
  $ pypet-ts run job.ts               every point, one after another
  $ pypet-ts run job.ts --ncores 0    on all cores
  $ pypet-ts run job.ts --dry-run     how many points, and which
  $ pypet-ts run job.ts --explore x=1,2,3 --explore y=0:1:0.1
  $ pypet-ts run job.ts --sample sobol:64 --explore x=0:1 --explore y=0.1:10:log
  $ pypet-ts run job.ts --where 'x < y' --repeat 5
  $ pypet-ts run job.ts --set neuron.tau=10 --name tau10
  $ pypet-ts run job.ts --json | jq .event
  $ pypet-ts run job.ts -- --any=flag   passes '--any=flag' to the job

Most options are also keys of pypet.config.{ts,js,json,yaml,toml} and variables:
PYPET_NCORES, PYPET_FILENAME and so on. Flags win over variables, variables over
the config file, the config file over the job.`
