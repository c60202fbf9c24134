/** Units of parameters and results: the annotation `unit`, a short text. pypet reads it as `v_annotations.unit`. */
import { PypetError } from '../errors.ts'
import { cutText } from './cut-text.ts'
import { assertLegalName } from './path.ts'
import type { RawField } from './raw-value.ts'
import type { StoredField } from './stored-value.ts'
import { utf8Bytes } from './utf8.ts'
import { type StorableValue, toStoredAnnotation } from './value.ts'

/** The name of the annotation. */
export const UNIT = 'unit'
/** Units stand in heads of tables and axes. */
const UNIT_BYTES_MAX = 64
/** So many UTF-16 code units fit: none takes more than three bytes. Every run checks its units. */
const UNIT_LENGTH_SURE = Math.floor(UNIT_BYTES_MAX / 3)

/** What `parameter`, `addResult` and others take besides the value. */
export interface DescribedOptions {
  readonly annotations?: Readonly<Record<string, StorableValue>> | undefined
  readonly unit?: string | undefined
}

/**
 * The annotations, with the unit among them. Undefined if there are none.
 *
 * @param where names the node in messages
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` for a unit that is not a short text, `PYPET_USAGE` for two units
 */
export function annotationsIn(
  { unit, annotations }: DescribedOptions,
  where: string,
): Readonly<Record<string, StorableValue>> | undefined {
  if (unit === undefined) return annotations
  checkUnit(unit, where)
  if (annotations === undefined) return { unit }
  const other = annotations[UNIT]
  if (other === undefined || other === unit) return { ...annotations, unit }
  throw new PypetError(
    'PYPET_USAGE',
    `${where} has two units: ${unit} as unit, and ${cutText(String(other), UNIT_BYTES_MAX)} among its annotations`,
    { where, hint: 'Give the unit once: { unit }.' },
  )
}

/** Annotations, checked. @throws PypetError like `annotationsIn` and `toStoredAnnotation` */
export function storedAnnotations(options: DescribedOptions, where: string): StoredField[] | undefined {
  const annotations = annotationsIn(options, where)
  if (annotations === undefined) return undefined
  return Object.entries(annotations).map(([name, value]) => {
    const here = `the annotation ${name} of ${where}`
    assertLegalName(name, here)
    return { name, value: toStoredAnnotation(value, here) }
  })
}

/**
 * Checks a unit, since users may write plain JavaScript.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function checkUnit(unit: unknown, where: string): asserts unit is string {
  const fault = faultOf(unit)
  if (fault === undefined) return
  throw new PypetError('PYPET_VALUE_UNSUPPORTED', `the unit of ${where} cannot be stored: it is ${fault}`, {
    where: `the unit of ${where}`,
    hint: `Give a text of at most ${UNIT_BYTES_MAX} bytes, like 'mV', or none.`,
  })
}

/** What is wrong with a unit. Undefined for nothing. */
function faultOf(unit: unknown): string | undefined {
  if (typeof unit !== 'string') return nameOf(unit)
  if (unit.trim() === '') return 'empty'
  if (unit.length > UNIT_LENGTH_SURE && utf8Bytes(unit) > UNIT_BYTES_MAX) return 'too long'
  if (UNPRINTABLE.test(unit)) return 'a text with control characters'
  return undefined
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Control characters, line breaks, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u

export function isUnit(text: unknown): text is string {
  return faultOf(text) === undefined
}

/** The unit among annotations. Empty if there is none. */
export function unitOf(annotations: readonly RawField[] = []): string {
  const value = annotations.find(({ name }) => name === UNIT)?.value
  const text = value?.form === 'scalar' && 'texts' in value ? value.texts[0] : undefined
  return isUnit(text) ? text : ''
}

/** Like `unitOf`, for stored values. */
export function storedUnitOf(annotations: readonly StoredField[] = []): string {
  const value = annotations.find(({ name }) => name === UNIT)?.value
  return value?.form === 'scalar' && isUnit(value.value) ? value.value : ''
}

/** The annotations of a leaf that has a unit, or none. */
export function unitAnnotations(unit: string): { readonly annotations?: readonly RawField[] } {
  if (unit === '') return {}
  return { annotations: [{ name: UNIT, value: { form: 'scalar', dtype: 'str', shape: [], texts: [unit] } }] }
}

/** Whether there is nothing but the unit. */
export function isOnlyUnit(annotations: readonly { readonly name: string }[] = [], unit: string): boolean {
  return annotations.length === (unit === '' ? 0 : 1)
}

/** The unit among annotations, as an option of `addParameter`. */
export function unitOption(annotations: readonly StoredField[] | undefined): { readonly unit?: string } {
  const unit = storedUnitOf(annotations)
  return unit === '' ? {} : { unit }
}
