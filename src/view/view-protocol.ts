/**
 * What the page asks for and what the server answers. Rows of columns travel as typed arrays: a message is a JSON
 * header, and after it the bytes of its arrays, each at a multiple of 8.
 *
 * | request | answer |
 * | --- | --- |
 * | `/api/state` | `ViewState` |
 * | `/api/columns?name=z&from=3` | message of `ColumnsHeader`: what has changed since version 3, or everything |
 * | `/api/filter?where=z > 1` | message of `FilterHeader`: a byte for each run |
 * | `/api/run?run=17` | `RunDetail` |
 * | `/api/log?run=17` | `RunLogText` |
 * | `/api/source?run=17` | `RunSources` |
 * | `/api/provenance?run=17` | `RunProvenance` |
 * | `/api/array?run=17&column=trace&slice=0:100` | message of `ArrayHeader` |
 * | `/api/export?format=csv&where=z > 1&sort=-z&select=x&select=z` | the table as `csv`, `jsonl` or `parquet` |
 * | `/api/events` | an event stream of `ViewState`, one whenever it changes |
 *
 * Errors are `ViewProblem`. Their status is 400, 403, 404 or 405 if the request is wrong, 503 if the file cannot be read
 * now, and 500 if the server is at fault.
 */
import type { ColumnKind } from '../results/column.ts'
import type { NumericDtype, TypedArray } from '../values/typed-array.ts'

/** Of the file as of the last commit that the server has read. */
export interface ViewState {
  /** Grows with each change. */
  readonly version: number
  /** As the user wrote it. */
  readonly file: string
  readonly trajectory: string
  readonly comment: string
  readonly runCount: number
  readonly storedCount: number
  readonly failedCount: number
  readonly columns: readonly ViewColumn[]
  readonly progress: ViewProgress
  /** Why the file cannot be read now. The rest is what was read before. */
  readonly problem: ViewProblem | undefined
  /** Limits of what is shown, as sentences. */
  readonly notes: readonly string[]
}

export interface ViewColumn {
  readonly name: string
  readonly fullName: string
  readonly kind: ColumnKind
  readonly dtype: string
  /** Undefined if runs differ. */
  readonly shape: readonly number[] | undefined
  readonly unit: string
  readonly comment: string
  readonly isExplored: boolean
  /** Whether the column has one value for all runs, because it is a parameter that is not explored. */
  readonly isConstant: boolean
  /** Whether `/api/columns` has its values. Arrays are only read run by run. */
  readonly isSingle: boolean
}

interface ViewProgress {
  /** `running`: a process writes the file. `stopped`: runs are missing, and no process writes. */
  readonly state: 'running' | 'stopped' | 'ended'
  /** Undefined before two commits were seen. */
  readonly runsPerSecond: number | undefined
  /** When the file last changed, in milliseconds since 1970. */
  readonly changedMs: number
  /** What completes the experiment: `pypet-ts continue sweep.cnt`. Undefined if nothing is missing. */
  readonly command: string | undefined
}

export interface ViewProblem {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
}

/** The parts in the order of their arrays. */
export interface ColumnsHeader {
  readonly version: number
  readonly runCount: number
  readonly parts: readonly ColumnPart[]
}

/** Consecutive rows of a column. Its arrays are the flags, if it has some, and the values. */
export interface ColumnPart {
  readonly name: string
  readonly start: number
  readonly count: number
  /** Whether a `Uint8Array` comes first: 1 for each row with a value. */
  readonly hasFlags: boolean
  readonly values:
    | { readonly form: 'number'; readonly dtype: NumericDtype }
    /** A `Uint8Array` of 0 and 1. */
    | { readonly form: 'bool' }
    /** Real and imaginary parts in turn, as a `Float64Array`. */
    | { readonly form: 'complex' }
    /** A `Uint32Array` of positions in `texts`. */
    | { readonly form: 'text'; readonly texts: readonly string[] }
    /** As `text`, and after it a `Float64Array`: the number, or NaN for what is no number. */
    | { readonly form: 'mixed'; readonly texts: readonly string[] }
}

export interface FilterHeader {
  readonly version: number
}

