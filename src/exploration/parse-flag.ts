/**
 * The flags `--explore name=values` and `--set name=value`. First the syntax, which needs no parameters, then the values,
 * which have the types of the parameters' defaults.
 */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { parameterName } from '../values/path.ts'
import { productSpec } from './cartesian.ts'
import type { Column, ExplorationSpec } from './exploration.ts'
import { checkRange, requireParameter } from './explored-parameter.ts'
import { rangeFromTexts } from './range-from-text.ts'

/** One value, or for numbers one `start:stop:step` as written. Quoted text is always one string. */
export interface FlagElement {
  readonly text: string
  readonly isQuoted: boolean
}

/** `--explore x=1,2,3`, before its values are known. */
export interface ExploreFlag {
  readonly name: string
  readonly elements: readonly FlagElement[]
  /** Names the flag in messages. */
  readonly where: string
}

/** `--set neuron.tau=10`, before its value is known. */
export interface SetFlag {
  readonly name: string
  readonly text: string
  /** Names the flag in messages. */
  readonly where: string
}

/**
 * Parses `--explore`: a name, `=`, and elements between commas. Commas inside quotes do not separate,
 * `name="a,b",c`; a backslash there escapes a quote or a backslash. The same holds for brackets: `y0=[10,5],[20,5]`.
 *
 * @throws PypetError `PYPET_USAGE`, `PYPET_EXPLORATION_EMPTY`
 */
export function parseExploreFlag(text: string): ExploreFlag {
  const where = `--explore ${text}`
  const { name, right } = splitFlag(text, where, '=', "--explore 'x=1,2,3' or --explore 'x=0:1:0.1'")
  if (right.trim() === '') {
    throw new PypetError('PYPET_EXPLORATION_EMPTY', `${where}: no value to explore`, {
      where,
      hint: `Give at least one, as in --explore '${name}=1,2,3'.`,
    })
  }
  return { name, elements: elementsOf(right, where), where }
}

/**
 * Parses `--set`: a name, `=`, and the value, which may contain anything.
 *
 * @throws PypetError `PYPET_USAGE`
 */
export function parseSetFlag(text: string): SetFlag {
  const where = `--set ${text}`
  const { name, right } = splitFlag(text, where, '=', '--set neuron.tau=10')
  return { name, text: right, where }
}

/**
 * The exploration of all `--explore` flags together: a product in the order of the flags. Undefined
 * without flags.
 *
 * @throws PypetError like `parseExploreFlag`, `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`,
 *   `PYPET_EXPLORATION_INVALID`, `PYPET_EXPLORATION_EMPTY`, `PYPET_NAME_TAKEN` for a name given twice.
 *   Each message starts with the flag
 */
export function parseExploreFlags(
  texts: readonly string[],
  parameters: readonly Parameter[],
): ExplorationSpec | undefined {
  if (texts.length === 0) return undefined
  const columns: Column[] = []
  for (const flag of texts.map(parseExploreFlag)) {
    if (columns.some(({ name }) => name === flag.name)) throw exploredTwice(flag)
    columns.push(flagColumn(flag, parameters))
  }
  return productSpec(columns, undefined, '--explore')
}

/**
 * The values of one `--explore` flag, with the type of its parameter.
 *
 * @throws PypetError like `parseExploreFlags`
 */
export function flagColumn(flag: ExploreFlag, parameters: readonly Parameter[]): Column {
  const parameter = requireParameter(parameters, flag.name, flag.where)
  const range = rangeFromTexts(flag.elements, parameter, flag.where)
  checkRange(range, parameter, () => flag.where)
  return { name: flag.name, range }
}

function exploredTwice({ name, where }: ExploreFlag): PypetError {
  return new PypetError('PYPET_NAME_TAKEN', `${where}: another --explore already explores ${name}`, {
    where,
    hint: `Give all values in one flag, as in --explore '${name}=1,2,3'.`,
  })
}

