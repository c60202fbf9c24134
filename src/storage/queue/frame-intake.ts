/** Reads run frames from a socket: takes bytes in chunks of any size, returns complete records, with bounded memory. */
import {
  concatenate,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  framePrefix,
  type RawRunRecord,
} from '../../run/run-frame.ts'
import { decodeRows, type RunRows } from '../../run/run-rows.ts'
import { announcedBy, decodeNote, decodeOffer, NOTE_BYTES } from '../../run/slot-frames.ts'
import { ReceiverSlots } from './receiver-slots.ts'

/**
 * Size of the records that may be in assembly at once, over all workers. A single larger record is allowed: this limits
 * how many large results meet in the writer, not the size of one.
 */
export const ASSEMBLY_BYTES_MAX = 268_435_456

/** A buffer that is free is kept for the next record if it is not larger. */
const SPARE_BYTES_MAX = 8_388_608

/** The memory in the writer that all workers share. */
export class AssemblyBudget {
  #usedBytes = 0
  readonly #waiting: (() => void)[] = []
  #spare: Uint8Array | undefined

  /** True if `bytes` may be allocated now. Otherwise `retry` is called once something is released. */
  reserve(bytes: number, retry: () => void): boolean {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > ASSEMBLY_BYTES_MAX) {
      this.#waiting.push(retry)
      return false
    }
    this.#usedBytes += bytes
    return true
  }

  /** Memory for a record, with anything in it. */
  buffer(bytes: number): Uint8Array {
    const spare = this.#spare
    if (spare === undefined || spare.byteLength < bytes) return new Uint8Array(bytes)
    this.#spare = undefined
    return spare.subarray(0, bytes)
  }

  release(bytes: number, buffer?: Uint8Array): void {
    this.#usedBytes -= bytes
    const whole = buffer && new Uint8Array(buffer.buffer)
    if (whole !== undefined && whole.byteLength <= SPARE_BYTES_MAX) this.#spare = whole
    for (const retry of this.#waiting.splice(0)) retry()
  }
}

/** A chunk of the socket may hold thousands of rows. Longer work is interrupted. */
const PUSH_MS = 20

interface Body {
  /** The whole frame. */
  readonly bytes: Uint8Array
  readonly headerBytes: number
  readonly reservedBytes: number
  readonly isSlotted: boolean
  filled: number
}

/** The part of a connection that the intake needs, to pause it. */
export interface Connection {
  pause(): unknown
  /** @param goOn is called when nothing else holds the connection back, and not before */
  resume(goOn: () => void): unknown
}

/** Receives a record and its frame. It may keep neither: both are views of a buffer. */
export type OnRecord = (record: RawRunRecord, frame: Uint8Array) => void

/** Receives packed runs. It may not keep them: they are views of a buffer. */
export type OnRows = (rows: RunRows) => void

export interface IntakeListener {
  readonly onRecord: OnRecord
  /** If the workers may pack runs. */
  readonly onRows?: OnRows | undefined
  /** Called when what has come is passed on, as far as it can be. */
  readonly onPushed?: (() => void) | undefined
}

/** Assembles the frames of one connection. */
export class FrameIntake {
  readonly #connection: Connection
  readonly #budget: AssemblyBudget
  readonly #listener: IntakeListener
  /** Bytes not yet consumed: the start of a prefix, or everything that came while waiting for the budget. */
  #rest: Uint8Array = EMPTY
  #body: Body | undefined
  #slots: ReceiverSlots | undefined
  #isGoingOn = false
  #hasEnded = false

  constructor(connection: Connection, budget: AssemblyBudget, listener: IntakeListener) {
    this.#connection = connection
    this.#budget = budget
    this.#listener = listener
  }

  /** Takes the next bytes and passes on every record that they complete. */
  push(chunk: Uint8Array): void {
    let bytes = this.#rest.byteLength === 0 ? chunk : concatenate([this.#rest, chunk])
    this.#rest = EMPTY
    const startMs = performance.now()
    while (bytes.byteLength > 0) {
      if (!this.#hasEnded && performance.now() - startMs > PUSH_MS) {
        this.#goOnLater()
        break
      }
      const remaining = this.#body === undefined ? this.#begin(bytes) : this.#fill(bytes, this.#body)
      if (remaining === undefined) break
      bytes = remaining
    }
    // A copy: kept bytes must not pin the socket's whole buffer. (`slice` of a Buffer copies nothing.)
    this.#rest = bytes.byteLength === 0 ? EMPTY : new Uint8Array(bytes)
    this.#listener.onPushed?.()
  }

