/** The command line: its commands, flags and help. What the commands do is loaded when they are called. */
import { Command, CommanderError, Option } from 'commander'
import { packageVersion } from '../environment/package-version.ts'
import { tellSystemError } from '../errors.ts'
import { CHANGEABLE_OPTIONS, OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import { exitWith } from '../experiment/refuse-exit.ts'
import { describeCompletion } from './commands/completion.ts'
import { askedHelp, NARROW_HELP, withHelpAll } from './commands/help.ts'
import { describeInit } from './commands/init.ts'
import { describeMerge } from './commands/merge.ts'
import { describeOverview } from './commands/overview.ts'
import { describePlan, PLANNED_OPTIONS } from './commands/plan.ts'
import { describeRestore } from './commands/restore.ts'
import { describeSnapshot } from './commands/snapshot.ts'
import { describeVerify } from './commands/verify.ts'
import type { ContinueFlags } from './continue.ts'
import { ExitCode, exitCodeOf } from './exit-code.ts'
import { collect, EXPLORE_FLAG, type ExplorationFlag, SHAPING_FLAGS } from './exploration-flags.ts'
import { inHelpGroups } from './help-groups.ts'
import { reportError } from './report-error.ts'
import type { RunFlags } from './run.ts'
import { usageError } from './usage-error.ts'

/**
 * Runs the command of `argv` (`process.argv`), reports its error, and ends the process with the exit code:
 * a timer or a handle that a job has left open is not waited for.
 *
 * @param endAhead ends what was started before it was known what is asked
 */
export async function main(all: readonly string[], endAhead: () => Promise<void>): Promise<void> {
  const { argv: given, jobArguments } = splitArguments(all)
  const { argv, asksDaily } = askedHelp(given)
  // `pypet-ts overview file.h5 | head` closes the pipe early; that is no error.
  process.stdout.on('error', ignoreClosedPipe)
  const program = describeProgram(jobArguments, argv[2])
  withHelpAll(program.commands, asksDaily)
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = report(error, program, argv)
  }
  // From here on it is not asked for again: what a job has left may set another one.
  const exitCode = Number(process.exitCode ?? ExitCode.OK)
  await Promise.all([drain(process.stdout), drain(process.stderr), endAhead()])
  exitWith(exitCode)
}

/** Resolves when everything is written, or the reader of it is gone. */
function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}

function report(thrown: unknown, program: Command, argv: readonly string[]): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return ExitCode.OK
    // Without a command the help has been printed, which says more than an error.
    if (thrown.code === 'commander.help') return ExitCode.WRONG
  }
  const error =
    thrown instanceof CommanderError ? usageError(thrown, calledCommand(program)) : tellSystemError(thrown)
  const verbose = argv.includes('--verbose')
  process.stderr.write(reportError(error, { verbose, json: argv.includes('--json'), stream: process.stderr }))
  return exitCodeOf(error)
}

function calledCommand(program: Command) {
  const command = program.commands.find((candidate) => candidate.name() === program.args[0])
  return command === undefined ? undefined : { name: command.name(), operands: command.args }
}

/** Commands that call a job: what stands behind `--` in `pypet-ts run job.ts -- --any=flag` is the job's. */
const CALLING_COMMANDS: readonly (string | undefined)[] = ['run', 'verify']

function splitArguments(all: readonly string[]): {
  readonly argv: readonly string[]
  readonly jobArguments: readonly string[]
} {
  const end = CALLING_COMMANDS.includes(all[2]) ? all.indexOf('--') : -1
  return end < 0
    ? { argv: all, jobArguments: [] }
    : { argv: all.slice(0, end), jobArguments: all.slice(end + 1) }
}

/**
 * All commands with their options; or the called one alone, which is all that is read then.
 *
 * @param called the first word, which may be anything
 */
