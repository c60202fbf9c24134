/** Large frames go through files in memory, where the system has them. Real sockets and files. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordSender } from '../../src/executors/record-sender.ts'
import { encodeRunFrame, type RawRunRecord } from '../../src/run/run-frame.ts'
import type { RunRecord } from '../../src/run/run-record.ts'
import { SLOT_BYTES, SLOTTED_BYTES_MIN } from '../../src/run/slot-frames.ts'
import { LocalAddress } from '../../src/storage/queue/local-address.ts'
import { frameListener } from '../../src/storage/queue/local-server.ts'
import { ReceiverSlots } from '../../src/storage/queue/receiver-slots.ts'
import { fileTree } from '../experiment/file-tree.ts'

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
    frames.push(Buffer.from(frame))
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

const frameOf = (record: RunRecord) => Buffer.concat(encodeRunFrame(record))

/** After the second large frame, the next one goes through slots. */
async function openSlots({ sender, frames }: Awaited<ReturnType<typeof receiver>>): Promise<void> {
  for (const run of [0, 1]) await sender.send(recordOf(run, [SLOT_BYTES]))
  await expect.poll(() => frames.length).toBe(2)
}

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
        for (const [run, record] of records.entries()) expect(frames[run]?.equals(frameOf(record))).toBe(true)
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
      expect(frames[index]?.equals(frameOf(records[run] as RunRecord))).toBe(true)
  })

  test('go through the socket if the receiver cannot open the slots', async () => {
    expect(
      ReceiverSlots.open({ pid: process.pid, slots: [{ descriptor: 99_999, identity: '1:1' }] }),
    ).toBeUndefined()
    const place = new LocalAddress('runs')
    const received: Buffer[] = []
    const server = createServer((socket) => socket.on('data', (bytes) => received.push(bytes)))
    await new Promise<void>((resolve) => server.listen(place.path, resolve))
    const sender = new RecordSender(place.path)
    const records = [5, 6, 7].map((run) => recordOf(run, [SLOT_BYTES]))
    for (const record of records) await sender.send(record)
    // The offer comes before the second one.
    const last = Buffer.concat(records.slice(1).flatMap((record) => encodeRunFrame(record)))
    const end = () => Buffer.concat(received).subarray(-last.byteLength)
    await expect.poll(() => end().equals(last)).toBe(true)
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
      expect(frames[index + 1]?.equals(frameOf(record))).toBe(true)
  })

  test('fail by name when the receiver goes away in between', async () => {
    await using receiving = await receiver()
    const { sender, server } = receiving
    await openSlots(receiving)
    server.pause()
    const sending = sender.send(recordOf(5, [6 * SLOT_BYTES]))
    setTimeout(() => void server.close(), 20)
    await expect(sending).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
    await expect(sender.send(recordOf(6, [1]))).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
  })

  test.skipIf(process.platform !== 'linux')(
    'are not taken from another file that has got the number of a slot',
    () => {
      const file = join(fileTree({ 'data.txt': 'of a user' }), 'data.txt')
      const descriptor = openSync(file, 'r+')
      const offer = { pid: process.pid, slots: [{ descriptor, identity: '1:1' }] }
      expect(ReceiverSlots.open(offer)).toBeUndefined()
      closeSync(descriptor)
      expect(readFileSync(file, 'utf8')).toBe('of a user')
    },
  )
})

test('while the receiver is paused, nothing is taken, and nothing of a new worker either; after that, everything is', async () => {
  const place = new LocalAddress('runs')
  const runs: number[] = []
  const server = frameListener(({ run }) => {
    runs.push(run)
    const startMs = performance.now()
    while (performance.now() - startMs < 15);
    if (runs.length === 1) server.pause()
  })
  await server.listen(place.path)
  const senders = [new RecordSender(place.path), new RecordSender(place.path)]
  await senders[0]?.sendFrame([Buffer.concat([0, 1, 2, 3, 4, 5].map((run) => frameOf(recordOf(run, [1]))))])
  await expect.poll(() => runs.length).toBeGreaterThan(0)
  await senders[1]?.send(recordOf(6, [1]))
  const inFirstTurn = runs.length
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(runs.length).toBe(inFirstTurn)
  for (const sender of senders) sender.close()
  const drained = server.drain()
  server.resume()
  await drained
  expect([...runs].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  place.remove()
})
