import { expect, test } from 'vitest'
import { RunLedger } from '../../src/environment/run-ledger.ts'
import { PypetError } from '../../src/errors.ts'
import type { ExperimentEvent } from '../../src/events.ts'
import type { RunFailure } from '../../src/protocol.ts'

/** A ledger of which everything that it tells others is kept. */
function openLedger() {
  const failures: RunFailure[] = []
  const events: ExperimentEvent[] = []
  const ledger = new RunLedger()
  ledger.attach({ failRun: (failure) => void failures.push(failure) })
  ledger.reportTo({ emit: (event) => void events.push(event), close: async () => undefined })
  return { ledger, failures, events }
}

const error = { name: 'TauError', message: 'tau is negative', stack: '' }

function failed(run: number): RunFailure {
  return { run, error, attempts: 1, startTimestamp: 100 + run, finishTimestamp: 200 }
}

/** Whether a promise has settled, once every callback that is due has run. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  const turn = new Promise((resolve) => setImmediate(resolve, open))
  return (await Promise.race([promise.catch(() => undefined), turn])) !== open
}

test('a run counts as stored when the writer announces it, not when it is handed over', async () => {
  const { ledger, events } = openLedger()
  ledger.begin(0, 1)
  expect(ledger.storedCount).toBe(0)
  const complete = ledger.complete()
  expect(await hasSettled(complete)).toBe(false)
  ledger.onCommitted([0], [], [])
  await complete
  expect(ledger.storedCount).toBe(1)
  expect(events).toEqual([{ type: 'runs-stored', runs: [0] }])
})

test('a failure goes to the writer, and is told with its error once it is in the file', async () => {
  const { ledger, failures, events } = openLedger()
  ledger.begin(0, 1)
  ledger.fail(failed(0))
  expect(failures.map(({ run }) => run)).toEqual([0])
  expect(events).toEqual([])
  ledger.onCommitted([], [0], [])
  await ledger.complete()
  expect(ledger.failedCount).toBe(1)
  expect(events).toEqual([{ type: 'run-failed', run: 0, error }])
})

test('a run whose thread died after it had handed it over is stored, not failed', async () => {
  const { ledger, events } = openLedger()
  ledger.begin(0, 1)
  ledger.fail(failed(0))
  ledger.onCommitted([0], [], [])
  await ledger.complete()
  expect([ledger.storedCount, ledger.failedCount]).toEqual([1, 0])
  expect(events).toEqual([{ type: 'runs-stored', runs: [0] }])
})

test('a run that is performed again while its first record is being stored is not waited for', async () => {
  const { ledger } = openLedger()
  ledger.begin(0, 1)
  ledger.takeBack(0, 1)
  ledger.onCommitted([0], [], [])
  ledger.begin(0, 1)
  await ledger.complete()
  expect(ledger.storedCount).toBe(1)
})

test('without runs it is complete', async () => {
  const { ledger } = openLedger()
  await ledger.complete()
  expect(ledger.startTimestamp).toBe(Number.POSITIVE_INFINITY)
})

test('the start is that of the earliest run', () => {
  const { ledger } = openLedger()
  for (const startTimestamp of [103, 101, 102]) ledger.noteStart(startTimestamp)
  expect(ledger.startTimestamp).toBe(101)
})

test('a broken writer ends the wait with its error', async () => {
  const { ledger } = openLedger()
  ledger.begin(0, 1)
  const complete = ledger.complete()
  const death = new PypetError('PYPET_WRITER_DIED', 'the writer process ended unexpectedly (SIGKILL)')
  ledger.onBroken(death)
  expect(ledger.isBroken).toBe(true)
  await expect(complete).rejects.toBe(death)
  await expect(ledger.broken).rejects.toBe(death)
})

test('a run that the writer had to fail is told with the reason', () => {
  const { ledger, events } = openLedger()
  ledger.begin(3, 1)
  ledger.onCommitted([], [3], [{ run: 3, error }])
  expect(events).toEqual([{ type: 'run-failed', run: 3, error }])
})

test('what earlier executions have left counts and is not told; what a dying writer could not say is', () => {
  const ledger = new RunLedger()
  const events: ExperimentEvent[] = []
  const opened = {
    cntFile: 'x.cnt',
    stored: [0, 5],
    failed: [7, 8],
    startTimestamp: 50,
    postprocessedCount: -1,
  }
  ledger.take(opened)
  ledger.reportTo({ emit: (event) => void events.push(event), close: async () => undefined })
  expect([ledger.storedCount, ledger.failedCount, ledger.startTimestamp]).toEqual([5, 1, 50])
  ledger.take({ ...opened, stored: [0, 6] })
  expect(ledger.storedCount).toBe(6)
  expect(events).toEqual([{ type: 'runs-stored', runs: [5] }])
})
