/**
 * The options that several commands have, and what commands do with theirs. Options are made by `command.createOption`:
 * `main` alone loads commander.
 */
import type { Command, Option } from 'commander'
import type { FlagValues } from '../experiment/layers.ts'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import type { ExploreTexts } from '../exploration/explore-flags.ts'

/** What a command is described by, beside its program. */
export interface Described {
  /** What stands behind `--`, which is the job's. */
  readonly jobArguments: readonly string[]
  /** The help that is asked for shows options of daily use alone. */
  readonly asksDaily: boolean
}

/** As commander gives them: camelCase names of the flags, not of the options. */
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

/** An option of the table as a flag, or as two where it can be switched both ways. Values stay text: the layers check them and say where they came from. */
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

/** What is explored; `--repeat` is an option of the table. */
export function exploreOption(
  command: Command,
  description = 'Explore a parameter, as x=1,2,3 or x=0:1:0.1 (start:stop:step); several form a product (repeatable).',
): Option {
  return repeatable(command, '--explore <name=values>', description)
}

/** What may be said beside the ranges. */
export function shapingOptions(command: Command): readonly Option[] {
  return [
    command.createOption(
      '--sample <method:count>',
      'Draw points, as sobol:100, lhs:100 or random:100 (:seed may follow). Then --explore gives bounds, as x=0:1 or ' +
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
      `Give a parameter a value that follows from the others, as 'z = x * 2' (repeatable).`,
    ),
    repeatable(
      command,
      '--where <condition>',
      `Run only points where a condition holds, as 'x<y' (repeatable).`,
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

/** Of commands that find the job by the HDF5 file. */
export function jobOption(command: Command): Option {
  return command.createOption(
    '--job <file>',
    'Job module. Default: the one that the file names, if it lies with the experiment.',
  )
}

export function allowChangedJobOption(command: Command): Option {
  return command.createOption(
    '--allow-changed-job',
    'Go on although the job module is not the one that ran last.',
  )
}

export function breakLockOption(command: Command): Option {
  return command.createOption('--break-lock', 'Take over the lock of a process on another host that is gone.')
}

/** How commands that perform runs show them. */
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

/** A flag whose values are gathered. */
function repeatable(command: Command, flag: string, description: string): Option {
  return command
    .createOption(flag, description)
    .argParser((value: string, previous: readonly string[] = []) => [...previous, value])
}

/** Commander adds the defaults of switches, which would then win over the other layers. */
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
    // A flag that may stand alone is true then.
    const value = given === true && option.kind === 'text' ? option.bareFlag : given
    if (typeof value === 'string' || typeof value === 'boolean') values[name] = value
  }
  return values
}

function camelCase(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
