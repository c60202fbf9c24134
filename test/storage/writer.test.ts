/** The writer as a process of its own. It is started as it is installed, so `npm run build` comes first. */
import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { RecordSender } from '../../src/executors/record-sender.ts'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { findCntFiles } from '../../src/journal/find-cnt.ts'
import { recoverFile } from '../../src/journal/recover.ts'
import { encodeRunFrame } from '../../src/run/run-frame.ts'
import { Writer } from '../../src/storage/queue/writer.ts'
import { isLongForm } from '../crash/long-form.ts'
import { useFolder } from '../temporary-folder.ts'
import { Hdf5Content } from './hdf5-content.ts'
import { failure, openRequest, result, runRecord, unreadableResult } from './open-request.ts'
import { WriterNotes } from './writer-notes.ts'

const inFolder = useFolder()

/** Brings what was committed into a file that its writer has left. */
function recover(file: string): void {
  for (const cntFile of findCntFiles(file)) recoverFile(readCnt(cntFile))
}

describe('an experiment', () => {
  test('runs are announced once they are in the file, which is closed at the end', async () => {
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('runs.h5')), notes)
    const sender = new RecordSender(address)
    const data = Float64Array.from({ length: 200_000 }, (_, index) => index)
    await sender.send(runRecord(1, [result(1, 'z', data)]))
    await notes.until({ stored: [1] })
    writer.failRun(failure(0))
    await sender.send(runRecord(2, [result(2, 'z', 'ä')]))
    await notes.until({ stored: [1, 2], failed: [0] })
    sender.close()
    writer.finish()
    await writer.close({ config: [], isComplete: true })
    expect(notes.error).toBeUndefined()

    using content = await Hdf5Content.open(inFolder('runs.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([0, 1, 1])
    expect(content.dataset('/made/results/runs/run_00000001/z/z').value).toEqual(data)
    expect(content.column('/made/overview/failed_runs', 'idx')).toEqual([0])
  })

  test('a run that the writer can make nothing of fails, and the experiment goes on', async () => {
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('unreadable.h5')), notes)
    const sender = new RecordSender(address)
    await sender.send(runRecord(0, [unreadableResult(0)]))
    await sender.send(runRecord(1, [result(1, 'z', 1)]))
    await notes.until({ stored: [1], failed: [0] })
    sender.close()
    await writer.close({ config: [], isComplete: true })
    expect(notes.error).toBeUndefined()
    expect(notes.refused).toMatchObject([{ run: 0, error: { name: 'TypeError' } }])
  })

  test('many runs from several workers at once are all announced, each once', async () => {
    const runCount = 600
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('many.h5'), { x: Array(runCount).fill(1) }), notes)
    const senders = [1, 2, 3].map(() => new RecordSender(address))
    const all = Array.from({ length: runCount }, (_, run) => run)
    await Promise.all(
      senders.map(async (sender, worker) => {
        for (const run of all.filter((each) => each % 3 === worker)) {
          await sender.send(runRecord(run, [result(run, 'z', run)]))
        }
      }),
    )
    writer.finish()
    await notes.until({ stored: all })
    await writer.close({ config: [], isComplete: true })
    for (const sender of senders) sender.close()
    expect(notes.stored).toHaveLength(runCount)
    using content = await Hdf5Content.open(inFolder('many.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual(all.map(() => 1))
    const products = all.map(
      (run) => content.dataset(`/made/results/runs/run_${String(run).padStart(8, '0')}/z/z`).value,
    )
    expect(products).toEqual(all)
  })

  test('a worker that dies in the middle of a record leaves nothing of it', async () => {
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('half.h5')), notes)
    const frame = Buffer.concat(encodeRunFrame(runRecord(0, [result(0, 'z', new Float64Array(50_000))])))
    const dying = connect(address)
    await new Promise((resolve) => dying.write(frame.subarray(0, 100_000), resolve))
    await new Promise((resolve) => dying.destroy().once('close', resolve))
    const sender = new RecordSender(address)
    await sender.send(runRecord(1, [result(1, 'z', 1)]))
    writer.failRun(failure(0, 'the worker died'))
    await notes.until({ stored: [1], failed: [0] })
    sender.close()
    await writer.close({ config: [], isComplete: true })
    using content = await Hdf5Content.open(inFolder('half.h5'))
    expect(content.names('/made/results/runs')).toEqual(['run_00000001'])
  })

  test('two records that are too large to be in memory together are both stored', async () => {
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('budget.h5')), notes)
    // Beyond half of what may be in assembly, each.
    const length = 17_000_000
    const senders = [new RecordSender(address), new RecordSender(address)]
    await Promise.all(
      senders.map((sender, run) =>
        sender.send(runRecord(run, [result(run, 'z', new Float64Array(length).fill(run + 1))])),
      ),
    )
    await notes.until({ stored: [0, 1] })
    for (const sender of senders) sender.close()
    await writer.close({ config: [], isComplete: true })
    using content = await Hdf5Content.open(inFolder('budget.h5'))
    for (const run of [0, 1]) {
      const dataset = content.dataset(`/made/results/runs/run_0000000${run}/z/z`)
      expect(dataset.shape).toEqual([length])
      expect(dataset.slice([[length - 2, length]])).toEqual(Float64Array.of(run + 1, run + 1))
    }
  })
})

