/** Output for programs: one object on one line, with snake_case keys as in all JSON of the commands. */

/** A part of a document that is JSON already, such as an integer beyond 2^53. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * Without characters that control a terminal.
 *
 * @param facts named as in the library; undefined ones are omitted
 */
export function jsonDocument(facts: object): string {
  return `${written(facts).replace(CONTROLS, escaped)}\n`
}

/** What JSON does not escape itself. */
const CONTROLS = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
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
