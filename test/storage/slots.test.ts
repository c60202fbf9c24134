/** Large frames go through files in memory, where the system has them. Real sockets and files. */
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordSender } from '../../src/executors/record-sender.ts'
import { encodeRunFrame, FRAME_PREFIX_BYTES, type RawRunRecord } from '../../src/run/run-frame.ts'
import type { RunRecord } from '../../src/run/run-record.ts'
import { SLOT_BYTES, SLOTTED_BYTES_MIN } from '../../src/run/slot-frames.ts'
import { LocalAddress } from '../../src/storage/queue/local-address.ts'
import { frameListener } from '../../src/storage/queue/local-server.ts'
import { ReceiverSlots } from '../../src/storage/queue/receiver-slots.ts'

function recordOf(run: number, byteCounts: readonly number[]): RunRecord {
  const leaves = byteCounts.map((count, number) => ({
    location: `results.runs.run_00000000.a${number}`,
    kind: 'result' as const,
    comment: '',
    items: [
      {
        name: 'a',
        value: {
          form: 'ndarray' as const,
          dtype: 'uint8' as const,
          shape: [count],
          data: Uint8Array.from({ length: count }, (_, index) => (index * 31 + number + run) % 251),
        },
      },
    ],
  }))
  return { run, startTimestamp: 1, finishTimestamp: 2, leaves }
}

/** A listener as the writer has one, and what it has received. */
async function receiver() {
  const place = new LocalAddress('runs')
  const frames: Buffer[] = []
  const runs: number[] = []
  const server = frameListener(({ run }: RawRunRecord, frame) => {
    runs.push(run)
    frames.push(Buffer.from(frame.subarray(FRAME_PREFIX_BYTES)))
  })
  await server.listen(place.path)
  const sender = new RecordSender(place.path)
  return {
    sender,
    server,
    frames,
    runs,
    async [Symbol.asyncDispose]() {
      sender.close()
      await server.close()
      place.remove()
    },
  }
}

const bodyOf = (record: RunRecord) => Buffer.concat(encodeRunFrame(record)).subarray(FRAME_PREFIX_BYTES)

function slotsOf(): string[] {
  return process.platform === 'linux'
    ? readdirSync('/dev/shm').filter((name) => name.startsWith('pypet-ts-slot'))
    : []
}

describe('large frames', () => {
  test('arrive as they were sent, among small ones, whatever their size', async () => {
    const size = fc.oneof(
      fc.nat({ max: 1000 }),
      fc.constantFrom(
        65_535,
        65_536,
        SLOTTED_BYTES_MIN - 500,
        SLOTTED_BYTES_MIN,
        SLOT_BYTES,
        2 * SLOT_BYTES + 1,
      ),
      fc.nat({ max: 3 * SLOT_BYTES }),
    )
    const sent = fc.array(fc.array(size, { maxLength: 3 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(sent, async (sizes) => {
        await using receiving = await receiver()
        const { sender, frames } = receiving
        const records = sizes.map((each, run) => recordOf(run, each))
        for (const record of records) await sender.send(record)
        await expect.poll(() => frames.length, { timeout: 20_000 }).toBe(records.length)
        for (const [run, record] of records.entries()) expect(frames[run]?.equals(bodyOf(record))).toBe(true)
      }),
      { numRuns: 15 },
    )
    expect(slotsOf()).toEqual([])
  })

  test('of one worker that sends several at once come one after the other', async () => {
    await using receiving = await receiver()
    const { sender, frames, runs } = receiving
    const records = [0, 1, 2, 3].map((run) => recordOf(run, [run === 2 ? 10 : SLOT_BYTES + run]))
    await Promise.all(records.map((record) => sender.send(record)))
    await expect.poll(() => frames.length).toBe(4)
    for (const [index, run] of runs.entries())
      expect(frames[index]?.equals(bodyOf(records[run] as RunRecord))).toBe(true)
  })

  test('go through the socket if the receiver cannot open the slots', async () => {
    expect(ReceiverSlots.open({ pid: process.pid, descriptors: [99_999] })).toBeUndefined()
    const place = new LocalAddress('runs')
    const received: Buffer[] = []
    const server = createServer((socket) => socket.on('data', (bytes) => received.push(bytes)))
    await new Promise<void>((resolve) => server.listen(place.path, resolve))
    const sender = new RecordSender(place.path)
    const records = [5, 6].map((run) => recordOf(run, [SLOT_BYTES]))
    for (const record of records) await sender.send(record)
    const whole = Buffer.concat(records.flatMap((record) => encodeRunFrame(record)))
    await expect.poll(() => Buffer.concat(received).byteLength).toBeGreaterThanOrEqual(whole.byteLength)
    const all = Buffer.concat(received)
    expect(all.subarray(all.byteLength - whole.byteLength).equals(whole)).toBe(true)
    sender.close()
    await new Promise((resolve) => server.close(resolve))
    place.remove()
  })

  test('that a worker has sent arrive, although it has ended before they were read', async () => {
    await using receiving = await receiver()
    const { sender, server, frames } = receiving
    const records = [1, 2, 3, 4].map((run) => recordOf(run, [run === 4 ? 100 : SLOT_BYTES / 2]))
    // By then, the slots are open.
    await sender.send(recordOf(0, [SLOT_BYTES]))
    await expect.poll(() => frames.length).toBe(1)
    await sender.send(records[0] as RunRecord)
    await expect.poll(() => frames.length).toBe(2)
    server.pause()
    for (const record of records.slice(1)) await sender.send(record)
    sender.close()
    server.resume()
    await expect.poll(() => frames.length).toBe(5)
    for (const [index, record] of records.entries())
      expect(frames[index + 1]?.equals(bodyOf(record))).toBe(true)
  })

  test('fail by name when the receiver goes away in between', async () => {
    await using receiving = await receiver()
    const { sender, server, frames } = receiving
    await sender.send(recordOf(0, [SLOT_BYTES]))
    await expect.poll(() => frames.length).toBe(1)
    server.pause()
    const sending = sender.send(recordOf(5, [6 * SLOT_BYTES]))
    setTimeout(() => void server.close(), 20)
    await expect(sending).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
    await expect(sender.send(recordOf(6, [1]))).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
  })
})