/** Splits a flag that starts with a name. @throws PypetError `PYPET_USAGE` */
export function splitFlag(
  text: string,
  where: string,
  separator: string,
  example: string,
): { readonly name: string; readonly right: string } {
  const end = text.indexOf(separator)
  const name = parameterName(text.slice(0, Math.max(0, end)).trim())
  if (end >= 0 && name !== '') return { name, right: text.slice(end + 1) }
  const found = end < 0 ? `there is no "${separator}"` : `there is no name before "${separator}"`
  throw new PypetError('PYPET_USAGE', `${where}: ${found}`, { where, hint: `Write ${example}.` })
}

/**
 * The elements between commas, as in `parseExploreFlag`.
 *
 * @throws PypetError `PYPET_USAGE`
 */
export function elementsOf(text: string, where: string): FlagElement[] {
  const elements: FlagElement[] = []
  let position = 0
  while (position <= text.length) {
    const element = /^\s*["']/.test(text.slice(position))
      ? quotedElement(text, position, where)
      : (listElement(text, position) ?? plainElement(text, position, where))
    elements.push(element)
    position = element.end + 1
  }
  return elements.map(({ text: written, isQuoted }) => ({ text: written, isQuoted }))
}

interface LocatedElement extends FlagElement {
  /** Position of the comma after the element, or the end of the text. */
  readonly end: number
}

/** A JSON list, up to the bracket that closes the first one. Undefined if the text only starts like a list. */
function listElement(text: string, start: number): LocatedElement | undefined {
  const open = start + text.slice(start).search(/\S/)
  if (text[open] !== '[') return undefined
  let depth = 0
  let isInText = false
  for (let position = open; position < text.length; position += 1) {
    const character = text[position]
    if (isInText) {
      if (character === '\\') position += 1
      else if (character === '"') isInText = false
      continue
    }
    if (character === '"') isInText = true
    else if (character === '[') depth += 1
    else if (character === ']') depth -= 1
    if (depth > 0) continue
    const rest = /^\s*(,|$)/.exec(text.slice(position + 1))
    if (rest === null) return undefined
    const end = rest[1] === ',' ? position + rest[0].length : text.length
    return { text: text.slice(open, position + 1), isQuoted: false, end }
  }
  return undefined
}

function plainElement(text: string, start: number, where: string): LocatedElement {
  const comma = text.indexOf(',', start)
  const end = comma < 0 ? text.length : comma
  const written = text.slice(start, end).trim()
  if (written !== '') return { text: written, isQuoted: false, end }
  throw new PypetError('PYPET_USAGE', `${where}: a value is missing between two commas or at an end`, {
    where,
    hint: 'Remove the comma. Write "" for an empty string.',
  })
}

function quotedElement(text: string, start: number, where: string): LocatedElement {
  const open = start + text.slice(start).search(/["']/)
  const quote = text[open] as string
  let written = ''
  for (let position = open + 1; position < text.length; position += 1) {
    const character = text[position] as string
    const next = text[position + 1]
    if (character === quote) return { text: written, isQuoted: true, end: endAfter(text, position, where) }
    const isEscape = character === '\\' && (next === quote || next === '\\')
    written += isEscape ? next : character
    if (isEscape) position += 1
  }
  throw new PypetError(
    'PYPET_USAGE',
    `${where}: the quote ${quote} at position ${open + 1} of the values is not closed`,
    {
      where,
      hint: `Add a closing ${quote}, and put the whole flag in the other kind of quotes for the shell.`,
    },
  )
}

function endAfter(text: string, close: number, where: string): number {
  const comma = text.indexOf(',', close)
  const end = comma < 0 ? text.length : comma
  const rest = text.slice(close + 1, end).trim()
  if (rest === '') return end
  throw new PypetError('PYPET_USAGE', `${where}: found ${JSON.stringify(rest)} after a closing quote`, {
    where,
    hint: 'Separate values with commas.',
  })
}
