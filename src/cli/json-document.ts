/** Output for programs: one object on one line, with snake_case keys as in all JSON of the commands. */

/** A part of a document that is JSON already, such as an integer beyond 2^53. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** @param facts named as in the library; undefined ones are omitted */
export function jsonDocument(facts: object): string {
  return `${written(facts)}\n`
}

function written(value: unknown): string {
  if (value instanceof JsonText) return value.text
  if (Array.isArray(value)) return `[${value.map((element) => written(element ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([key, field]) => `${JSON.stringify(snakeCase(key))}:${written(field)}`).join(',')}}`
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
