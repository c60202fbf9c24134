/** The one file that knows zod: the schema of config files, made from the table of options. */
import { z } from 'zod'
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { exampleValue, expectedValue, foundValue, type Option, type OptionValue } from './option.ts'
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type OptionValues,
  OTHER_CONFIG_KEYS,
  OVERVIEWS,
} from './options.ts'

/** A config file's content, checked: options by dotted name, parameters and exploration as they stand. */
export interface ConfigContent {
  readonly options: OptionValues
  readonly parameters: Readonly<Record<string, unknown>> | undefined
  readonly explore: unknown
}

/**
 * Checks what a config file holds.
 *
 * @param file names the file in messages
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` with the nearest key; `PYPET_CONFIG_INVALID` with the
 *   key, what was expected and what was found
 */
export function parseConfig(content: unknown, file: string): ConfigContent {
  const parsed = SCHEMA.safeParse(content)
  if (!parsed.success) throw refused(parsed.error.issues, content, file)
  const { parameters, explore, $schema: _, overviews = {}, ...main } = parsed.data
  const dotted = Object.entries(overviews).map(([name, value]) => [OVERVIEWS + name, value])
  const given = [...Object.entries(main), ...dotted].filter(([, value]) => value !== undefined)
  return { options: Object.fromEntries(given) as OptionValues, parameters, explore }
}

/** The schema as JSON Schema, for editors: it completes, explains and checks `pypet.config.json`. */
export function configJsonSchema(): object {
  return { ...z.toJSONSchema(SCHEMA, { target: 'draft-7' }), title: 'Configuration of pypet-ts' }
}

const SCHEMA = z.strictObject({
  $schema: z.string().optional().describe('The JSON Schema of this file, for editors.'),
  ...shapeOf(OPTION_NAMES.filter((name) => !name.startsWith(OVERVIEWS))),
  overviews: z
    .strictObject(shapeOf(OPTION_NAMES.filter((name) => name.startsWith(OVERVIEWS))))
    .optional()
    .describe('Which overview tables are written.'),
  parameters: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'Parameters by name; an object is a group. { "$value": 20, "$comment": "ms", "$type": "integer" } adds a ' +
        'comment or a type.',
    ),
  explore: z
    .unknown()
    .optional()
    .describe(
      'What is explored: ranges of one length by name, { "product": { "x": [1, 2] } }, { "zip": … }, ' +
        '{ "points": [ … ] } or { "concat": [ … ] }.',
    ),
})

function shapeOf(names: readonly OptionName[]): Record<string, z.ZodOptional<z.ZodType<OptionValue>>> {
  return Object.fromEntries(
    names.map((name) => [name.replace(OVERVIEWS, ''), schemaOf(OPTIONS[name]).optional()]),
  )
}

function schemaOf(option: Option): z.ZodType<OptionValue> {
  const { description, default: preset } = option
  return typeOf(option).meta({ description, ...(preset !== undefined && { default: preset }) })
}

function typeOf(option: Option): z.ZodType<OptionValue> {
  switch (option.kind) {
    case 'whole':
      return z
        .int()
        .min(option.minimum)
        .max(option.maximum ?? Number.MAX_SAFE_INTEGER)
    case 'number':
      return numberSchema(option)
    case 'switch':
      return z.boolean()
    case 'choice':
      return z.enum(option.choices)
    case 'text':
      return option.pattern === undefined ? z.string() : z.string().regex(option.pattern.expression)
    case 'path':
      return z.string().min(1)
  }
}

function numberSchema({
  minimum,
  maximum,
  isAboveMinimum,
}: Extract<Option, { kind: 'number' }>): z.ZodType<OptionValue> {
  const above = isAboveMinimum === true ? z.number().gt(minimum) : z.number().min(minimum)
  return maximum === undefined ? above : above.max(maximum)
}

/** The first issue in our words: one message is read, the second is not. */
function refused(issues: readonly z.core.$ZodIssue[], content: unknown, file: string): PypetError {
  const [issue] = issues
  if (issue?.code === 'unrecognized_keys')
    return unknownKey([...issue.path, issue.keys[0] ?? ''].join('.'), file)
  const path = (issue?.path ?? []).join('.')
  if (path === '') {
    return new PypetError(
      'PYPET_CONFIG_INVALID',
      `${file}: expected an object of options, found ${foundValue(content)}`,
      {
        where: file,
        hint: 'Write { "ncores": 2 } in JSON, or export default { ncores: 2 } in a module.',
      },
    )
  }
  const option = path in OPTIONS ? OPTIONS[path as OptionName] : undefined
  const expected = option === undefined ? 'an object' : expectedValue(option)
  const found = foundValue(valueAt(content, issue?.path ?? []))
  return new PypetError('PYPET_CONFIG_INVALID', `${path} in ${file}: expected ${expected}, found ${found}`, {
    where: path,
    hint:
      option === undefined
        ? `Give ${path} ${expected}.`
        : `Write ${exampleValue(option)} there. ${option.description}`,
  })
}

function unknownKey(key: string, file: string): PypetError {
  const keys = [...OPTION_NAMES, ...OTHER_CONFIG_KEYS]
  // Who knows the command line writes `file` or `log-folder` here.
  const byFlag = OPTION_NAMES.find((name) => OPTIONS[name].flag === `--${key}`)
  return new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `${file}: there is no option ${JSON.stringify(key)}`, {
    where: key,
    hint:
      byFlag === undefined
        ? nearestHint(key, keys, `The options are: ${keys.join(', ')}.`)
        : `Did you mean ${byFlag}?`,
  })
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  let value = content
  for (const key of path) value = (value as Readonly<Record<PropertyKey, unknown>>)[key]
  return value
}