describe('refusals', () => {
  test('an existing trajectory is refused with the file byte for byte the same', async () => {
    const request = openRequest(inFolder('taken.h5'))
    await using first = Writer.start()
    await first.open(request, new WriterNotes())
    await first.close({ config: [], isComplete: true })
    const before = await readFile(inFolder('taken.h5'))
    await using second = Writer.start()
    await expect(second.open(request, new WriterNotes())).rejects.toMatchObject({
      code: 'PYPET_TRAJECTORY_EXISTS',
      where: inFolder('taken.h5'),
      hint: expect.stringContaining('--overwrite'),
    })
    expect(Buffer.compare(await readFile(inFolder('taken.h5')), before)).toBe(0)
  })

  test('a writer that is disposed before it was opened touches no file', async () => {
    const writer = Writer.start()
    await writer[Symbol.asyncDispose]()
    await expect(writer.open(openRequest(inFolder('never.h5')), new WriterNotes())).rejects.toMatchObject({
      code: 'PYPET_WRITER_DIED',
    })
    await expect(readFile(inFolder('never.h5'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('bytes that are no record break the experiment with the reason, and what was committed stays', async () => {
    await using writer = Writer.start()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('noise.h5')), notes)
    const sender = new RecordSender(address)
    await sender.send(runRecord(0, [result(0, 'z', 1)]))
    await notes.until({ stored: [0] })
    const noise = connect(address)
    // A header of two bytes that is no JSON.
    noise.write(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x21))
    await notes.untilBroken()
    expect(notes.error?.code).toBe('PYPET_STORAGE_FAILED')
    noise.destroy()
    sender.close()
    await writer[Symbol.asyncDispose]()
    recover(inFolder('noise.h5'))
    using content = await Hdf5Content.open(inFolder('noise.h5'))
    expect(content.dataset('/made/results/runs/run_00000000/z/z').value).toBe(1)
  })
})

describe('the end of a process', () => {
  test('a killed writer is told once, and every later wish is refused with it', async () => {
    const { writer, child } = startWriter()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('killed.h5')), notes)
    const sender = new RecordSender(address)
    await sender.send(runRecord(0, [result(0, 'z', 42)]))
    await notes.until({ stored: [0] })
    child.kill('SIGKILL')
    await notes.untilBroken()
    expect(notes.error).toMatchObject({
      code: 'PYPET_WRITER_DIED',
      message: expect.stringContaining('SIGKILL'),
    })
    await expect(writer.close({ config: [], isComplete: true })).rejects.toMatchObject({
      code: 'PYPET_WRITER_DIED',
    })
    await writer[Symbol.asyncDispose]()
    sender.close()
    recover(inFolder('killed.h5'))
    using content = await Hdf5Content.open(inFolder('killed.h5'))
    expect(content.dataset('/made/results/runs/run_00000000/z/z').value).toBe(42)
    expect(content.column('/made/overview/runs', 'completed')).toEqual([1, 0, 0])
  })

  test('a writer that is killed while it opens refuses the opening', async () => {
    const { writer, child } = startWriter()
    child.kill('SIGSTOP')
    const opening = writer.open(openRequest(inFolder('early.h5')), new WriterNotes())
    child.kill('SIGKILL')
    await expect(opening).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
  })

  test('when main is gone, the writer commits what has arrived, closes the file and exits', async () => {
    const { writer, child } = startWriter()
    const notes = new WriterNotes()
    const { address } = writer
    await writer.open(openRequest(inFolder('orphan.h5')), notes)
    const sender = new RecordSender(address)
    await sender.send(runRecord(0, [result(0, 'z', 42)]))
    await notes.until({ stored: [0] })
    // Arrives before the end of the channel, on the same channel.
    writer.failRun(failure(1))
    // A worker that outlives main is not waited for, but for ten seconds.
    if (!isLongForm) sender.close()
    await writer[Symbol.asyncDispose]()
    expect([child.exitCode, child.signalCode]).toEqual([0, null])
    sender.close()
    using content = await Hdf5Content.open(inFolder('orphan.h5'))
    expect(content.column('/made/overview/runs', 'completed')).toEqual([1, 0, 0])
    expect(content.column('/made/overview/failed_runs', 'idx')).toEqual([1])
    expect(content.column('/made/overview/config_overview', 'name')).toEqual(['complevel'])
  })

  test('Ctrl-C in a terminal reaches the writer too and does not end it', async () => {
    const { writer, child } = startWriter()
    const notes = new WriterNotes()
    await writer.open(openRequest(inFolder('interrupted.h5')), notes)
    child.kill('SIGINT')
    child.kill('SIGTERM')
    writer.failRun(failure(0))
    await notes.until({ failed: [0] })
    await writer.close({ config: [], isComplete: true })
    expect(notes.error).toBeUndefined()
  })
})

/** A writer with the process that it started. */
function startWriter(): { readonly writer: Writer; readonly child: ChildProcess } {
  const started: ChildProcess[] = []
  const note = (message: unknown) => void started.push((message as { process: ChildProcess }).process)
  subscribe('child_process', note)
  const writer = Writer.start()
  unsubscribe('child_process', note)
  return { writer, child: started[0] as ChildProcess }
}
