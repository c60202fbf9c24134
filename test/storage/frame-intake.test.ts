import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeRunFrame, FRAME_PREFIX_BYTES, type RawRunRecord } from '../../src/run/run-frame.ts'
import type { RunRecord } from '../../src/run/run-record.ts'
import { ASSEMBLY_BYTES_MAX, AssemblyBudget, FrameIntake } from '../../src/storage/queue/frame-intake.ts'
import { storedOfRaw } from '../../src/values/raw-value.ts'
import { runRecord } from '../run/arbitrary-record.ts'

/** A connection that remembers whether it is held back. */
class TestConnection {
  isPaused = false
  pause(): void {
    this.isPaused = true
  }
  resume(goOn: () => void): void {
    this.isPaused = false
    goOn()
  }
}

function intakeOf(budget = new AssemblyBudget()) {
  const connection = new TestConnection()
  const records: RunRecord[] = []
  const intake = new FrameIntake(connection, budget, { onRecord: (raw) => records.push(copied(raw)) })
  return { connection, records, intake, budget }
}

/** Values are views of a buffer, so they are taken over at once. */
function copied(raw: RawRunRecord): RunRecord {
  const leaves = raw.leaves.map(({ annotations: _, ...leaf }) => ({
    ...leaf,
    items: leaf.items.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
  }))
  const { groups: sent, ...rest } = raw
  const groups = sent?.map((group) => ({
    ...group,
    annotations: group.annotations.map(({ name, value }) => ({ name, value: storedOfRaw(value) })),
  }))
  return { ...rest, ...(groups !== undefined && { groups }), leaves }
}

/** Only the prefix of a frame: as much as the budget looks at. */
function prefixOf(bodyBytes: number): Uint8Array {
  const prefix = new Uint8Array(FRAME_PREFIX_BYTES)
  new DataView(prefix.buffer).setUint32(0, 2, true)
  new DataView(prefix.buffer).setFloat64(4, bodyBytes - 2, true)
  return prefix
}

const EMPTY_RECORD: RunRecord = { run: 7, startTimestamp: 1, finishTimestamp: 2, leaves: [] }
const frameOf = (record: RunRecord) => Buffer.concat(encodeRunFrame(record))

describe('chunks', () => {
  test('any records come out of any chunking of their bytes', () => {
    const sent = fc.array(runRecord(), { maxLength: 4 })
    const chunkSizes = fc.infiniteStream(fc.integer({ min: 1, max: 300 }))
    fc.assert(
      fc.property(sent, chunkSizes, (records, sizes) => {
        const { intake, records: received } = intakeOf()
        let bytes = Buffer.concat(records.map(frameOf))
        for (const size of sizes) {
          if (bytes.byteLength === 0) break
          intake.push(bytes.subarray(0, size))
          bytes = bytes.subarray(size)
        }
        expect(received).toEqual(records)
      }),
    )
  })

  test('a record is handed on with its last byte, not before', () => {
    const { intake, records } = intakeOf()
    const frame = frameOf(EMPTY_RECORD)
    for (const byte of frame.subarray(0, -1)) intake.push(Uint8Array.of(byte))
    expect(records).toEqual([])
    intake.push(frame.subarray(-1))
    expect(records).toEqual([EMPTY_RECORD])
  })

  test('a buffer that is used again after a push changes nothing', () => {
    const { intake, records } = intakeOf()
    const frame = frameOf(EMPTY_RECORD)
    const first = Buffer.from(frame.subarray(0, 5))
    intake.push(first)
    first.fill(255)
    const second = Buffer.from(frame.subarray(5, 30))
    intake.push(second)
    second.fill(255)
    intake.push(frame.subarray(30))
    expect(records).toEqual([EMPTY_RECORD])
  })

  test('a record that its worker did not finish is dropped, and the next worker starts anew', () => {
    const { intake, records } = intakeOf()
    intake.push(frameOf(EMPTY_RECORD).subarray(0, 40))
    intake.end()
    intake.push(frameOf(EMPTY_RECORD))
    expect(records).toEqual([EMPTY_RECORD])
  })
})

