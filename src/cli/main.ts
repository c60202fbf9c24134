/**
 * The command line: parses it, runs the command, reports its error, and exits. Each command's code is loaded when it is
 * called.
 */
import { Command, CommanderError } from 'commander'
import { PypetError, systemRefusal, tellSystemError } from '../errors.ts'
import { exitWith } from '../experiment/refuse-exit.ts'
import { packageVersion } from '../own-files.ts'
import { describeCompare } from './compare/describe.ts'
import { describeCompletion } from './completion/describe.ts'
import { describeContinue } from './continue/describe.ts'
import { describeConvert } from './convert/describe.ts'
import { ExitCode, exitCodeOf } from './exit-code.ts'
import { describeExpand } from './expand/describe.ts'
import { describeExport } from './export/describe.ts'
import { askedHelp, NARROW_HELP, TRAJECTORY } from './help.ts'
import { describeInit } from './init/describe.ts'
import { describeMerge } from './merge/describe.ts'
import type { Described } from './options.ts'
import { describeOverview } from './overview/describe.ts'
import { describePlan } from './plan/describe.ts'
import { describePlot } from './plot/describe.ts'
import { reportError } from './report-error.ts'
import { describeRestore } from './restore/describe.ts'
import { describeRun } from './run/describe.ts'
import { describeShow } from './show/describe.ts'
import { describeSnapshot } from './snapshot/describe.ts'
import { describeTable } from './table/describe.ts'
import { usageError } from './usage-error.ts'
import { describeVerify } from './verify/describe.ts'
import { describeView } from './view/describe.ts'

/**
 * Runs the command of `argv` (`process.argv`), reports its error, and ends the process with the exit code. It does not
 * wait for timers or handles that a job has left open.
 *
 * @param endAhead ends what was started before the command was known
 */
export async function main(all: readonly string[], endAhead: () => Promise<void>): Promise<void> {
  const { argv: given, jobArguments } = splitArguments(all)
  const { argv, asksDaily } = askedHelp(given)
  // `pypet-ts overview file.h5 | head` closes the pipe early, which is not an error. A full disk is one, but no reason to
  // stop an experiment.
  let outputError: NodeJS.ErrnoException | undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') outputError ??= error
  })
  const program = describeProgram({ jobArguments, asksDaily }, argv[2])
  try {
    await program.parseAsync(argv)
    await drain(process.stdout)
    if (outputError !== undefined) throw outputFailed(outputError)
  } catch (error) {
    process.exitCode = report(error, program, argv)
  }
  // Read only once: what a job has left behind may set another one.
  const exitCode = Number(process.exitCode ?? ExitCode.OK)
  await Promise.all([drain(process.stdout), drain(process.stderr), endAhead()])
  exitWith(exitCode)
}

/** Resolves when everything is written, or its reader is gone. */
function drain(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}

function report(thrown: unknown, program: Command, argv: readonly string[]): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return ExitCode.OK
    // Without a command, the help has been printed, which says more than an error.
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

/** Commands that call a job: words after `--` in `pypet-ts run job.ts -- --any=flag` are the job's. */
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
 * All commands with their options, or only the called one, because nothing else is read then.
 *
 * @param called the first word, which may be anything
 */
function describeProgram(described: Described, called: string | undefined): Command {
  const program = new Command('pypet-ts')
    .description('Run a function over a parameter space, in parallel, into one HDF5 file.')
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print help.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .showSuggestionAfterError()
    .configureHelp(NARROW_HELP)
    // Errors of commander are reported like all others: see `report`.
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', MAIN_EXAMPLES)
  const only = Object.hasOwn(COMMANDS, called ?? '') && called !== 'completion' ? called : undefined
  for (const [name, describe] of Object.entries(COMMANDS)) {
    if (only === undefined || name === only) describe(program, described)
  }
  return program
}

/** In the order of the help. The completion of a shell reads all of them. */
const COMMANDS: Readonly<Record<string, (program: Command, described: Described) => void>> = {
  run: describeRun,
  plan: describePlan,
  continue: describeContinue,
  expand: describeExpand,
  merge: describeMerge,
  snapshot: describeSnapshot,
  convert: describeConvert,
  restore: describeRestore,
  verify: describeVerify,
  overview: describeOverview,
  table: describeTable,
  export: describeExport,
  show: describeShow,
  compare: describeCompare,
  plot: describePlot,
  view: describeView,
  init: describeInit,
  completion: describeCompletion,
}

function outputFailed(cause: NodeJS.ErrnoException): PypetError {
  return new PypetError('PYPET_SYSTEM_FAILED', `cannot write the output: ${systemRefusal(cause).found}`, {
    hint: 'Free some space, or write the output elsewhere. The HDF5 file is not concerned.',
    cause,
  })
}

const MAIN_EXAMPLES = `
${TRAJECTORY}

Examples:
  $ pypet-ts run job.ts --ncores 8
  $ pypet-ts plan job.ts --csv
  $ pypet-ts continue hdf5/job.cnt
  $ pypet-ts overview hdf5/job.h5
  $ pypet-ts table hdf5/job.h5 --sort -z --limit 10

Exit codes: 0 every run stored; 1 pypet-ts failed; 2 the command, config or job
is wrong, nothing was started; 3 some runs failed, or the job raised an error
after its run ended; 130 and 143 stopped by Ctrl-C and SIGTERM.`
