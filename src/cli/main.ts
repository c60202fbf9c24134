/** The command line: its commands, flags and help. What the commands do is loaded when they are called. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import { ExitCode, exitCodeOf } from './exit-code.ts'
import { reportError } from './report-error.ts'
import type { RunFlags } from './run.ts'

/** Runs the command of `argv` (`process.argv`), reports its error, and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // `pypet-ts overview file.h5 | head` closes the pipe early; that is no error.
  process.stdout.on('error', ignoreClosedPipe)
  const program = describeProgram()
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = report(error, argv)
  }
}

function report(error: unknown, argv: readonly string[]): number {
  // Commander has printed its own: help and version are no errors, anything else is wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.WRONG
  const verbose = argv.includes('--verbose')
  process.stderr.write(reportError(error, { verbose, json: argv.includes('--json'), stream: process.stderr }))
  return exitCodeOf(error)
}

function describeProgram(): Command {
  const program = new Command('pypet-ts')
    .description('Runs a function over a parameter space, on all cores, into one HDF5 file.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'error: ')) })
    .exitOverride()
    .addHelpText('after', MAIN_EXAMPLES)
  describeRun(program)
  describeOverview(program)
  return program
}

function describeRun(program: Command): void {
  const command = program
    .command('run')
    .description('Run a job at every point of its parameter space, and store every result.')
    .argument('<job>', 'the job module: .ts .mts .cts .js .mjs .cjs')
    .option('--config <file>', 'the config file; else it is searched from the job’s folder upwards')
    .option('--set <name=value>', 'preset a parameter, as neuron.tau=10 (repeatable)', collect, [])
    .option(
      '--explore <name=values>',
      'explore a parameter, as x=1,2,3 or x=0:1:0.1; several form a product (repeatable)',
      collect,
      [],
    )
  for (const name of OPTION_NAMES) {
    const option = flagOption(name)
    if (option !== undefined) command.addOption(option)
  }
  command
    .option('--dry-run', 'print the points that would be run, and run nothing')
    .addOption(new Option('--quiet', 'print nothing but failures and errors').conflicts(['json', 'verbose']))
    .option('--verbose', 'print log lines, where each option comes from, and stacks of errors')
    .option('--json', 'print events as JSON, one a line')
    .addHelpText('after', RUN_EXAMPLES)
    .action(async (job: string, flags: RunFlags) => {
      const { runCommand } = await import('./run.ts')
      process.exitCode = await runCommand(job, flags)
    })
}

function describeOverview(program: Command): void {
  program
    .command('overview')
    .description('Show what an HDF5 file holds: trajectories, parameters, runs and results.')
    .argument('<file>', 'a file written by pypet-ts or pypet')
    .option('--trajectory <name>', 'only this trajectory')
    .option('--runs', 'the table of runs too')
    .option('--json', 'one JSON document')
    .option('--verbose', 'print stacks of errors')
    .addHelpText('after', OVERVIEW_EXAMPLES)
    .action(async (file: string, flags: { trajectory?: string; runs?: boolean; json?: boolean }) => {
      const { overview } = await import('./overview.ts')
      await overview(file, flags, process.stdout)
    })
}

/** An option of the table as a flag. Values stay text: the layers check them and say where they came from. */
function flagOption(name: OptionName): Option | undefined {
  const option = OPTIONS[name]
  if (option.flag === undefined) return undefined
  const { default: preset, description } = option
  const text = preset === undefined || preset === '' ? description : `${description} Default: ${preset}.`
  if (option.kind !== 'switch') return new Option(`${option.flag} <${PLACEHOLDERS[option.kind]}>`, text)
  // A switch that is on by default is only ever switched off.
  return preset === true
    ? new Option(option.flag.replace('--', '--no-'), `Switches this off: ${description}`).default(undefined)
    : new Option(option.flag, description)
}

const PLACEHOLDERS = { whole: 'n', text: 'text', path: 'path', choice: 'choice' } as const

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

const MAIN_EXAMPLES = `
Examples:
  $ pypet-ts run job.ts --ncores 8
  $ pypet-ts overview hdf5/job.h5

Exit codes: 0 every run stored; 1 pypet-ts failed; 2 the command, config or job is wrong, nothing was
started; 3 some runs failed; 130 and 143 stopped by Ctrl-C and SIGTERM.`

const RUN_EXAMPLES = `
Examples:
  $ pypet-ts run job.ts                                  every point, one after the other
  $ pypet-ts run job.ts --ncores 0                       on all cores
  $ pypet-ts run job.ts --explore x=1,2,3 --explore y=0:1:0.1
  $ pypet-ts run job.ts --set neuron.tau=10 --name tau10
  $ pypet-ts run job.ts --dry-run                        how many points, and which
  $ pypet-ts run job.ts --json | jq .event

Each option is also a key of pypet.config.{ts,js,json,yaml,toml} and a variable PYPET_NCORES, PYPET_FILENAME, …;
flags win over variables, variables over the config file, the config file over the job.`

const OVERVIEW_EXAMPLES = `
Examples:
  $ pypet-ts overview hdf5/job.h5
  $ pypet-ts overview hdf5/job.h5 --runs --trajectory tau10
  $ pypet-ts overview hdf5/job.h5 --json | jq '.trajectories[0].runs'`
