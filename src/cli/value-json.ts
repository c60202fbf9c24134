/** Stored values in JSON documents. */
import { jsonText } from '../export/cell-text.ts'
import { elementCount } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { JsonText } from './json-document.ts'

/** Longer arrays are left out: `export` writes them. */
const ELEMENTS_MAX = 10_000

/** Null for a long array, and for a value that is not there. */
export function valueJson(value: StoredValue | number | undefined): JsonText | null {
  if (value === undefined) return null
  const isLong =
    typeof value === 'object' && value.form === 'ndarray' && elementCount(value.shape) > ELEMENTS_MAX
  return isLong ? null : new JsonText(jsonText(value))
}
