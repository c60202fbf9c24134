/** The help of commands with many options: `--help` shows common ones, one line each; `--help-all` shows all. */
import type { Command, Help, Option } from 'commander'
import { OPTIONS, type OptionName } from '../experiment/options.ts'

/** Explains the word, for the examples. */
export const TRAJECTORY = 'A trajectory is one tree of all parameters, points and results.'

/** A longer flag gets its own line, so that it does not squeeze all descriptions. */
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

/** The default help: the changes here are properties of the object itself. */
function usual(helper: Help): Help {
  return Object.getPrototypeOf(helper)
}

/** Common options of several commands, each with a one-line description. */
export const DAILY_OPTIONS = {
  ncores: { '--ncores': 'Runs at the same time; 0 uses all cores.' },
  points: {
    '--explore': 'x=1,2,3 or x=0:1:0.1; repeat for a product.',
    '--sample': 'Draw points: sobol:100, lhs:100, random:100.',
    '--where': "Run only points where this is true: 'x < y'.",
    '--repeat': 'Number of times to run each point.',
  },
  job: {
    '--job': 'Job module, if it has moved.',
    '--allow-changed-job': 'Continue although the job has changed.',
  },
  failures: {
    '--retries': 'Number of retries for a failed run.',
    '--timeout': 'Time limit for a run, in seconds.',
  },
  shown: {
    '--quiet': 'Print only failures and errors.',
    '--verbose': 'Print log lines and error stacks.',
    '--json': 'Print events as JSON, one per line.',
  },
} as const

/** The words with `--help` in place of `--help-all`, and which of both was requested. */
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

/**
 * Adds `--help-all`, and keeps only the common options if those were requested.
 *
 * @param daily flags in the order of the help, with their one-line descriptions
 */
export function withHelpAll(
  command: Command,
  daily: Readonly<Record<string, string>>,
  asksDaily: boolean,
): void {
  if (asksDaily) leaveDaily(command.options as Option[], daily)
  command.option('--help-all', 'Print all options.')
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

/** The less common options, by topic. */
const GROUPS: readonly (readonly [heading: string, names: readonly OptionName[]])[] = [
  [
    'Where runs are computed:',
    ['executor', 'multiproc', 'isolate', 'memoryLimit', 'cpuCap', 'memoryCap', 'swapCap', 'niceness'],
  ],
  [
    'Failures and interruptions:',
    ['retries', 'timeout', 'onError', 'maxFailures', 'continuable', 'keepCnt', 'immediatePostprocessing'],
  ],
  [
    'Logs and progress:',
    ['logFolder', 'logLevel', 'logging', 'logRuns', 'logStdout', 'logTransports', 'progress', 'progressStep'],
  ],
]
const OTHERS = 'More options:'
const HEADINGS = [...GROUPS.map(([heading]) => heading), OTHERS]

/** Gives each option its heading, and orders them by it. */
export function inHelpGroups(options: readonly Option[]): readonly Option[] {
  const byFlag = new Map(
    GROUPS.flatMap(([heading, names]) => names.map((name) => [OPTIONS[name].flag as string, heading])),
  )
  const headingOf = ({ long }: Option) => byFlag.get(long?.replace(/^--no-/, '--') ?? '') ?? OTHERS
  for (const option of options) option.helpGroup(headingOf(option))
  const rank = (option: Option) => HEADINGS.indexOf(headingOf(option))
  return options.toSorted((a, b) => rank(a) - rank(b))
}
