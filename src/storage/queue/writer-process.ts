/**
 * ENTRY of the writer process, the only process that writes the HDF5 file. It takes run frames from the workers over a
 * local socket and orders from main over IPC, and reports runs once they are committed.
 */
import { assertNever, toErrorRecord } from '../../errors.ts'
import { quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { proveHook } from '../../hdf5/hook.ts'
import type { Closed, Ending, Extension, FromWriter, ToWriter } from '../../protocol.ts'
import type { LogLevel } from '../../run/log-level.ts'
import type { RawRunRecord } from '../../run/run-frame.ts'
import type { RunRows } from '../../run/run-rows.ts'
import type { RawValue } from '../../values/raw-value.ts'
import { CommitSchedule } from '../commit-schedule.ts'
import type { TrajectoryStoreOptions } from '../open-trajectory.ts'
import { type Commit, isRefusal, TrajectoryStore } from '../trajectory-store.ts'
import { removeSocketFolder } from './local-address.ts'
import { frameListener } from './local-server.ts'

let store: TrajectoryStore | undefined
/** The HDF5 file is closed or being closed. */
let isEnding = false
let schedule: CommitSchedule | undefined

function tell(message: FromWriter, sent?: () => void): void {
  process.send?.(message, undefined, undefined, () => sent?.())
}

/** After an error in the file, nothing can be trusted: report it and stop. Earlier commits are safe. */
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

/** Created by main, which removes it if this process cannot. */
const socketFolder = process.argv[2] as string
const address = process.argv[3] as string
process.on('exit', () => removeSocketFolder(socketFolder))
// A terminal sends Ctrl-C to all processes. The writer ends when main says so, or when main is gone.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('uncaughtException', breakDown)

const server = frameListener(
  guarded((record: RawRunRecord) => {
    // Then all runs have been told, or nobody waits for them.
    if (isEnding) return
    store?.storeRun(record)
    noteWritten()
  }),
  {
    onRows: guarded((rows: RunRows) => {
      if (isEnding) return
      store?.storeRows(rows)
      noteWritten()
    }),
  },
)

function noteWritten(): void {
  if (store?.hasUncommitted === true) schedule?.noteWritten()
}

const commit = guarded(() => {
  if (store === undefined || isEnding) return
  announce(store.commit())
  const room = store.room()
  if (room !== undefined) holdBack(room)
})

/** Takes no runs until there is room for their pages. */
function holdBack(room: Promise<void>): void {
  server.pause()
  void room.then(() => server.resume())
}

/**
 * How long to wait before writing config and overviews. Nothing needs them soon, so they are written when runs leave
 * time. Writing them at once would delay the first result. Writing them only when idle might take days in a busy
 * experiment.
 */
const SETTLE_AFTER_MS = 200
const SETTLE_IDLE_MS = 20
const SETTLE_LATEST_MS = 5000

function settleWhenIdle(openedMs: number): void {
  if (store === undefined || schedule === undefined || isEnding || store.isSettled) return
  const isDue = performance.now() - openedMs > SETTLE_LATEST_MS
  if (!isDue && schedule.idleMs() < SETTLE_IDLE_MS) {
    setTimeout(settleWhenIdle, SETTLE_IDLE_MS, openedMs)
    return
  }
  guarded(() => {
    store?.settle()
    schedule?.commitNow()
  })()
}

function announce(commit: Commit): void {
  if (commit.stored.length + commit.failed.length > 0) tell({ type: 'committed', ...commit })
}

/** Answers with `opened`, or with `refused`. */
async function open(opening: Promise<TrajectoryStore>, commitIntervalMs: number): Promise<void> {
  try {
    await Promise.all([proven, listening])
    store = await opening
    schedule = new CommitSchedule(commitIntervalMs, commit)
    tell({ type: 'opened', opened: store.opened })
    setTimeout(settleWhenIdle, SETTLE_AFTER_MS, performance.now())
  } catch (error) {
    tell({ type: 'refused', error: toErrorRecord(error) }, () => process.exit(0))
  }
}

function storeOptions(breakLock: boolean): TrajectoryStoreOptions {
  const onNotice = (level: LogLevel, message: string) => tell({ type: 'notice', level, message })
  return { breakLock, onNotice, onError: breakDown }
}

let takeValues: (values: readonly RawValue[]) => void = () => undefined

/** Requests a few values at a time from main, which has them in memory. */
function valuesOfMain(name: string, first: number): Promise<readonly RawValue[]> {
  return new Promise((resolve) => {
    takeValues = resolve
    tell({ type: 'values-wanted', name, first })
  })
}

/** Sockets of dead workers end once they are read. A worker that outlives main is not waited for. */
const DRAIN_MS = 10_000

/** Takes nothing more, commits the rest, closes the file and waits for its readers. */
async function end(ending: Ending): Promise<Closed> {
  schedule?.stop()
  isEnding = true
  void server.close()
  if (store === undefined) return { cntFile: undefined }
  announce(store.close(ending))
  const cntFile = await store.finish()
  return { cntFile, ...(store.isBehind && { isBehind: true }) }
}

/** Answers with `extended`. */
function extend(extension: Extension): void {
  if (store === undefined || isEnding) return
  try {
    const commit = store.extend(extension)
    schedule?.noteCommitted()
    if (extension.added !== undefined) schedule?.goOn()
    announce(commit)
    tell({ type: 'extended' })
  } catch (error) {
    if (!isRefusal(error)) throw error
    tell({ type: 'extended', error: toErrorRecord(error) })
  }
}

const take = guarded((message: ToWriter) => {
  switch (message.type) {
    case 'open': {
      const { request, breakLock } = message
      const options = { ...storeOptions(breakLock), values: valuesOfMain }
      void open(TrajectoryStore.open(request, options), request.storage.commitIntervalMs)
      break
    }
    case 'continue': {
      const { request } = message
      const continuing = TrajectoryStore.continue(request, storeOptions(request.breakLock))
      void open(continuing, request.storage.commitIntervalMs)
      break
    }
    case 'values':
      takeValues(message.values)
      break
    case 'fail-run':
      store?.failRun(message.failure)
      noteWritten()
      break
    case 'finish':
      schedule?.finish()
      break
    case 'extend':
      extend(message.extension)
      break
    case 'close':
      if (isEnding) break
      end(message.ending).then((closed) => tell({ type: 'closed', closed }, () => process.exit(0)), breakDown)
      break
    default:
      assertNever(message)
  }
})

process.on('message', take)
// Main and its threads are gone, but the sockets still hold what they sent. Store every run that arrives completely,
// then exit. The trajectory stays open for `continue`.
process.on('disconnect', () => {
  let isLeaving = false
  const leave = () => {
    if (isLeaving || isEnding) return
    isLeaving = true
    end({ config: [], isComplete: false }).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  void server.drain().then(leave)
  setTimeout(leave, DRAIN_MS)
})
// Main may have gone while this module was loading. Then there is no event.
if (!process.connected) process.exit(0)
const listening = server.listen(address)
listening.catch(() => undefined)
// Compiles the HDF5 library while main loads the job, and proves that it writes through the transaction. Main shows
// this process's stderr only if it dies.
quickenH5wasm(TIERING.writer)
const proven = proveHook()
proven.catch(() => undefined)
