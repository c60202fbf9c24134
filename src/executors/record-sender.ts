/** A worker's connection to the writer: run frames over a local socket, with back-pressure. */
import { connect, type Socket } from 'node:net'
import { PypetError } from '../errors.ts'
import { concatenate, encodeRunFrame, FRAME_PREFIX_BYTES } from '../run/run-frame.ts'
import type { RunRecord } from '../run/run-record.ts'
import {
  encodeNote,
  encodeOffer,
  SLOT_BYTES,
  SLOT_COUNT,
  SLOTTED_BYTES_MIN,
  slottedPrefix,
} from '../run/slot-frames.ts'
import { later } from './own-clock.ts'
import { SenderSlots } from './sender-slots.ts'

/** How soon to look again whether a slot is free. */
const LOOK_MS = 1

export class RecordSender {
  readonly #address: string
  /** Connected at the first record: before that, the writer may still be starting. */
  #socket: Socket | undefined
  #error: Error | undefined
  /** For large frames. Undefined before the first one, null if there are none. */
  #slots: SenderSlots | null | undefined
  /** Large frames before the offer. */
  #largeCount = 0
  /** Parts of frames that were written to slots, in turn. */
  #partCount = 0
  /** The last frame that goes through slots. The next one waits for it. */
  #slotted: Promise<void> | undefined

  constructor(address: string) {
    this.#address = address
  }

  /**
   * Resolves when the operating system has the whole record. From then on, it reaches the writer even if this worker
   * dies, and the arrays of the record may change. Waits while the writer is behind.
   *
   * @throws PypetError `PYPET_WRITER_DIED` if the writer is gone
   */
  async send(record: RunRecord): Promise<void> {
    await this.sendFrame(encodeRunFrame(record))
  }

  /** As `send`, for a frame made by `encodeRunFrame`. */
  async sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    // Otherwise one frame would be within the other.
    while (this.#slotted !== undefined) await this.#slotted
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    if (bytes < SLOTTED_BYTES_MIN) return await this.#write(pieces)
    const sending = this.#sendLarge(pieces).catch((error: Error) => {
      // The receiver drops what is incomplete.
      this.#socket?.destroy()
      throw error instanceof PypetError ? error : notReached(error)
    })
    this.#slotted = sending
      .catch(() => undefined)
      .finally(() => {
        this.#slotted = undefined
      })
    await sending
  }

  close(): void {
    this.#socket?.destroy()
    this.#slots?.close()
    this.#slots = null
  }

  async #sendLarge(pieces: readonly Uint8Array[]): Promise<void> {
    const slots = this.#openedSlots()
    if (slots === undefined) return await this.#write(pieces)
    const [first = EMPTY, ...others] = pieces
    const body = [first.subarray(FRAME_PREFIX_BYTES), ...others]
    let before = slottedPrefix(first.subarray(0, FRAME_PREFIX_BYTES))
    for (const part of partsOf(body)) {
      const slot = this.#partCount % SLOT_COUNT
      // The first one is the offer.
      const takenBefore = Math.floor(this.#partCount / SLOT_COUNT) + 1
      while (slots.takenCount(slot) < takenBefore) await this.#look()
      let position = 0
      for (const piece of part) {
        slots.write(slot, piece, position)
        position += piece.byteLength
      }
      this.#partCount += 1
      await this.#write([concatenate([before, encodeNote({ slot, bytes: position })])])
      before = EMPTY
    }
  }

  /** Offers them at the second large frame. Undefined if there are none, or before the receiver has opened them. */
  #openedSlots(): SenderSlots | undefined {
    if (this.#slots === undefined) {
      // A process that performs one run needs none.
      this.#largeCount += 1
      if (this.#largeCount < 2) return undefined
      this.#slots = SenderSlots.open() ?? null
      if (this.#slots !== null) this.#write([encodeOffer(this.#slots.offer)]).catch(() => undefined)
      return undefined
    }
    return this.#slots !== null && this.#slots.takenCount(SLOT_COUNT - 1) > 0 ? this.#slots : undefined
  }

  /** Waits a moment for the receiver. */
  async #look(): Promise<void> {
    const socket = this.#connected()
    if (this.#error !== undefined || socket.destroyed) throw this.#error ?? new Error('it is gone')
    await new Promise<void>((resolve) => void later(resolve, LOOK_MS))
  }

  #write(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(notReached(this.#error))
        return
      }
      const last = pieces.length - 1
      const socket = this.#connected()
      // Waiting for the writer is part of the run, so the socket keeps the process alive meanwhile.
      if (!socket.destroyed) socket.ref()
      pieces.forEach((piece, index) => {
        socket.write(piece, (error) => {
          if (error) reject(notReached(error))
          else if (index === last) {
            // An idle connection must not keep a finished process alive.
            if (!socket.destroyed) socket.unref()
            resolve()
          }
        })
      })
    })
  }

  #connected(): Socket {
    if (this.#socket !== undefined) return this.#socket
    const socket = connect(this.#address)
    socket.on('error', (error) => {
      this.#error = error
    })
    // To hear of its end. Nothing comes from there.
    socket.resume()
    this.#socket = socket
    return socket
  }
}

const EMPTY = new Uint8Array(0)

/** The pieces in parts that fit in a slot. */
function* partsOf(pieces: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let part: Uint8Array[] = []
  let room = SLOT_BYTES
  for (const piece of pieces) {
    for (let done = 0; done < piece.byteLength; ) {
      const taken = piece.subarray(done, done + room)
      part.push(taken)
      done += taken.byteLength
      room -= taken.byteLength
      if (room > 0) continue
      yield part
      part = []
      room = SLOT_BYTES
    }
  }
  if (part.length > 0) yield part
}

function notReached(cause: Error): PypetError {
  const message = `cannot reach the writer process: ${cause.message}`
  return new PypetError('PYPET_WRITER_DIED', message, {
    hint: 'Check whether someone killed it, or memory ran out (dmesg).',
    cause,
  })
}
