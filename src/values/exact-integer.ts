/** 64-bit integers as users get them: numbers while they are exact, bigints beyond. */
import { type RawValue, storedOfRaw } from './raw-value.ts'
import type { StoredList, StoredScalar, StoredValue } from './stored-value.ts'

export function exact(integer: bigint): number | bigint {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

/** The same for values: scalars, lists, and the content of records and tables. Arrays keep their type. */
export function exactIntegers<Value extends StoredValue>(value: Value): Value
export function exactIntegers(value: StoredValue): StoredValue {
  switch (value.form) {
    case 'scalar':
    case 'list':
      return exactElements(value)
    case 'record':
      return {
        ...value,
        fields: value.fields.map(({ name, value: field }) => ({ name, value: exactIntegers(field) })),
      }
    case 'table':
      return {
        ...value,
        columns: value.columns.map(({ name, value: column }) => ({ name, value: exactIntegers(column) })),
      }
    default:
      return value
  }
}

function exactElements(value: StoredScalar | StoredList): StoredValue {
  if (value.form === 'scalar') {
    return typeof value.value === 'bigint' ? { ...value, value: exact(value.value) } : value
  }
  if (typeof value.values[0] !== 'bigint') return value
  return { ...value, values: value.values.map((element) => exact(element as bigint)) }
}

/** A value that was sent or kept as bytes, in the form that users get from a file. */
export function receivedValue(raw: RawValue): StoredValue {
  return exactIntegers(storedOfRaw(raw))
}
