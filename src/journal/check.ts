/**
 * Checks of decoded data that may come from anywhere. Each error names the wrong field, what was expected and what was
 * found. Places are written as in messages, `request.trajectory.name`. In long lists, only a wrong one is written out.
 */

/** An error in a record whose digest is right: it was written on purpose. */
export class RecordFault extends Error {
  override readonly name = 'RecordFault'
}

export type Check = (value: unknown, at: string) => void

export function fault(at: string, expected: string, value: unknown): RecordFault {
  return new RecordFault(`${at}: expected ${expected}, found ${foundText(value)}`)
}

/** An object with these fields. Other fields are ignored. */
export function objectOf(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields)
  return (value, at) => {
    assertObject(value, at)
    for (const [name, check] of checks) check(value[name], at === '' ? name : `${at}.${name}`)
  }
}

export function assertObject(value: unknown, at: string): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw fault(at, 'an object', value)
}

export function optional(check: Check): Check {
  return (value, at) => {
    if (value !== undefined) check(value, at)
  }
}

export function listOf(check: Check): Check {
  return (value, at) => {
    assertList(value, at)
    for (const [index, element] of value.entries()) check(element, `${at}[${index}]`)
  }
}

export function assertList(value: unknown, at: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw fault(at, 'a list', value)
}

/** A list whose elements all satisfy the condition. Made for lists of a million. */
export function listWhere(isRight: (element: unknown) => boolean, expected: string): Check {
  return (value, at) => {
    assertList(value, at)
    for (let index = 0; index < value.length; index += 1) {
      if (!isRight(value[index])) throw fault(`${at}[${index}]`, expected, value[index])
    }
  }
}

/** An object with any names as keys. */
export function namesTo(check: Check): Check {
  return (value, at) => {
    assertObject(value, at)
    for (const [name, entry] of Object.entries(value)) {
      // In a plain object, this would not become a key.
      if (name === '__proto__') throw fault(at, 'names', name)
      check(entry, `${at}.${name}`)
    }
  }
}

export function oneOf(...choices: readonly unknown[]): Check {
  const expected = choices.map((choice) => JSON.stringify(choice)).join(' or ')
  return (value, at) => {
    if (!choices.includes(value)) throw fault(at, expected, value)
  }
}

export function whole(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Check {
  return (value, at) => {
    if (isWhole(value, minimum, maximum)) return
    throw fault(at, `a whole number from ${minimum} to ${maximum}`, value)
  }
}

export function isWhole(value: unknown, minimum: number, maximum: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
}

export const finite: Check = (value, at) => {
  if (!Number.isFinite(value)) throw fault(at, 'a finite number', value)
}

export const flag: Check = (value, at) => {
  if (typeof value !== 'boolean') throw fault(at, 'true or false', value)
}

export const text: Check = (value, at) => {
  if (typeof value !== 'string') throw fault(at, 'a string', value)
}

/** Rejects what no system accepts as a path. */
export const pathText: Check = (value, at) => {
  if (typeof value !== 'string' || value.includes('\0')) throw fault(at, 'a path', value)
}

export const bytes: Check = (value, at) => {
  if (!(value instanceof Uint8Array)) throw fault(at, 'bytes', value)
}

export const anything: Check = () => undefined

export function foundText(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'string') return String(value)
  return JSON.stringify(value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value)
}

const SHOWN_LENGTH_MAX = 60
