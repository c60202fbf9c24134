import { describe, expect, test } from 'vitest'
import { decoderOf, holdsPointers, parseDatatype, type RawDatatype } from '../../src/hdf5/datatype.ts'

const noText = () => {
  throw new Error('there is no pointer to read')
}

function number(type: 0 | 1, size: number, littleEndian = true): RawDatatype {
  return { type, size, signed: true, littleEndian, vlen: false }
}

function record(size: number, members: readonly (readonly [string, number, RawDatatype])[]): RawDatatype {
  return {
    type: 6,
    size,
    signed: false,
    littleEndian: false,
    vlen: false,
    compound_type: { members: members.map(([name, offset, type]) => ({ ...type, name, offset })) },
  }
}

function decode(raw: RawDatatype, bytes: Uint8Array) {
  return decoderOf(parseDatatype(raw), noText)(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
  )
}

describe('byte order', () => {
  test('a big-endian dataset arrives as little-endian, since h5wasm converts it', () => {
    expect(decode(number(0, 4, false), Uint8Array.of(1, 0, 0, 0))).toBe(1)
  })

  test('a record that mixes both orders keeps them', () => {
    const mixed = record(8, [
      ['little', 0, number(0, 4, true)],
      ['big', 4, number(0, 4, false)],
    ])
    expect(decode(mixed, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 2))).toEqual({
      fields: [
        ['little', 1],
        ['big', 2],
      ],
    })
  })

  test('texts and single bytes do not count as big-endian', () => {
    const text: RawDatatype = {
      type: 3,
      size: 4,
      signed: false,
      littleEndian: false,
      vlen: false,
      cset: 0,
      strpad: 0,
    }
    const row = record(9, [
      ['n', 0, number(0, 4, false)],
      ['flag', 4, number(0, 1, true)],
      ['text', 5, text],
    ])
    expect(decode(row, Uint8Array.of(7, 0, 0, 0, 1, 0xc3, 0xa4, 0, 0x41))).toEqual({
      fields: [
        ['n', 7],
        ['flag', 1],
        ['text', 'ä'],
      ],
    })
  })
})

describe('values', () => {
  test('integers are numbers while exact and bigints beyond 2^53', () => {
    const bytes = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer)
    expect(decode(number(0, 8), bytes(2n ** 53n - 1n))).toBe(Number.MAX_SAFE_INTEGER)
    expect(decode(number(0, 8), bytes(2n ** 53n))).toBe(2n ** 53n)
    expect(decode(number(0, 8), bytes(-(2n ** 63n)))).toBe(-(2n ** 63n))
  })

  test('a record of r and i is a complex number', () => {
    const complex = record(16, [
      ['r', 0, number(1, 8)],
      ['i', 8, number(1, 8)],
    ])
    expect(parseDatatype(complex).name).toBe('complex128')
    expect(decode(complex, new Uint8Array(Float64Array.of(1, -2).buffer))).toEqual({ real: 1, imaginary: -2 })
  })

  test('a bitfield of one byte is a boolean', () => {
    const bitfield: RawDatatype = { type: 4, size: 1, signed: false, littleEndian: true, vlen: false }
    expect(decode(bitfield, Uint8Array.of(1))).toBe(true)
    expect(decode(bitfield, Uint8Array.of(0))).toBe(false)
  })

  test('an enumeration of FALSE and TRUE is a boolean, another one is named', () => {
    const boolean = { ...number(0, 1), type: 8, enum_type: { members: { FALSE: 0, TRUE: 1 } } }
    const colour = { ...number(0, 1), type: 8, enum_type: { members: { RED: 0, BLUE: 1 } } }
    expect(decode(boolean, Uint8Array.of(1))).toBe(true)
    expect(decode(colour, Uint8Array.of(1))).toEqual({ unread: 'enumeration' })
  })

  test('spaces at the end are padding in a space-padded string only', () => {
    const text = (strpad: number): RawDatatype => {
      return { type: 3, size: 4, signed: false, littleEndian: false, vlen: false, cset: 1, strpad }
    }
    const bytes = new TextEncoder().encode('a   ')
    expect(decode(text(2), bytes)).toBe('a')
    expect(decode(text(0), bytes)).toBe('a   ')
  })

  test('an array in a cell is a list', () => {
    const array = { ...number(0, 12), type: 10, array_type: { ...number(0, 4), shape: [3] } }
    expect(decode(array, new Uint8Array(Int32Array.of(1, 2, 3).buffer))).toEqual([1, 2, 3])
  })

  test('what has no value here is named and never read', () => {
    const variable = { ...number(0, 8), type: 9 }
    expect(decode(variable, new Uint8Array(8))).toEqual({ unread: 'variable-length data' })
    expect(holdsPointers(parseDatatype(variable))).toBe(true)
    expect(decode(number(1, 16), new Uint8Array(16))).toEqual({ unread: 'float of 16 bytes' })
  })
})