export interface ArrayHeader {
  readonly dtype: NumericDtype | 'bool' | 'complex'
  /** Of the whole array. */
  readonly shape: readonly number[]
  /** Of what follows, in C order. */
  readonly slice: readonly { readonly start: number; readonly end: number }[]
}

/** Everything about one run except the elements of its arrays. */
export interface RunDetail {
  readonly version: number
  readonly run: number
  readonly status: string
  /** Seconds since 1970. */
  readonly start: number | undefined
  /** Seconds. */
  readonly runtime: number | undefined
  readonly attempts: number | undefined
  readonly host: string | undefined
  /** Parameters and results. */
  readonly items: readonly RunItem[]
  /** With the stack. Empty if the run has not failed. */
  readonly failure: string
  /** What to type to look closer. */
  readonly commands: readonly { readonly label: string; readonly command: string }[]
}

export interface RunItem {
  readonly name: string
  readonly kind: ColumnKind
  readonly dtype: string
  readonly unit: string
  readonly comment: string
  readonly isExplored: boolean
  readonly value:
    | { readonly form: 'text'; readonly text: string }
    | { readonly form: 'array'; readonly shape: readonly number[] }
    | {
        readonly form: 'table'
        readonly rowCount: number
        readonly heads: readonly string[]
        /** The first ones. */
        readonly rows: readonly (readonly string[])[]
      }
    | { readonly form: 'missing' }
}

/** What the log has of a run. Texts of this and of the next two have no control characters. */
export interface RunLogText {
  /** Undefined if none was found. */
  readonly file: string | undefined
  /** The last ones. */
  readonly lines: readonly string[]
  /** Number of earlier lines among those that were read. */
  readonly omittedCount: number
  /** At the start of the log. */
  readonly unreadBytes: number
  /** Why the log cannot be read. */
  readonly problem: string | undefined
  /** Where the log was looked for. Empty if it was not. */
  readonly looked: readonly string[]
}

/** The files of the job as they were when the run was made. */
export interface RunSources {
  /** The environment that made the run. Undefined if the file does not tell. */
  readonly environment: string | undefined
  readonly files: readonly OriginText[]
  /** Number of further files. */
  readonly omittedCount: number
}

/** The command, the commit, the packages, the machine, and every option. */
export interface RunProvenance {
  readonly environment: string | undefined
  readonly facts: readonly OriginText[]
  /** Number of further facts. */
  readonly omittedCount: number
}

export interface OriginText {
  readonly name: string
  readonly text: string
  /** Number of characters that follow. */
  readonly omittedLength: number
}

const ALIGNMENT = 8

/** A message as the bytes to send, in order. */
export function encodeMessage(header: object, arrays: readonly TypedArray[]): Uint8Array[] {
  const lengths = arrays.map(({ byteLength }) => byteLength)
  const json = new TextEncoder().encode(JSON.stringify({ ...header, lengths }))
  const head = new Uint8Array(aligned(4 + json.byteLength))
  new DataView(head.buffer).setUint32(0, json.byteLength, true)
  head.set(json, 4)
  return [
    head,
    ...arrays.flatMap(({ buffer, byteOffset, byteLength }) => [
      new Uint8Array(buffer, byteOffset, byteLength),
      new Uint8Array(aligned(byteLength) - byteLength),
    ]),
  ]
}

export interface Message<Header> {
  readonly header: Header
  /** The next array, with a type of the caller's choice. */
  take<Values>(type: new (buffer: ArrayBuffer, offset: number, length: number) => Values): Values
}

/** The inverse of `encodeMessage`. The arrays share the memory of the message. */
export function decodeMessage<Header>(buffer: ArrayBuffer): Message<Header> {
  const jsonBytes = new DataView(buffer).getUint32(0, true)
  const json = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, jsonBytes)))
  const lengths: readonly number[] = json.lengths
  let offset = aligned(4 + jsonBytes)
  let next = 0
  return {
    header: json,
    take(type) {
      const bytes = lengths[next] ?? 0
      const { BYTES_PER_ELEMENT = 1 } = type as unknown as { BYTES_PER_ELEMENT?: number }
      const values = new type(buffer, offset, bytes / BYTES_PER_ELEMENT)
      offset += aligned(bytes)
      next += 1
      return values
    },
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
