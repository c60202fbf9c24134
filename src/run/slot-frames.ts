/**
 * Large frames between two processes of one machine. A socket takes them in small pieces, and both sides wait for each
 * other in between. So their bytes go through slots: two files in memory, which the worker writes and the receiver reads
 * in turn. The socket says when.
 *
 *     offer:  u32 OFFER | bytes of the rest, f64 bytes 0 | JSON: the process, and its descriptors of the slots
 *     frame:  u32 SLOTTED | header bytes, f64 payload bytes, then a note for each part of header and payload
 *     note:   u32 slot | u32 bytes, from the start of the slot
 *
 * The receiver answers in the slots: behind its bytes, each has a count of what was taken from it, an offer included. So a
 * worker knows that the receiver has opened the slots, and when it may write to one again. Nothing goes back through the
 * socket: if a worker ends before it has read that, the system would drop what the worker has sent.
 */
import { FRAME_PREFIX_BYTES, framePrefix, HEADER_BYTES_MAX } from './run-frame.ts'

export const SLOT_COUNT = 2
export const SLOT_BYTES = 1_048_576
/** Smaller frames are sent as they are. */
export const SLOTTED_BYTES_MIN = 262_144
export const NOTE_BYTES = 8
/** Of the count behind the bytes of a slot. */
export const TAKEN_BYTES = 4

const SLOTTED = 0x8000_0000
const OFFER = HEADER_BYTES_MAX + 1

export interface SlotOffer {
  readonly pid: number
  readonly slots: readonly OfferedSlot[]
}

/** A descriptor, and which file it is: when the offer arrives, another one may have its number. */
interface OfferedSlot {
  readonly descriptor: number
  readonly identity: string
}

export interface SlotNote {
  readonly slot: number
  readonly bytes: number
}

/** What a prefix announces. */
export interface AnnouncedFrame {
  readonly kind: 'frame' | 'slotted' | 'offer'
  /** Of an offer: all of it. */
  readonly headerBytes: number
  readonly payloadBytes: number
}

export function announcedBy(prefix: Uint8Array): AnnouncedFrame {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  const first = view.getUint32(0, true)
  const kind = first >= SLOTTED ? 'slotted' : first >= OFFER ? 'offer' : 'frame'
  return { kind, headerBytes: first & HEADER_BYTES_MAX, payloadBytes: view.getFloat64(4, true) }
}

/** The prefix of a frame that goes through slots, from its own. */
export function slottedPrefix(prefix: Uint8Array): Uint8Array {
  const { headerBytes, payloadBytes } = announcedBy(prefix)
  return framePrefix(headerBytes + SLOTTED, payloadBytes)
}

export function encodeOffer(offer: SlotOffer): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(offer))
  const bytes = new Uint8Array(FRAME_PREFIX_BYTES + text.byteLength)
  bytes.set(framePrefix(OFFER + text.byteLength, 0))
  bytes.set(text, FRAME_PREFIX_BYTES)
  return bytes
}

export function decodeOffer(text: Uint8Array): SlotOffer {
  return JSON.parse(new TextDecoder().decode(text))
}

export function encodeNote({ slot, bytes }: SlotNote): Uint8Array {
  const note = new Uint8Array(NOTE_BYTES)
  const view = new DataView(note.buffer)
  view.setUint32(0, slot, true)
  view.setUint32(4, bytes, true)
  return note
}

export function decodeNote(note: Uint8Array): SlotNote {
  const view = new DataView(note.buffer, note.byteOffset, note.byteLength)
  return { slot: view.getUint32(0, true), bytes: view.getUint32(4, true) }
}
