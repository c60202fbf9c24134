/** The schema of config files, from the table of options. It checks them, and editors use it as JSON Schema. */
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { exampleValue, expectedValue, foundValue, isOptionValue, type Option } from './option.ts'
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionValues,
  OTHER_CONFIG_KEYS,
  OVERVIEWS,
} from './options.ts'

/** A checked config file: options by dotted name, parameters and exploration as written. */
export interface ConfigContent {
  readonly options: OptionValues
  readonly parameters: Readonly<Record<string, unknown>> | undefined
  readonly explore: unknown
}

/**
 * Checks the content of a config file.
 *
 * @param file names the file in messages
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` with the nearest key; `PYPET_CONFIG_INVALID` with the key, what was
 *   expected and what was found
 */
export function parseConfig(content: unknown, file: string): ConfigContent {
  if (!isPlainObject(content)) throw noObject(content, file)
  const { $schema, parameters, explore, overviews, ...main } = content
  if ($schema !== undefined && typeof $schema !== 'string') throw wrong('$schema', 'a text', $schema, file)
  if (parameters !== undefined && !isPlainObject(parameters))
    throw wrong('parameters', 'an object', parameters, file)
  if (overviews !== undefined && !isPlainObject(overviews))
    throw wrong('overviews', 'an object', overviews, file)
  const ofOverviews = Object.entries(overviews ?? {}).map(([name, value]): [string, unknown] => [
    OVERVIEWS + name,
    value,
  ])
  const given = [...Object.entries(main), ...ofOverviews].filter(([, value]) => value !== undefined)
  const unknown =
    Object.keys(main).find((name) => name.startsWith(OVERVIEWS)) ??
    given.find(([name]) => !isOption(name))?.[0]
  for (const [name, value] of given.filter(([each]) => isOption(each))) {
    const option = OPTIONS[name as OptionName]
    if (isOptionValue(option, value)) continue
    const hint = `Write ${exampleValue(option)} there. ${option.description}`
    throw wrong(name, expectedValue(option), value, file, hint)
  }
  if (unknown !== undefined) throw unknownKey(unknown, file)
  return { options: Object.fromEntries(given) as OptionValues, parameters, explore }
}

/** Options of overviews have their own group in the file. */
function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name)
}

/** The JSON Schema, draft 7, with which editors complete, explain and check `pypet.config.json`. */
export function configJsonSchema(): object {
  const isOverview = (name: OptionName) => name.startsWith(OVERVIEWS)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      $schema: { description: 'The JSON Schema of this file, for editors.', type: 'string' },
      ...propertiesOf(OPTION_NAMES.filter((name) => !isOverview(name))),
      overviews: {
        description: 'Overview tables to write.',
        type: 'object',
        properties: propertiesOf(OPTION_NAMES.filter(isOverview)),
        additionalProperties: false,
      },
      parameters: {
        description:
          'Parameters by name; an object is a group. { "$value": 20, "$comment": "of the membrane", "$unit": "ms", ' +
          '"$type": "integer" } adds a comment, a unit or a type.',
        type: 'object',
      },
      explore: {
        description:
          'The exploration: ranges of equal length by name, { "product": { "x": [1, 2] } }, { "zip": … }, ' +
          '{ "points": [ … ] } or { "concat": [ … ] }.',
      },
    },
    additionalProperties: false,
    title: 'Configuration of pypet-ts',
  }
}

function propertiesOf(names: readonly OptionName[]): object {
  return Object.fromEntries(
    names.map((name) => {
      const option: Option = OPTIONS[name]
      const { description, default: preset } = option
      const property = { ...typeOf(option), description, ...(preset !== undefined && { default: preset }) }
      return [name.replace(OVERVIEWS, ''), property]
    }),
  )
}

function typeOf(option: Option): object {
  switch (option.kind) {
    case 'whole': {
      const { minimum, maximum = Number.MAX_SAFE_INTEGER } = option
      return { type: 'integer', minimum, maximum }
    }
    case 'number': {
      const { minimum, maximum, isAboveMinimum } = option
      const above = isAboveMinimum === true ? { exclusiveMinimum: minimum } : { minimum }
      return { type: 'number', ...above, ...(maximum !== undefined && { maximum }) }
    }
    case 'switch':
      return { type: 'boolean' }
    case 'choice':
      return { type: 'string', enum: option.choices }
    case 'text':
      return {
        type: 'string',
        ...(option.pattern !== undefined && { pattern: option.pattern.expression.source }),
      }
    case 'path':
      return { type: 'string', minLength: 1 }
  }
}

function noObject(content: unknown, file: string): PypetError {
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${file}: expected an object of options, found ${foundValue(content)}`,
    { where: file, hint: 'Write { "ncores": 2 } in JSON, or export default { ncores: 2 } in a module.' },
  )
}

function wrong(
  key: string,
  expected: string,
  found: unknown,
  file: string,
  hint = `Give ${key} ${expected}.`,
): PypetError {
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${key} in ${file}: expected ${expected}, found ${foundValue(found)}`,
    { where: key, hint },
  )
}

function unknownKey(key: string, file: string): PypetError {
  const keys = [...OPTION_NAMES, ...OTHER_CONFIG_KEYS]
  // Users of the command line may write `file` or `log-folder` here.
  const byFlag = OPTION_NAMES.find((name) => OPTIONS[name].flag === `--${key}`)
  return new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `${file}: there is no option ${JSON.stringify(key)}`, {
    where: key,
    hint:
      byFlag === undefined
        ? nearestHint(key, keys, `The options are: ${keys.join(', ')}.`)
        : `Did you mean ${byFlag}?`,
  })
}
