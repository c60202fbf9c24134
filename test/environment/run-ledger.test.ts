import { expect, test } from 'vitest'
import { RunLedger } from '../../src/environment/run-ledger.ts'
import { PypetError } from '../../src/errors.ts'
import type { ExperimentEvent } from '../../src/events.ts'
import type { RunFailure, RunOutcome } from '../../src/protocol.ts'

/** A ledger of which everything that it tells others is kept. */
function openLedger() {
  const failures: RunFailure[] = []
  const events: ExperimentEvent[] = []
  const ledger = new RunLedger({ failRun: (failure) => void failures.push(failure) })
  ledger.reportTo({ emit: (event) => void events.push(event), close: async () => undefined })
  return { ledger, failures, events }
}

const error = { name: 'TauError', message: 'tau is negative', stack: '' }

function handedOver(run: number, startTimestamp = 100 + run): RunOutcome {
  return { state: 'handed-over', run, startTimestamp }
}

function failed(run: number): RunOutcome {
  return { state: 'failed', failure: { run, error, startTimestamp: 100 + run, finishTimestamp: 200 } }
}

/** Whether a promise has settled, once every callback that is due has run. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  const turn = new Promise((resolve) => setImmediate(resolve, open))
  return (await Promise.race([promise.catch(() => undefined), turn])) !== open
}

test('a run counts as stored when the writer announces it, not when it is handed over', async () => {
  const { ledger, events } = openLedger()
  ledger.begin()
  ledger.note(handedOver(0))
  expect(ledger.storedCount).toBe(0)
  const complete = ledger.complete()
  expect(await hasSettled(complete)).toBe(false)
  ledger.onCommitted([0], [])
  await complete
  expect(ledger.storedCount).toBe(1)
  expect(events).toEqual([{ type: 'runs-stored', runs: [0] }])
})

test('a failure goes to the writer, and is told with its error once it is in the file', async () => {
  const { ledger, failures, events } = openLedger()
  ledger.begin()
  ledger.note(failed(0))
  expect(failures.map(({ run }) => run)).toEqual([0])
  expect(events).toEqual([])
  ledger.onCommitted([], [0])
  await ledger.complete()
  expect(ledger.failedCount).toBe(1)
  expect(events).toEqual([{ type: 'run-failed', run: 0, error }])
})

test('a run whose thread died after it had handed it over is stored, not failed', async () => {
  const { ledger, events } = openLedger()
  ledger.begin()
  ledger.note(failed(0))
  ledger.onCommitted([0], [])
  await ledger.complete()
  expect([ledger.storedCount, ledger.failedCount]).toEqual([1, 0])
  expect(events).toEqual([{ type: 'runs-stored', runs: [0] }])
})

test('an announcement may come before the outcome', async () => {
  const { ledger } = openLedger()
  ledger.begin()
  ledger.onCommitted([0], [])
  ledger.note(handedOver(0))
  await ledger.complete()
  expect(ledger.storedCount).toBe(1)
})

test('without runs it is complete', async () => {
  const { ledger } = openLedger()
  await ledger.complete()
  expect(ledger.startTimestamp).toBe(Number.POSITIVE_INFINITY)
})

test('the start is that of the earliest run, stored or failed', () => {
  const { ledger } = openLedger()
  for (const outcome of [handedOver(3), failed(1), handedOver(2)]) ledger.note(outcome)
  expect(ledger.startTimestamp).toBe(101)
})

test('a broken writer ends the wait with its error', async () => {
  const { ledger } = openLedger()
  ledger.begin()
  const complete = ledger.complete()
  const death = new PypetError('PYPET_WRITER_DIED', 'the writer process ended unexpectedly (SIGKILL)')
  ledger.onBroken(death)
  expect(ledger.isBroken).toBe(true)
  await expect(complete).rejects.toBe(death)
  await expect(ledger.broken).rejects.toBe(death)
})
