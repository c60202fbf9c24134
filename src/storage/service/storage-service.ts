/** The contract of a user's own storage: one half in the main process, one in each worker. */
import { PypetError, toErrorRecord } from '../../errors.ts'
import type { Ending, Extension, OpenRequest, RunFailure } from '../../protocol.ts'
import { decodeFramePrefix, decodeRunFrame, FRAME_PREFIX_BYTES } from '../../run/run-frame.ts'
import { receivedValue } from '../../values/exact-integer.ts'
import type { RunIndex } from '../../values/path.ts'
import { userValue } from '../../values/user-value.ts'

/** The main half. Every method may return a promise; what one throws from `open` or `close` ends the experiment. */
export interface StorageService {
  /** The module of the worker half, where it is not the one that exports this service: a path or `file:` URL. */
  readonly workerModule?: string | URL
  /** Begins, or goes on with what it holds of this trajectory. */
  open(opening: ServiceOpening): ServiceOpened | Promise<ServiceOpened>
  /** A run has failed for good. The worker half is not told. */
  failRun(failure: RunFailure): void | Promise<void>
  /** No more runs come. */
  close(ending: Ending): void | Promise<void>
  /**
   * Post-processing, or a script, has added points and nodes. Without it, an experiment that grows is refused. After a
   * crash the same may be added again.
   */
  extend?(extension: Extension): void | Promise<void>
  /** With the wrap mode `queue`: takes the runs in the main process, one after the other. */
  storeRun?(record: ServiceRecord): void | Promise<void>
}

/** The worker half: what the function `openWorker(workerData)` of its module gives. */
export interface StorageWorker {
  /** Resolves when the run is durable, in the service's own sense. What it throws fails this run. */
  storeRun(record: ServiceRecord): void | Promise<void>
  /**
   * After the last run of this worker: inline, and in the process of a run. Threads of a pool are ended without it, so
   * `storeRun` must leave nothing to do.
   */
  close?(): void | Promise<void>
}

export interface ServiceOpening {
  /** The trajectory: its name, parameters, exploration, config. */
  readonly request: OpenRequest
  /** The experiment goes on after an interruption: say which runs there are. */
  readonly isContinued: boolean
  /** Failed runs are performed again, so they must not be named. */
  readonly retryFailed: boolean
}

export interface ServiceOpened {
  /** Runs that need not be performed. */
  readonly stored?: readonly RunIndex[]
  readonly failed?: readonly RunIndex[]
  /** What `openWorker` is called with. It must be cloneable. */
  readonly workerData?: unknown
}

/** What a run has made. */
export interface ServiceRecord {
  readonly run: RunIndex
  /** Seconds since 1970. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
  /** Results and derived parameters by their full names: `results.runs.run_00000003.z`. */
  readonly leaves: readonly {
    readonly location: string
    readonly kind: 'result' | 'parameter'
    readonly comment: string
    readonly values: Readonly<Record<string, unknown>>
  }[]
  /** All of it as the bytes that pypet-ts itself stores, with every type and annotation. */
  readonly frame: Uint8Array
}

export function serviceRecord(pieces: readonly Uint8Array[]): ServiceRecord {
  const frame = new Uint8Array(Buffer.concat(pieces))
  const { headerBytes } = decodeFramePrefix(frame)
  const { run, startTimestamp, finishTimestamp, leaves } = decodeRunFrame(
    frame.subarray(FRAME_PREFIX_BYTES),
    headerBytes,
  )
  return {
    run,
    startTimestamp,
    finishTimestamp,
    leaves: leaves.map(({ location, kind, comment, items }) => ({
      location,
      kind,
      comment,
      values: Object.fromEntries(items.map(({ name, value }) => [name, userValue(receivedValue(value))])),
    })),
    frame,
  }
}

/**
 * @param where the module, or whatever it was given by
 * @throws PypetError `PYPET_CONFIG_INVALID`, naming the method that is missing
 */
export function checkService(found: unknown, where: string, wrapMode: string): StorageService {
  const service = found as Readonly<Record<string, unknown>> | null | undefined
  const needed = ['open', 'failRun', 'close', ...(wrapMode === 'queue' ? ['storeRun'] : [])]
  const missing = needed.filter((name) => typeof service?.[name] !== 'function')
  if (missing.length === 0) return found as StorageService
  const names = missing.map((name) => `${name}()`).join(', ')
  throw new PypetError('PYPET_CONFIG_INVALID', `the storage service of ${where} has no ${names}`, {
    where,
    hint:
      missing[0] === 'storeRun'
        ? 'With --wrap-mode queue the main half stores the runs: give it a storeRun, or leave the wrap mode to none.'
        : 'A service is the default export of its module: an object with open, failRun and close.',
  })
}

/** @throws PypetError `PYPET_CONFIG_INVALID` */
export function checkWorkerModule(module: Readonly<Record<string, unknown>>, where: string): void {
  if (typeof module.openWorker === 'function') return
  throw new PypetError('PYPET_CONFIG_INVALID', `the storage service of ${where} has no openWorker()`, {
    where,
    hint: 'Export a function openWorker(workerData) that gives { storeRun(record) }.',
  })
}

/** @param method what the service or its worker was called for */
export function serviceError(method: string, cause: unknown): PypetError {
  const { name, message } = toErrorRecord(cause)
  return new PypetError(
    'PYPET_STORAGE_SERVICE_FAILED',
    `${method} of the storage service threw ${name}: ${message}`,
    {
      hint: 'What the service has stored before, it has to know when the experiment goes on.',
      cause,
    },
  )
}
