/** Describes whatever a job has thrown, to help find the cause. It imports nothing, because every thread loads it. */

/** More entries do not help to find an error. */
const ENTRIES_MAX = 10
const DEPTH_MAX = 3
const TEXT_LENGTH_MAX = 1000

/** `"text"`, `{ a: 1, b: [1, 2] }`, `Point { x: 1 }`, `null`. May throw for hostile objects. */
export function describeThrown(value: unknown): string {
  const text = described(value, 0)
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX - 1)}…` : text
}

/** The properties of an error besides message and stack: ` { status: 404 }`, or nothing. */
export function describeProperties(error: object): string {
  const entries = Object.entries(error).filter(([name]) => !KNOWN.includes(name))
  if (error instanceof AggregateError) entries.push(['errors', error.errors])
  return entries.length === 0 ? '' : ` ${describeThrown(Object.fromEntries(entries))}`
}

/** Shown elsewhere in the record, or on separate lines. */
const KNOWN = ['name', 'message', 'stack', 'cause', 'code', 'hint', 'where', 'errors']

function described(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.slice(0, TEXT_LENGTH_MAX))
    case 'bigint':
      return `${value}n`
    case 'function':
      return `a function${value.name === '' ? '' : ` ${value.name}`}`
    case 'object':
      return value === null ? 'null' : describedObject(value, depth)
    default:
      return String(value)
  }
}

function describedObject(value: object, depth: number): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  const isList = Array.isArray(value) || ArrayBuffer.isView(value)
  if (depth === DEPTH_MAX) return isList ? '[…]' : '{…}'
  const all = Object.entries(value)
  const parts = all.slice(0, ENTRIES_MAX).map(([name, inner]) => {
    const text = described(inner, depth + 1)
    return isList ? text : `${name}: ${text}`
  })
  if (all.length > ENTRIES_MAX) parts.push('…')
  if (isList) return `[${parts.join(', ')}]`
  const className = Object.getPrototypeOf(value)?.constructor?.name
  const prefix = className === undefined || className === 'Object' ? '' : `${className} `
  return parts.length === 0 ? `${prefix}{}` : `${prefix}{ ${parts.join(', ')} }`
}
