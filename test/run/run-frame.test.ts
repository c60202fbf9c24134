import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeFramePrefix,
  decodeRunFrame,
  encodeRunFrame,
  FRAME_PREFIX_BYTES,
} from '../../src/run/run-frame.ts'
import type { RunRecord } from '../../src/run/run-record.ts'
import { rawValue, storedOfRaw } from '../../src/values/raw-value.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { runRecord, storedValue } from './arbitrary-record.ts'

function throughTheFrame(record: RunRecord): RunRecord {
  const bytes = Buffer.concat(encodeRunFrame(record))
  const { headerBytes, payloadBytes } = decodeFramePrefix(bytes)
  expect(bytes.byteLength).toBe(FRAME_PREFIX_BYTES + headerBytes + payloadBytes)
  const raw = decodeRunFrame(bytes.subarray(FRAME_PREFIX_BYTES), headerBytes)
  const { groups, ...rest } = raw
  return {
    ...rest,
    ...(groups !== undefined && {
      groups: groups.map((group) => ({
        ...group,
        annotations: group.annotations.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
      })),
    }),
    leaves: raw.leaves.map(({ annotations, ...leaf }) => ({
      ...leaf,
      ...(annotations !== undefined && {
        annotations: annotations.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
      }),
      items: leaf.items.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
    })),
  }
}

function recordOf(value: StoredValue): RunRecord {
  const leaf = { location: 'results.z', kind: 'result', comment: '', items: [{ name: 'z', value }] } as const
  return { run: 0, startTimestamp: 1, finishTimestamp: 2, leaves: [leaf] }
}

test('any record comes out of its frame as it went in', () => {
  fc.assert(
    fc.property(runRecord(), (record) => {
      expect(throughTheFrame(record)).toEqual(record)
    }),
  )
})

test('any value comes back from its bytes', () => {
  fc.assert(
    fc.property(storedValue(), (value) => {
      expect(storedOfRaw(rawValue(value))).toEqual(value)
    }),
  )
})

test('the bits of a NaN survive', () => {
  const data = new Float64Array(BigUint64Array.of(0x7ff8_0000_0000_1234n, 0xfff0_0000_0000_0001n).buffer)
  const record = throughTheFrame(recordOf({ form: 'ndarray', dtype: 'float64', shape: [2], data }))
  const value = record.leaves[0]?.items[0]?.value as { data: Float64Array }
  expect(new BigUint64Array(value.data.buffer)).toEqual(new BigUint64Array(data.buffer))
})

describe('sending', () => {
  const large = new Float64Array(100_000).fill(1.5)
  const small = Float64Array.of(1, 2)

  test('small values share a piece with the header', () => {
    expect(
      encodeRunFrame(recordOf({ form: 'ndarray', dtype: 'float64', shape: [2], data: small })),
    ).toHaveLength(1)
  })

  test('a large array is sent from where it lies', () => {
    const pieces = encodeRunFrame(
      recordOf({ form: 'ndarray', dtype: 'float64', shape: [100_000], data: large }),
    )
    expect(pieces).toHaveLength(2)
    expect(pieces[1]?.buffer).toBe(large.buffer)
  })

  test('a part of an array is sent without the rest', () => {
    const data = large.subarray(10, 50_010)
    const pieces = encodeRunFrame(recordOf({ form: 'ndarray', dtype: 'float64', shape: [50_000], data }))
    expect(pieces[1]).toMatchObject({ byteOffset: 80, byteLength: 400_000 })
  })

  test('large and small arrays in turn keep their order', () => {
    const items = [small, large, small, small, large].map((data, index) => ({
      name: `item${index}`,
      value: { form: 'ndarray', dtype: 'float64', shape: [data.length], data } as const,
    }))
    const record: RunRecord = { ...recordOf(items[0]?.value as StoredValue) }
    const several = { ...record, leaves: record.leaves.map((leaf) => ({ ...leaf, items })) }
    expect(throughTheFrame(several)).toEqual(several)
  })
})

test('a frame that is longer than its header says is refused', () => {
  const [bytes] = encodeRunFrame(recordOf({ form: 'scalar', dtype: 'float64', value: 1 })) as [Uint8Array]
  const { headerBytes } = decodeFramePrefix(bytes)
  const body = Buffer.concat([bytes.subarray(FRAME_PREFIX_BYTES), Uint8Array.of(0)])
  expect(() => decodeRunFrame(body, headerBytes)).toThrow('out of step')
})