function describeProgram(jobArguments: readonly string[], called: string | undefined): Command {
  const program = new Command('pypet-ts')
    .description('Run a function over a parameter space, in parallel, into one HDF5 file.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .showSuggestionAfterError()
    .configureHelp(NARROW_HELP)
    // What commander refuses is reported like any other error: see `report`.
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', MAIN_EXAMPLES)
  const only = Object.hasOwn(COMMANDS, called ?? '') && called !== 'completion' ? called : undefined
  for (const [name, describe] of Object.entries(COMMANDS)) {
    if (only === undefined || name === only) describe(program, jobArguments)
  }
  return program
}

/** In the order of the help. The completion of a shell reads all of them. */
const COMMANDS: Readonly<Record<string, (program: Command, jobArguments: readonly string[]) => void>> = {
  run: describeRun,
  plan: (program) => describePlan(program, planOptions()),
  continue: describeContinue,
  expand: describeExpand,
  merge: (program) => describeMerge(program, mergeOptions()),
  snapshot: describeSnapshot,
  restore: describeRestore,
  verify: describeVerify,
  overview: describeOverview,
  init: describeInit,
  completion: describeCompletion,
}

function describeRun(program: Command, jobArguments: readonly string[]): void {
  const command = program
    .command('run')
    .description('Run a job at every point of its parameter space and store every result.')
    .argument('<job>', 'Job module: .ts .mts .cts .js .mjs .cjs')
    .usage('[options] <job> [-- arguments of the job]')
  for (const option of runOptions()) command.addOption(option)
  command.addHelpText('after', RUN_EXAMPLES).action(async (job: string, _flags: unknown, called: Command) => {
    const { runCommand } = await import('./run.ts')
    process.exitCode = await runCommand(job, givenFlags(called), jobArguments)
  })
}

function describeContinue(program: Command): void {
  const command = program
    .command('continue')
    .description('Resume an interrupted experiment. Runs only what is missing.')
    .argument('<file>', 'The .cnt file next to the HDF5 file, or the HDF5 file itself')
  for (const option of continueOptions()) command.addOption(option)
  command
    .addHelpText('after', CONTINUE_EXAMPLES)
    .action(async (file: string, _flags: unknown, called: Command) => {
      const { continueCommand } = await import('./continue.ts')
      process.exitCode = await continueCommand(file, givenFlags(called) as ContinueFlags)
    })
}

/** Commander adds the defaults of switches, which would then win over the other layers. */
function givenFlags(command: Command): RunFlags {
  const given = Object.entries(command.opts()).filter(
    ([name]) => command.getOptionValueSource(name) !== 'default',
  )
  return Object.fromEntries(given)
}

/** The options of `run`, in the order of its help: what most people need comes first. */
function runOptions(): readonly Option[] {
  const ofTable = new Map(OPTION_NAMES.map((name) => [name, flagOptions(name)]))
  const take = (name: OptionName): Option | undefined => {
    const [option] = ofTable.get(name) ?? []
    ofTable.delete(name)
    return option
  }
  const first = [
    take('ncores'),
    new Option('--config <file>', "Config file. Default: searched from the job's folder upwards."),
    take('filename'),
    take('name'),
    take('addTime'),
    take('comment'),
    new Option('--set <name=value>', 'Set a parameter, such as neuron.tau=10 (repeatable).').argParser(
      collect,
    ),
    ...[EXPLORE_FLAG, ...SHAPING_FLAGS].map(explorationOption),
    take('repeat'),
    take('logFolder'),
    take('logLevel'),
    take('overwrite'),
    new Option('--dry-run', 'Print the points that would be run, and run nothing.'),
    new Option(
      '--point <n>',
      'Run only this point, here and now, and print what it gives; store nothing.',
    ).conflicts(['dryRun', 'json', 'quiet']),
    new Option('--inspect', 'With --point: wait for a debugger, and stop before the job.'),
    new Option('--quiet', 'Print only failures and errors.').conflicts(['json', 'verbose']),
    new Option('--verbose', 'Print log lines, where each option comes from, and stacks of errors.'),
    new Option('--json', 'Print events as JSON, one per line.'),
  ]
  const others = inHelpGroups([...[...ofTable.values()].flat(), breakLockOption()])
  return [...first, ...others].filter((option) => option !== undefined)
}

function planOptions(): readonly Option[] {
  return [
    ...[EXPLORE_FLAG, ...SHAPING_FLAGS].map(explorationOption),
    ...PLANNED_OPTIONS.flatMap((name) => flagOptions(name)),
  ]
}

function continueOptions(): readonly Option[] {
  const first = [
    ...flagOptions('ncores'),
    new Option(
      '--dry-run',
      'Print what is stored, failed and missing, and what would be run; change nothing.',
    ),
    new Option('--retry-failed', 'Also run failed runs again.'),
    new Option(
      '--only <runs>',
      'Perform only runs that have failed, or only those that are missing: failed or missing.',
    ).choices(['failed', 'missing']),
    new Option(
      '--job <file>',
      'The job module, wherever it is. Default: the one that the .cnt file names, where it lies with the experiment.',
    ),
    new Option('--allow-changed-job', 'Go on although the job module is not the one that ran last.'),
    new Option('--quiet', 'Print only failures and errors.').conflicts(['json', 'verbose']),
    new Option('--verbose', 'Print log lines, where each option comes from, and stacks of errors.'),
    new Option('--json', 'Print events as JSON, one per line.'),
  ]
  const others = [
    ...CHANGEABLE_OPTIONS.filter((name) => name !== 'ncores').flatMap((name) => flagOptions(name, AS_IT_WAS)),
    // It does not change, but may lie where only the user can say that it is the right one.
    ...flagOptions('storageService', AS_IT_WAS),
    breakLockOption(),
  ]
  return [...first, ...inHelpGroups(others)]
}

/** Where an experiment is continued, what is not given is as it was when it began. */
const AS_IT_WAS = { hasDefault: false }

function breakLockOption(): Option {
  return new Option('--break-lock', 'Take over the lock of a process on another host that is gone.')
}

function describeExpand(program: Command): void {
  const command = program
    .command('expand')
    .description('Add points to a stored trajectory and run them. Completed runs are not repeated.')
    .argument('<file>', 'HDF5 file')
  for (const option of expandOptions()) command.addOption(option)
  command
    .addHelpText('after', EXPAND_EXAMPLES)
    .action(async (file: string, _flags: unknown, called: Command) => {
      const { expandCommand } = await import('./expand.ts')
      process.exitCode = await expandCommand(file, givenFlags(called))
    })
}

function expandOptions(): readonly Option[] {
  const first = [
    new Option(
      '--explore <name=values>',
      'Points to add, as x=1,2,3 or x=0:1:0.1; every explored parameter is named (repeatable).',
    ).argParser(collect),
    ...SHAPING_FLAGS.map(explorationOption),
    ...flagOptions('repeat'),
    ...flagOptions('ncores'),
    new Option(
      '--job <file>',
      'Job module. Default: the one that the file names, if it lies with the experiment.',
    ),
    new Option('--trajectory <name>', 'Trajectory, if the file holds several.'),
    new Option('--allow-changed-job', 'Go on although the job module is not the one that ran last.'),
    new Option('--quiet', 'Print only failures and errors.').conflicts(['json', 'verbose']),
    new Option('--verbose', 'Print log lines, and stacks of errors.'),
    new Option('--json', 'Print events as JSON, one per line.'),
  ]
  const others = [
    ...CHANGEABLE_OPTIONS.filter((name) => name !== 'ncores').flatMap((name) => flagOptions(name)),
    breakLockOption(),
  ]
  return [...first, ...inHelpGroups(others)]
}

function mergeOptions(): readonly Option[] {
  return [
    new Option(
      '--conflicts <choice>',
      'Where equal points have different results: error, or keep-first. Default: error.',
    )
      .choices(['error', 'keep-first'])
      .default('error'),
    new Option('--append', 'Append the runs to the file that is there, in one transaction.').conflicts(
      'overwrite',
    ),
  ]
}

/** An option of the table as a flag, or as two where it can be switched both ways. Values stay text: the layers check them and say where they came from. */
function flagOptions(
  name: OptionName,
  { hasDefault }: { readonly hasDefault: boolean } = { hasDefault: true },
): readonly Option[] {
  const option = OPTIONS[name]
  if (option.flag === undefined) return []
  const { default: preset, description } = option
  const text =
    !hasDefault || preset === undefined || preset === '' ? description : `${description} Default: ${preset}.`
  if (option.kind === 'text' && option.bareFlag !== undefined)
    return [new Option(`${option.flag} [text]`, text)]
  if (option.kind !== 'switch') return [new Option(`${option.flag} <${PLACEHOLDERS[option.kind]}>`, text)]
  const on = new Option(option.flag, description)
  if (preset === false) return [on]
  const off = new Option(option.flag.replace('--', '--no-'), option.offDescription).default(undefined)
  // A switch that is on by default is only ever switched off.
  return preset === true ? [off] : [on, off]
}

const PLACEHOLDERS = { whole: 'n', number: 'n', text: 'text', path: 'path', choice: 'choice' } as const

function explorationOption({ flag, description, isRepeatable }: ExplorationFlag): Option {
  const option = new Option(flag, description)
  return isRepeatable ? option.argParser(collect) : option
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

const TRAJECTORY = 'A trajectory is one tree of all parameters, points and results.'

const MAIN_EXAMPLES = `
${TRAJECTORY}

Examples:
  $ pypet-ts run job.ts --ncores 8
  $ pypet-ts plan job.ts --csv
  $ pypet-ts continue hdf5/job.cnt
  $ pypet-ts overview hdf5/job.h5

Exit codes: 0 every run stored; 1 pypet-ts failed; 2 the command, config or job
is wrong, nothing was started; 3 some runs failed, or the job raised an error
after its run ended; 130 and 143 stopped by Ctrl-C and SIGTERM.`

const RUN_EXAMPLES = `
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

const CONTINUE_EXAMPLES = `
Examples:
  $ pypet-ts continue hdf5/job.cnt              runs what is missing
  $ pypet-ts continue hdf5/job.h5 --dry-run     shows what that would be
  $ pypet-ts continue hdf5/job.cnt --retry-failed --ncores 4

The job, its parameters and the exploration stay as they were. So do options
that you do not give. The .cnt file is removed when every run is stored.`

const EXPAND_EXAMPLES = `
Examples:
  $ pypet-ts expand hdf5/job.h5 --explore x=4,5,6
  $ pypet-ts expand hdf5/job.h5 --explore x=1:11 --explore y=6,7 --ncores 4
  $ pypet-ts expand hdf5/job.h5 --job job.ts        runs what is not completed

Points that the trajectory already has are not run again.`
