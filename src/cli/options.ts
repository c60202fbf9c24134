/**
 * Options shared by several commands, and how commands read them. `command.createOption` makes them: only `main` loads
 * commander.
 */
import type { Command, Option } from 'commander'
import type { FlagValues } from '../experiment/layers.ts'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import type { ExploreTexts } from '../exploration/explore-flags.ts'

/** What the description of a command depends on, besides its program. */
export interface Described {
  /** The words after `--`, which are the job's. */
  readonly jobArguments: readonly string[]
  /** The requested help shows only common options. */
  readonly asksDaily: boolean
}

/** As commander returns them: camelCase names of the flags, not of the options. */
export interface CommandFlags {
  readonly breakLock?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
  readonly [flag: string]: unknown
}

export function addOptions(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}

/**
 * An option of the table as a flag, or as two if it can be switched both ways. Values stay text: the layers check them
 * and name their origin.
 */
export function tableOptions(
  command: Command,
  name: OptionName,
  { hasDefault }: { readonly hasDefault: boolean } = { hasDefault: true },
): readonly Option[] {
  const option = OPTIONS[name]
  const { flag, default: preset, description } = option
  if (flag === undefined) return []
  const text =
    !hasDefault || preset === undefined || preset === '' ? description : `${description} Default: ${preset}.`
  if (option.kind === 'text' && option.bareFlag !== undefined)
    return [command.createOption(`${flag} [text]`, text)]
  if (option.kind !== 'switch') return [command.createOption(`${flag} <${PLACEHOLDERS[option.kind]}>`, text)]
  const on = command.createOption(flag, description)
  if (preset === false) return [on]
  const off = command.createOption(flag.replace('--', '--no-'), option.offDescription).default(undefined)
  // A switch that is on by default is only ever switched off.
  return preset === true ? [off] : [on, off]
}

const PLACEHOLDERS = { whole: 'n', number: 'n', text: 'text', path: 'path', choice: 'choice' } as const

/** The exploration; `--repeat` is an option of the table. */
export function exploreOption(
  command: Command,
  description = 'Explore a parameter, as x=1,2,3 or x=0:1:0.1 (start:stop:step); several form a product (repeatable).',
): Option {
  return repeatable(command, '--explore <name=values>', description)
}

/** Options that can accompany the ranges. */
export function shapingOptions(command: Command): readonly Option[] {
  return [
    command.createOption(
      '--sample <method:count>',
      'Draw points: sobol:100, lhs:100 or random:100, optionally followed by :seed. Then --explore gives bounds, as x=0:1 or ' +
        'x=0.001:10:log, or a list to choose from.',
    ),
    repeatable(
      command,
      '--only-if <name:condition>',
      `Explore this parameter only when a condition is true, as 'tau: mode == "slow"' (repeatable).`,
    ),
    repeatable(
      command,
      '--derive <name=formula>',
      `Compute a parameter from the others, as 'z = x * 2' (repeatable).`,
    ),
    repeatable(
      command,
      '--where <condition>',
      `Run only points where a condition is true, as 'x<y' (repeatable).`,
    ),
  ]
}

/** The texts that commander found. */
export function exploreTexts(flags: ExploreTexts): ExploreTexts {
  const { explore, sample, onlyIf, derive, where } = flags
  return { explore, sample, onlyIf, derive, where }
}

export function configOption(command: Command): Option {
  return command.createOption(
    '--config <file>',
    "Config file. Default: searched from the job's folder upwards.",
  )
}

export function setOption(command: Command): Option {
  return repeatable(command, '--set <name=value>', 'Set a parameter, such as neuron.tau=10 (repeatable).')
}

export function trajectoryOption(command: Command): Option {
  return command.createOption('--trajectory <name>', 'Trajectory, if the file holds several.')
}

/** For commands that find the job through the HDF5 file. */
export function jobOption(command: Command): Option {
  return command.createOption(
    '--job <file>',
    'Job module. Default: the one that the file names, if it is near the file.',
  )
}

export function allowChangedJobOption(command: Command): Option {
  return command.createOption('--allow-changed-job', 'Continue although the job module has changed.')
}

export function breakLockOption(command: Command): Option {
  return command.createOption('--break-lock', 'Take over a lock that a dead process on another host left.')
}

/** How commands that run jobs show their progress. */
export function shownOptions(
  command: Command,
  verbose = 'Print log lines, where each option comes from, and stacks of errors.',
): readonly Option[] {
  return [
    command.createOption('--quiet', 'Print only failures and errors.').conflicts(['json', 'verbose']),
    command.createOption('--verbose', verbose),
    command.createOption('--json', 'Print events as JSON, one per line.'),
  ]
}

/** A flag that can be repeated. */
function repeatable(command: Command, flag: string, description: string): Option {
  return command
    .createOption(flag, description)
    .argParser((value: string, previous: readonly string[] = []) => [...previous, value])
}

/** Without the defaults that commander adds for switches, which would override the other layers. */
export function givenFlags(command: Command): CommandFlags {
  const given = Object.entries(command.opts()).filter(
    ([name]) => command.getOptionValueSource(name) !== 'default',
  )
  return Object.fromEntries(given)
}

/** The flags that are options, by the options' names: `--file` gives `filename`. */
export function optionFlags(flags: CommandFlags): FlagValues {
  const values: { [Name in OptionName]?: string | boolean } = {}
  for (const name of OPTION_NAMES) {
    const option = OPTIONS[name]
    const { flag } = option
    const given = flag === undefined ? undefined : flags[camelCase(flag)]
    // A flag without a value is true.
    const value = given === true && option.kind === 'text' ? option.bareFlag : given
    if (typeof value === 'string' || typeof value === 'boolean') values[name] = value
  }
  return values
}

function camelCase(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