  /** Others have their turn first: commits, and messages of main. */
  #goOnLater(): void {
    if (this.#isGoingOn) return
    this.#isGoingOn = true
    this.#connection.pause()
    setImmediate(() =>
      this.#connection.resume(() => {
        this.#isGoingOn = false
        this.push(EMPTY)
      }),
    )
  }

  /** The worker is gone: passes on what it has sent, and drops its unfinished record. */
  end(): void {
    this.#hasEnded = true
    this.push(EMPTY)
    if (this.#body !== undefined) this.#budget.release(this.#body.reservedBytes)
    this.#body = undefined
    this.#rest = EMPTY
    this.#slots?.close()
    this.#slots = undefined
  }

  /** Reads a prefix, and the frame if it is already here. Undefined if more must come, or while the budget is exhausted. */
  #begin(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.byteLength < FRAME_PREFIX_BYTES) return undefined
    const { kind, headerBytes, payloadBytes } = announcedBy(bytes)
    const bodyBytes = headerBytes + payloadBytes
    const end = FRAME_PREFIX_BYTES + bodyBytes
    const isSlotted = kind === 'slotted'
    if (!isSlotted && bytes.byteLength >= end) {
      if (kind === 'offer')
        this.#slots = ReceiverSlots.open(decodeOffer(bytes.subarray(FRAME_PREFIX_BYTES, end)))
      else this.#hand(bytes.subarray(0, end), headerBytes)
      return bytes.subarray(end)
    }
    // What is not here by now does not come any more.
    if (kind === 'offer' || (this.#hasEnded && !isSlotted)) return undefined
    const retry = () => void this.#connection.resume(() => this.push(EMPTY))
    const isReserved = this.#budget.reserve(bodyBytes, retry)
    if (!isReserved && !this.#hasEnded) {
      this.#connection.pause()
      return undefined
    }
    const body = {
      bytes: this.#budget.buffer(end),
      headerBytes,
      reservedBytes: isReserved ? bodyBytes : 0,
      isSlotted,
      filled: 0,
    }
    this.#body = body
    if (!isSlotted) return bytes
    body.bytes.set(framePrefix(headerBytes, payloadBytes))
    body.filled = FRAME_PREFIX_BYTES
    return bytes.subarray(FRAME_PREFIX_BYTES)
  }

  /** Undefined if more must come. */
  #fill(bytes: Uint8Array, body: Body): Uint8Array | undefined {
    const rest = body.isSlotted ? this.#fillFromSlot(bytes, body) : this.#fillFrom(bytes, body)
    if (body.filled === body.bytes.byteLength) {
      this.#body = undefined
      try {
        this.#hand(body.bytes, body.headerBytes)
      } finally {
        this.#budget.release(body.reservedBytes, body.bytes)
      }
    }
    return rest
  }

  #fillFrom(bytes: Uint8Array, body: Body): Uint8Array {
    const taken = bytes.subarray(0, body.bytes.byteLength - body.filled)
    body.bytes.set(taken, body.filled)
    body.filled += taken.byteLength
    return bytes.subarray(taken.byteLength)
  }

  #fillFromSlot(bytes: Uint8Array, body: Body): Uint8Array | undefined {
    if (bytes.byteLength < NOTE_BYTES) return undefined
    const note = decodeNote(bytes)
    if (this.#slots === undefined)
      throw new Error('a frame is in slots that are not open: the stream is out of step')
    this.#slots.read(note, body.bytes, body.filled)
    body.filled += note.bytes
    return bytes.subarray(NOTE_BYTES)
  }

  #hand(frame: Uint8Array, headerBytes: number): void {
    const body = frame.subarray(FRAME_PREFIX_BYTES)
    const { onRecord, onRows } = this.#listener
    const rows = onRows && decodeRows(body, headerBytes)
    if (rows === undefined) onRecord(decodeRunFrame(body, headerBytes), frame)
    else onRows?.(rows)
  }
}

const EMPTY = new Uint8Array(0)