describe('memory', () => {
  const half = ASSEMBLY_BYTES_MAX / 2 + 1

  test('a second large record waits until the first is done', () => {
    const budget = new AssemblyBudget()
    let retries = 0
    expect(budget.reserve(half, () => (retries += 1))).toBe(true)
    expect(budget.reserve(half, () => (retries += 1))).toBe(false)
    expect(retries).toBe(0)
    budget.release(half)
    expect(retries).toBe(1)
    expect(budget.reserve(half, () => undefined)).toBe(true)
  })

  test('one record may be larger than the limit when it is alone', () => {
    const budget = new AssemblyBudget()
    expect(budget.reserve(ASSEMBLY_BYTES_MAX * 4, () => undefined)).toBe(true)
    expect(budget.reserve(1, () => undefined)).toBe(false)
    budget.release(ASSEMBLY_BYTES_MAX * 4)
    expect(budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)).toBe(true)
    expect(budget.reserve(1, () => undefined)).toBe(false)
  })

  test('a connection that must wait is held back and then goes on where it was', () => {
    const budget = new AssemblyBudget()
    budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)
    const { connection, intake, records } = intakeOf(budget)
    const frame = frameOf(EMPTY_RECORD)
    intake.push(frame.subarray(0, 20))
    expect(connection.isPaused).toBe(true)
    // A socket may still hand over what it had read.
    intake.push(frame.subarray(20, 30))
    budget.release(ASSEMBLY_BYTES_MAX)
    expect(connection.isPaused).toBe(false)
    intake.push(frame.subarray(30))
    expect(records).toEqual([EMPTY_RECORD])
  })

  test('a frame that arrived whole needs no budget', () => {
    const budget = new AssemblyBudget()
    budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)
    const { connection, intake, records } = intakeOf(budget)
    intake.push(frameOf(EMPTY_RECORD))
    expect(records).toEqual([EMPTY_RECORD])
    expect(connection.isPaused).toBe(false)
  })

  test('a worker that dies gives back what its record had reserved', () => {
    const { intake, budget } = intakeOf()
    intake.push(prefixOf(1000))
    expect(budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)).toBe(false)
    intake.end()
    expect(budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)).toBe(true)
  })

  test('a record that cannot be taken gives back what it had reserved', () => {
    const budget = new AssemblyBudget()
    const intake = new FrameIntake(new TestConnection(), budget, {
      onRecord: () => {
        throw new Error('the disk is full')
      },
    })
    const frame = frameOf(EMPTY_RECORD)
    intake.push(frame.subarray(0, 20))
    expect(() => intake.push(frame.subarray(20))).toThrow('the disk is full')
    expect(budget.reserve(ASSEMBLY_BYTES_MAX, () => undefined)).toBe(true)
  })
})

describe('many records in one chunk', () => {
  const slow = () => {
    const connection = new TestConnection()
    const runs: number[] = []
    const intake = new FrameIntake(connection, new AssemblyBudget(), {
      onRecord: ({ run }) => {
        runs.push(run)
        const startMs = performance.now()
        while (performance.now() - startMs < 15);
      },
    })
    const chunk = Buffer.concat(Array.from({ length: 6 }, (_, run) => frameOf({ ...EMPTY_RECORD, run })))
    return { connection, runs, intake, chunk }
  }

  test('are taken in several turns of the event loop, while the connection waits', async () => {
    const { connection, runs, intake, chunk } = slow()
    intake.push(chunk)
    expect(runs.length).toBeLessThan(6)
    expect(connection.isPaused).toBe(true)
    await expect.poll(() => runs).toEqual([0, 1, 2, 3, 4, 5])
    expect(connection.isPaused).toBe(false)
  })

  test('are all taken when the worker ends in between, but for an unfinished one', () => {
    const { runs, intake, chunk } = slow()
    intake.push(Buffer.concat([chunk, chunk.subarray(0, 20)]))
    expect(runs.length).toBeLessThan(6)
    intake.end()
    expect(runs).toEqual([0, 1, 2, 3, 4, 5])
  })
})
