/**
 * ENTRY of the writer process, the only one that writes the HDF5 file. It takes run frames from the
 * workers over a local socket, orders from main over IPC, and announces runs once they are committed.
 */
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { assertNever, toErrorRecord } from '../errors.ts'
import type { FromWriter, OpenRequest, ToWriter } from '../protocol.ts'
import { commitDelayMs } from './commit-policy.ts'
import { AssemblyBudget, FrameIntake } from './frame-intake.ts'
import { loadH5wasm } from './h5wasm.ts'
import { type Commit, TrajectoryStore } from './trajectory-store.ts'

let store: TrajectoryStore | undefined
let commitIntervalMs = 0
let firstUncommittedMs = 0
let lastCommitEndMs = 0
let lastCommitDurationMs = 0
/** Counts records, so that a turn of the event loop can tell whether it brought any. */
let recordCount = 0
let commitTimer: NodeJS.Timeout | undefined
/** Nothing more begins, so there is nothing to wait for. */
let isFinishing = false

function tell(message: FromWriter, sent?: () => void): void {
  process.send?.(message, undefined, undefined, () => sent?.())
}

/** Nothing can be trusted after an error in the file: say so and stop. What was committed is safe. */
function breakDown(error: unknown): void {
  store = undefined
  tell({ type: 'broken', error: toErrorRecord(error) }, () => process.exit(1))
}

function guarded<Arguments extends unknown[]>(action: (...args: Arguments) => void) {
  return (...args: Arguments): void => {
    try {
      action(...args)
    } catch (error) {
      breakDown(error)
    }
  }
}

/** Made by main, which removes it when this process has no chance to. */
const socketFolder = process.argv[2] as string
const address =
  process.platform === 'win32' ? `\\\\.\\pipe\\pypet-ts-${process.pid}` : join(socketFolder, 'runs.sock')
process.on('exit', () => rmSync(socketFolder, { recursive: true, force: true }))
// A terminal sends Ctrl-C to all processes; the writer ends when main says so, or when main is gone.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('uncaughtException', breakDown)

const budget = new AssemblyBudget()
const connections = new Set<Socket>()
const server: Server = createServer((socket) => {
  connections.add(socket)
  const intake = new FrameIntake(
    socket,
    budget,
    guarded((record) => {
      store?.storeRun(record)
      noteUncommitted()
    }),
  )
  socket.on('data', (chunk: Buffer) => intake.push(chunk))
  // A worker that dies resets its connection; its unfinished record is dropped and main fails the run.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    connections.delete(socket)
    intake.end()
  })
})

function noteUncommitted(): void {
  if (store?.hasUncommitted !== true) return
  recordCount += 1
  if (commitTimer !== undefined || isLookScheduled) return
  if (firstUncommittedMs === 0) firstUncommittedMs = performance.now()
  isLookScheduled = true
  setImmediate(lookForCommit, recordCount)
}

let isLookScheduled = false

/** Runs once a turn of the event loop while something is uncommitted: commits now, later, or waits. */
function lookForCommit(countBefore: number): void {
  isLookScheduled = false
  if (store?.hasUncommitted !== true) return
  const delayMs = commitDelayMs({
    nowMs: performance.now(),
    firstUncommittedMs,
    lastCommitEndMs,
    lastCommitDurationMs,
    isIdle: recordCount === countBefore,
    isFinishing,
    commitIntervalMs,
  })
  if (delayMs === 0) commit()
  else if (recordCount !== countBefore) {
    isLookScheduled = true
    setImmediate(lookForCommit, recordCount)
  } else {
    commitTimer = setTimeout(() => {
      commitTimer = undefined
      lookForCommit(recordCount)
    }, delayMs)
  }
}

const commit = guarded(() => {
  if (store === undefined) return
  const startMs = performance.now()
  const committed = store.commit()
  lastCommitEndMs = performance.now()
  lastCommitDurationMs = lastCommitEndMs - startMs
  firstUncommittedMs = 0
  announce(committed)
})

/** The first result does not wait for config and overviews; they do not wait for a first run of an hour. */
const SETTLE_AFTER_MS = 200

const settle = guarded(() => {
  if (store === undefined) return
  store.settle()
  // With them as with runs: durable now, not at the next commit.
  announce(store.commit())
})

function announce({ stored, failed }: Commit): void {
  if (stored.length + failed.length > 0) tell({ type: 'committed', stored, failed })
}

async function open(request: OpenRequest): Promise<void> {
  try {
    store = await TrajectoryStore.open(request)
    commitIntervalMs = request.storage.commitIntervalMs
    tell({ type: 'opened' })
    setTimeout(settle, SETTLE_AFTER_MS)
  } catch (error) {
    tell({ type: 'refused', error: toErrorRecord(error) }, () => process.exit(0))
  }
}

/** Sockets of dead workers end as soon as they are read; a worker that outlives main is not waited for. */
const DRAIN_MS = 10_000

function end(closing: () => void): void {
  clearTimeout(commitTimer)
  server.close()
  for (const connection of connections) connection.destroy()
  closing()
}

const take = guarded((message: ToWriter) => {
  switch (message.type) {
    case 'open':
      void open(message.request)
      break
    case 'fail-run':
      store?.failRun(message.failure)
      noteUncommitted()
      break
    case 'finish':
      isFinishing = true
      clearTimeout(commitTimer)
      commitTimer = undefined
      lookForCommit(recordCount)
      break
    case 'close':
      end(() => {
        if (store !== undefined) announce(store.close(message.config))
        store = undefined
        tell({ type: 'closed' }, () => process.exit(0))
      })
      break
    default:
      assertNever(message)
  }
})

process.on('message', take)
// Main is gone, and its threads with it: what they had handed over is still in the sockets. Keep every run
// that arrives whole, then go.
process.on('disconnect', () => {
  const leave = () => {
    guarded(() => end(() => store?.close([])))()
    process.exit(0)
  }
  server.close(leave)
  setTimeout(leave, DRAIN_MS)
})
// It may have gone while this module was being loaded, and then nothing tells so any more.
if (!process.connected) process.exit(0)
server.listen(address, () => tell({ type: 'listening', address }))
// Compiled while main still loads the job.
void loadH5wasm().catch(breakDown)
