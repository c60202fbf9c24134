/** Defines options and the values they accept, as text or as JavaScript values. */
import { resolve, sep } from 'node:path'
import { cutText } from '../values/cut-text.ts'

interface OptionOf<Kind extends string> {
  readonly kind: Kind
  readonly description: string
  /** Absent if the option can be set only in config files and the environment. */
  readonly flag?: `--${string}`
}

export interface WholeOption extends OptionOf<'whole'> {
  readonly minimum: number
  readonly maximum?: number
  readonly default: number
}
/** A number that need not be whole. */
export interface NumberOption extends OptionOf<'number'> {
  readonly minimum: number
  /** The minimum itself is too small. */
  readonly isAboveMinimum?: true
  readonly maximum?: number
  readonly default: number
}
export interface SwitchOption extends OptionOf<'switch'> {
  readonly default?: boolean
  /** What switching it off does, for the help of the flag that does so. */
  readonly offDescription?: string
}
/** Without a default here, it follows from other options or from the job. */
interface TextOption extends OptionOf<'text'> {
  readonly default?: string
  /** The value if the flag is given without one. */
  readonly bareFlag?: string
  /** What the text must look like, and how messages describe that. */
  readonly pattern?: { readonly expression: RegExp; readonly expected: string }
}
/** Relative to the config file's folder if set there; otherwise to the working directory. */
interface PathOption extends OptionOf<'path'> {
  readonly default?: string
}
interface ChoiceOption extends OptionOf<'choice'> {
  readonly choices: readonly [string, ...string[]]
  readonly default?: string
}
export type Option = WholeOption | NumberOption | SwitchOption | TextOption | PathOption | ChoiceOption

/** The value of any option. */
export type OptionValue = number | boolean | string

/** The accepted values, for messages: `a whole number from 0 to 9`. */
export function expectedValue(option: Option): string {
  switch (option.kind) {
    case 'whole':
      return option.maximum === undefined
        ? `a whole number >= ${option.minimum}`
        : `a whole number from ${option.minimum} to ${option.maximum}`
    case 'number':
      return (
        `a number ${option.isAboveMinimum === true ? '>' : '>='} ${option.minimum}` +
        (option.maximum === undefined ? '' : ` and <= ${option.maximum}`)
      )
    case 'switch':
      return 'true or false'
    case 'choice':
      return `one of ${option.choices.join(', ')}`
    case 'text':
      return option.pattern?.expected ?? 'text'
    case 'path':
      return 'a path'
  }
}

/** An accepted value, for hints. */
export function exampleValue(option: Option): string {
  switch (option.kind) {
    case 'whole':
    case 'number':
      // Different from the default, which nobody needs to write.
      return String(
        Math.min(option.maximum ?? 8, Math.max(option.minimum, option.default > 8 ? option.default : 8)),
      )
    case 'switch':
      return String(!(option.default ?? false))
    case 'choice':
      return option.choices.at(-1) as string
    case 'text':
      return option.pattern === undefined ? 'text' : '10%'
    case 'path':
      return './folder'
  }
}

/** The value that was given, for messages, shortened. */
export function foundValue(value: unknown): string {
  const type = value === null ? 'null' : typeof value
  if (type === 'function' || type === 'symbol') return `a ${type}`
  if (type === 'bigint') return `${value}n`
  if (type === 'object' && !Array.isArray(value)) return 'an object'
  const text = type === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  return cutText(text, 60)
}

/** Whether a JavaScript value is valid for the option. */
export function isOptionValue(option: Option, value: unknown): value is OptionValue {
  switch (option.kind) {
    case 'whole': {
      const { minimum, maximum = Number.MAX_SAFE_INTEGER } = option
      return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
    }
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) && isWithin(option, value)
    case 'switch':
      return typeof value === 'boolean'
    case 'choice':
      return typeof value === 'string' && option.choices.includes(value)
    case 'text':
      return typeof value === 'string' && (option.pattern?.expression.test(value) ?? true)
    case 'path':
      return typeof value === 'string' && value !== ''
  }
}

function isWithin(
  { minimum, maximum = Number.POSITIVE_INFINITY, isAboveMinimum }: NumberOption,
  value: number,
) {
  return (isAboveMinimum === true ? value > minimum : value >= minimum) && value <= maximum
}

/**
 * The value that a flag or an environment variable gives as text; undefined if the text is not valid for the option.
 * Values that are not text, such as a flag's `true`, are checked directly.
 */
export function optionValueFromText(option: Option, given: unknown): OptionValue | undefined {
  const value = typeof given === 'string' ? fromText(option, given) : given
  return isOptionValue(option, value) ? value : undefined
}

function fromText(option: Option, text: string): unknown {
  if (option.kind === 'whole') return /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined
  if (option.kind === 'number')
    return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : undefined
  if (option.kind === 'switch') return SWITCH_WORDS.get(text.trim().toLowerCase())
  if (option.kind === 'choice') return text.trim()
  return text
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])

/** A path from its base folder. Keeps a trailing separator, which marks a folder. */
export function absolutePath(path: string, folder: string): string {
  const absolute = resolve(folder, path)
  return /[/\\]$/.test(path) && !absolute.endsWith(sep) ? absolute + sep : absolute
}
