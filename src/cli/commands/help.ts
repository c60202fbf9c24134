/** The help of commands with many options: `--help` shows those of daily use with a line each, `--help-all` all of them. */
import type { Command, Help, Option } from 'commander'

/** One long flag must not take the room of all descriptions: it gets a line of its own. */
const TERM_WIDTH_MAX = 28
export const NARROW_HELP: Partial<Help> = {
  // Descriptions name choices and defaults themselves.
  optionDescription: ({ description }) => description,
  padWidth(command, helper) {
    return Math.min(TERM_WIDTH_MAX, usual(helper).padWidth.call(helper, command, helper))
  },
  formatItem(term, width, description, helper) {
    const format = (shown: string) => usual(helper).formatItem.call(helper, shown, width, description, helper)
    return helper.displayWidth(term) <= width ? format(term) : `  ${term}\n${format('')}`
  },
}

/** As the package does it: what is here are properties of the object itself. */
function usual(helper: Help): Help {
  return Object.getPrototypeOf(helper)
}

const SHOWN = {
  '--quiet': 'Print only failures and errors.',
  '--verbose': 'Print log lines and error stacks.',
  '--json': 'Print events as JSON, one per line.',
}
const POINTS = {
  '--explore': 'x=1,2,3 or x=0:1:0.1; repeat for a product.',
  '--sample': 'Draw points: sobol:100, lhs:100, random:100.',
  '--where': "Run only points where this is true: 'x < y'.",
  '--repeat': 'Number of times to run each point.',
}
const FAILURES = {
  '--retries': 'Number of retries for a failed run.',
  '--timeout': 'Time limit for a run, in seconds.',
}
const NCORES = 'Runs at the same time; 0 uses all cores.'

/** By command, in the order of the help: flags, and what is said of them in one line. */
const DAILY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: {
    '--ncores': NCORES,
    '--seed': 'Seed of random numbers. Default: 0.',
    ...POINTS,
    '--set': 'Set a parameter: neuron.tau=10.',
    '--file': 'HDF5 file. Default: hdf5/<name>.h5.',
    '--name': 'Name of the trajectory in the file.',
    '--add-time': 'Append the start time to that name.',
    '--overwrite': 'Replace the HDF5 file.',
    '--comment': 'Comment to store.',
    '--config': 'Config file. Default: pypet.config.*.',
    '--dry-run': 'Print the points; run nothing.',
    '--point': 'Run one point here; store nothing.',
    ...FAILURES,
    ...SHOWN,
  },
  continue: {
    '--ncores': NCORES,
    '--dry-run': 'Print what would run; run nothing.',
    '--retry-failed': 'Also run failed runs again.',
    '--only': 'Only failed, or only missing runs.',
    '--job': 'Job module, if it has moved.',
    '--allow-changed-job': 'Continue although the job has changed.',
    ...FAILURES,
    ...SHOWN,
  },
  expand: {
    ...POINTS,
    '--ncores': NCORES,
    '--job': 'Job module, if it has moved.',
    '--allow-changed-job': 'Continue although the job has changed.',
    '--trajectory': 'Trajectory, if the file holds several.',
    ...FAILURES,
    ...SHOWN,
  },
}

/** The words with `--help` in place of `--help-all`, and which of both they ask for. */
export function askedHelp(argv: readonly string[]): {
  readonly argv: readonly string[]
  readonly asksDaily: boolean
} {
  const asksAll = argv.includes('--help-all')
  return {
    argv: argv.map((word) => (word === '--help-all' ? '--help' : word)),
    asksDaily: !asksAll && argv.some((word) => ['-h', '--help', 'help'].includes(word)),
  }
}

/** Adds `--help-all` to the commands that have it, and leaves the options of daily use where those are asked for. */
export function withHelpAll(commands: readonly Command[], asksDaily: boolean): void {
  for (const command of commands) {
    const lines = DAILY[command.name()]
    if (lines === undefined) continue
    if (asksDaily) leaveDaily(command.options as Option[], lines)
    command.option('--help-all', 'Print all options.')
  }
}

function leaveDaily(options: Option[], lines: Readonly<Record<string, string>>): void {
  const order = Object.keys(lines)
  for (const option of options) {
    const line = lines[option.long ?? '']
    option.hidden = line === undefined
    option.description = line ?? option.description
    delete option.helpGroupHeading
  }
  options.sort((a, b) => order.indexOf(a.long ?? '') - order.indexOf(b.long ?? ''))
}
