/** What to write instead of a value that cannot be stored as it is, where people give such a value by mistake. */

/** The next step, as a sentence; undefined where the list of what is allowed says more. */
export function valueHint(value: unknown): string | undefined {
  if (value instanceof Date) return 'It is Invalid Date: look at what it was made of, or store null.'
  if (value instanceof Map) {
    return 'Store Object.fromEntries(map) as a record, or [...map.values()] as a list.'
  }
  if (value instanceof Set) return 'Store it as a list: [...set].'
  if (isThenable(value)) {
    return 'It is a promise, and its value is not there yet: await it, in an async job.'
  }
  return undefined
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
