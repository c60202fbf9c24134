/** Reads run frames from a socket: takes bytes in chunks of any size, returns complete records, with bounded memory. */
import {
  decodeFramePrefix,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../../run/run-frame.ts'
import { decodeRows, type RunRows } from '../../run/run-rows.ts'

/**
 * Size of the records that may be in assembly at once, over all workers. A single larger record is allowed: this limits
 * how many large results meet in the writer, not the size of one.
 */
export const ASSEMBLY_BYTES_MAX = 268_435_456

/** The memory in the writer that all workers share. */
export class AssemblyBudget {
  #usedBytes = 0
  readonly #waiting: (() => void)[] = []

  /** True if `bytes` may be allocated now. Otherwise `retry` is called once something is released. */
  reserve(bytes: number, retry: () => void): boolean {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > ASSEMBLY_BYTES_MAX) {
      this.#waiting.push(retry)
      return false
    }
    this.#usedBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
    for (const retry of this.#waiting.splice(0)) retry()
  }
}

interface Body {
  /** The whole frame. */
  readonly bytes: Uint8Array
  readonly headerBytes: number
  readonly reservedBytes: number
  filled: number
}

/** The part of a connection that the intake needs, to pause it. */
export interface Connection {
  pause(): unknown
  resume(): unknown
}

/** Receives a record and its frame. It may keep neither: both are views of a buffer. */
export type OnRecord = (record: RawRunRecord, frame: Uint8Array) => void

/** Receives packed runs. It may not keep them: they are views of a buffer. */
export type OnRows = (rows: RunRows) => void

/** Assembles the frames of one connection. */
export class FrameIntake {
  readonly #connection: Connection
  readonly #budget: AssemblyBudget
  readonly #onRecord: OnRecord
  readonly #onRows: OnRows | undefined
  /** Bytes not yet consumed: the start of a prefix, or everything that came while waiting for the budget. */
  #rest: Uint8Array = EMPTY
  #body: Body | undefined

  /** @param onRows if the workers may pack runs */
  constructor(connection: Connection, budget: AssemblyBudget, onRecord: OnRecord, onRows?: OnRows) {
    this.#connection = connection
    this.#budget = budget
    this.#onRecord = onRecord
    this.#onRows = onRows
  }

  /** Takes the next bytes and passes on every record that they complete. */
  push(chunk: Uint8Array): void {
    let bytes = this.#rest.byteLength === 0 ? chunk : concatenate(this.#rest, chunk)
    this.#rest = EMPTY
    while (bytes.byteLength > 0) {
      if (this.#body !== undefined) bytes = this.#fill(bytes)
      else if (bytes.byteLength < FRAME_PREFIX_BYTES) break
      else {
        const remaining = this.#begin(bytes)
        if (remaining === undefined) break
        bytes = remaining
      }
    }
    // A copy: kept bytes must not pin the socket's whole buffer. (`slice` of a Buffer copies nothing.)
    this.#rest = bytes.byteLength === 0 ? EMPTY : new Uint8Array(bytes)
  }

  /** The worker is gone: drops its unfinished record. */
  end(): void {
    if (this.#body !== undefined) this.#budget.release(this.#body.reservedBytes)
    this.#body = undefined
    this.#rest = EMPTY
  }

  /** Reads a prefix, and the frame if it is already here. Undefined while the budget is exhausted. */
  #begin(bytes: Uint8Array): Uint8Array | undefined {
    const { headerBytes, payloadBytes } = decodeFramePrefix(bytes)
    const bodyBytes = headerBytes + payloadBytes
    const end = FRAME_PREFIX_BYTES + bodyBytes
    if (bytes.byteLength >= end) {
      this.#hand(bytes.subarray(0, end), headerBytes)
      return bytes.subarray(end)
    }
    const retry = () => {
      this.#connection.resume()
      this.push(EMPTY)
    }
    if (!this.#budget.reserve(bodyBytes, retry)) {
      this.#connection.pause()
      return undefined
    }
    this.#body = { bytes: new Uint8Array(end), headerBytes, reservedBytes: bodyBytes, filled: 0 }
    return bytes
  }

  #fill(bytes: Uint8Array): Uint8Array {
    const body = this.#body as Body
    const taken = bytes.subarray(0, body.bytes.byteLength - body.filled)
    body.bytes.set(taken, body.filled)
    body.filled += taken.byteLength
    if (body.filled === body.bytes.byteLength) {
      this.#body = undefined
      try {
        this.#hand(body.bytes, body.headerBytes)
      } finally {
        this.#budget.release(body.reservedBytes)
      }
    }
    return bytes.subarray(taken.byteLength)
  }

  #hand(frame: Uint8Array, headerBytes: number): void {
    const body = frame.subarray(FRAME_PREFIX_BYTES)
    const rows = this.#onRows && decodeRows(body, headerBytes)
    if (rows === undefined) this.#onRecord(decodeRunFrame(body, headerBytes), frame)
    else this.#onRows?.(rows)
  }
}

const EMPTY = new Uint8Array(0)

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.byteLength + second.byteLength)
  joined.set(first)
  joined.set(second, first.byteLength)
  return joined
}
