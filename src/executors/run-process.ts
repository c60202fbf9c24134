/**
 * ENTRY of the process of one run: loads the job, waits for its run, performs it, and exits. Loads only what a job
 * needs. A log line is a message to main.
 */
import type { ErrorRecord } from '../errors.ts'
import type { FromRunProcess, ToRunProcess } from '../protocol.ts'
import type { StoredBeforeAnswer } from '../run/stored-items.ts'
import { RunWorker } from './run-worker.ts'

let worker: RunWorker | undefined
/** Messages that the channel has not sent yet. */
let pendingCount = 0
let isLeaving = false

function tell(message: FromRunProcess): void {
  if (!process.connected) return
  pendingCount += 1
  process.send?.(message, undefined, undefined, () => {
    pendingCount -= 1
    leaveWhenTold()
  })
}

const reading = new Map<number, (answer: StoredBeforeAnswer) => void>()
let readCount = 0

function readBefore(name: string): Promise<StoredBeforeAnswer> {
  readCount += 1
  const number = readCount
  return new Promise((resolve) => {
    reading.set(number, resolve)
    tell({ type: 'read-before', name, number })
  })
}

function leaveWhenTold(): void {
  if (isLeaving && pendingCount === 0) process.exit(0)
}

/** Waits for errors that the job's leftovers raise at once. After that, they are gone with the process. */
function leave(): void {
  setImmediate(() => {
    isLeaving = true
    leaveWhenTold()
  })
}

function take(message: ToRunProcess): void {
  switch (message.type) {
    case 'load':
      worker = new RunWorker(message.setup, 0, tell, readBefore)
      worker.load().then(
        () => tell({ type: 'ready' }),
        (error: ErrorRecord) => {
          tell({ type: 'unable', error })
          leave()
        },
      )
      break
    case 'perform':
      void worker
        ?.perform(message.task, { tellsBegin: true })
        .then(
          (outcome) => tell({ type: 'ended', outcome }),
          (error: ErrorRecord) => tell({ type: 'unable', error }),
        )
        .then(() => worker?.close())
        .then(leave)
      break
    case 'read':
      reading.get(message.number)?.(message.answer)
      reading.delete(message.number)
      break
    // Other messages are not for pypet-ts: the job may be listening too.
  }
}

process.on('message', take)
// Signals to the whole program reach every process of it. This one ends with its run, or when main says so.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
// Main is gone, and nobody waits for the run.
process.on('disconnect', () => process.exit(1))
if (!process.connected) process.exit(1)
