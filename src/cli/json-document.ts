/** Output for programs: one object on one line, with snake_case keys as in all JSON of the commands. */

/** @param facts named as in the library; undefined ones are omitted */
export function jsonDocument(facts: object): string {
  return `${JSON.stringify(snakeKeys(facts))}\n`
}

function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [snakeCase(key), snakeKeys(field)]))
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
