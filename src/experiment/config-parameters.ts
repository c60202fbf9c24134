/** Parameters in config files: JSON, YAML and TOML have no `parameter()` and no `integer()`. */
import { PypetError } from '../errors.ts'
import {
  flattenParameters,
  isParameterDefinition,
  type Parameter,
  type ParameterTree,
  parameter,
} from '../run/parameter.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { isUnit } from '../values/unit.ts'
import type { ParameterValue } from '../values/value.ts'
import { type Integer, integer, isInteger, isNdArray, isPlainObject } from '../values/value-forms.ts'
import { foundValue } from './option.ts'

/**
 * The parameters that a config file declares, in its order. An object is a group; an object with `$value` is a
 * parameter with a comment, a unit or a type:
 * `{ "$value": 20, "$comment": "of the membrane", "$unit": "ms", "$type": "integer" }`.
 *
 * @param file names the file in messages
 * @throws PypetError `PYPET_CONFIG_INVALID`, `PYPET_CONFIG_UNKNOWN_KEY`, and what `flattenParameters` throws
 */
export function configFileParameters(tree: Readonly<Record<string, unknown>>, file: string): Parameter[] {
  const where = `${file}: parameters`
  return flattenParameters(declared(tree, where), where)
}

function declared(tree: Readonly<Record<string, unknown>>, where: string): ParameterTree {
  const entries = Object.entries(tree).map(([name, entry]) => [
    name,
    declaredEntry(entry, `${where}.${name}`),
  ])
  return Object.fromEntries(entries)
}

function declaredEntry(entry: unknown, where: string): ParameterTree[string] {
  // Anything but a plain object is a value; `flattenParameters` checks it.
  if (!isPlainObject(entry) || isParameterDefinition(entry) || isInteger(entry))
    return entry as ParameterValue
  if (VALUE in entry) return typedParameter(entry, where)
  if (isNdArray(entry)) return entry
  return declared(entry, where)
}

const VALUE = '$value'
const KEYS: readonly string[] = [VALUE, '$comment', '$unit', '$type']

function typedParameter(entry: Readonly<Record<string, unknown>>, where: string): ParameterTree[string] {
  for (const key of Object.keys(entry)) {
    if (KEYS.includes(key)) continue
    throw new PypetError(
      'PYPET_CONFIG_UNKNOWN_KEY',
      `${where}: unknown key ${JSON.stringify(key)} next to ${VALUE}`,
      {
        where: `${where}.${key}`,
        hint: nearestHint(key, KEYS, `The keys are: ${KEYS.join(', ')}.`),
      },
    )
  }
  const { $value: value, $comment: comment = '', $unit: unit, $type: type } = entry
  if (typeof comment !== 'string') throw invalid(`${where}.$comment`, 'text', comment)
  if (unit !== undefined && !isUnit(unit)) throw invalid(`${where}.$unit`, 'a short text', unit)
  return parameter(typed(value, type, where), { comment, ...(unit !== undefined && { unit }) })
}

function typed(value: unknown, type: unknown, where: string): ParameterValue {
  switch (type) {
    case undefined:
      return value as ParameterValue
    case 'integer':
      return integerValue(value, where)
    case 'bigint':
      return bigintValue(value, where)
    default:
      throw invalid(`${where}.$type`, '"integer" or "bigint"', type)
  }
}

function integerValue(value: unknown, where: string): Integer {
  if (Number.isSafeInteger(value)) return integer(value as number)
  throw invalid(`${where}.${VALUE}`, 'a whole number up to 2^53', value)
}

/** As text, because JSON readers round numbers beyond 2^53. */
function bigintValue(value: unknown, where: string): bigint {
  if (typeof value === 'bigint') return value
  if (Number.isSafeInteger(value) || (typeof value === 'string' && /^[+-]?\d+$/.test(value))) {
    return BigInt(value as number | string)
  }
  throw invalid(`${where}.${VALUE}`, 'a whole number, or text if it is beyond 2^53', value)
}

function invalid(where: string, expected: string, found: unknown): PypetError {
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${where}: expected ${expected}, found ${foundValue(found)}`,
    { where, hint: `Write ${expected}.` },
  )
}
