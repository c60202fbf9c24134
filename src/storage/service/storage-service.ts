/** The interface of a user's storage service: one half in the main process, one in each worker. */
import { PypetError, toErrorRecord } from '../../errors.ts'
import type { Ending, Extension, OpenRequest, RunFailure } from '../../protocol.ts'
import { decodeFramePrefix, decodeRunFrame, FRAME_PREFIX_BYTES } from '../../run/run-frame.ts'
import { receivedValue } from '../../values/exact-integer.ts'
import type { RunIndex } from '../../values/path.ts'
import { userValue } from '../../values/user-value.ts'

/** The main half. Every method may return a promise. An error in `open` or `close` ends the experiment. */
export interface StorageService {
  /** The module of the worker half, if it is not the one that exports this service: a path or a `file:` URL. */
  readonly workerModule?: string | URL
  /** Starts a trajectory, or resumes it with the data that the service has. */
  open(opening: ServiceOpening): ServiceOpened | Promise<ServiceOpened>
  /** A run has finally failed. The worker half is not told. */
  failRun(failure: RunFailure): void | Promise<void>
  /** No more runs follow. */
  close(ending: Ending): void | Promise<void>
  /**
   * Post-processing or a script has added points and nodes. Without this method, an experiment cannot grow. After a
   * crash, the same points may be added again.
   */
  extend?(extension: Extension): void | Promise<void>
  /** With the wrap mode `queue`: takes the runs in the main process, one after the other. */
  storeRun?(record: ServiceRecord): void | Promise<void>
}

/** The worker half: what the function `openWorker(workerData)` of its module returns. */
export interface StorageWorker {
  /** Resolves when the run is durable, as the service defines it. If it throws, this run fails. */
  storeRun(record: ServiceRecord): void | Promise<void>
  /**
   * Called after the last run of this worker: inline, and in the process of a run. Pool threads end without it, so
   * `storeRun` must leave nothing unfinished.
   */
  close?(): void | Promise<void>
}

export interface ServiceOpening {
  /** The trajectory: its name, parameters, exploration, config. */
  readonly request: OpenRequest
  /** The experiment resumes after an interruption: return the runs that you have. */
  readonly isContinued: boolean
  /** Failed runs are retried, so do not return them. */
  readonly retryFailed: boolean
}

export interface ServiceOpened {
  /** Runs that need not be performed. */
  readonly stored?: readonly RunIndex[]
  readonly failed?: readonly RunIndex[]
  /** The argument of `openWorker`. It must be cloneable. */
  readonly workerData?: unknown
}

/** The results of a run. */
export interface ServiceRecord {
  readonly run: RunIndex
  /** Seconds since 1970. */
  readonly startTimestamp: number
  readonly finishTimestamp: number
  /** Results and derived parameters, by full name: `results.runs.run_00000003.z`. */
  readonly leaves: readonly {
    readonly location: string
    readonly kind: 'result' | 'parameter'
    readonly comment: string
    readonly values: Readonly<Record<string, unknown>>
  }[]
  /** The complete record in pypet-ts's own format, with all types and annotations. */
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
 * @param where the module, or where the service was given
 * @throws PypetError `PYPET_CONFIG_INVALID`, which names the missing method
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
        ? 'With --wrap-mode queue, the service stores the runs in the main process: add a storeRun, or use --wrap-mode none.'
        : 'Export the service as the default of its module: an object with open, failRun and close.',
  })
}

/** @throws PypetError `PYPET_CONFIG_INVALID` */
export function checkWorkerModule(module: Readonly<Record<string, unknown>>, where: string): void {
  if (typeof module.openWorker === 'function') return
  throw new PypetError('PYPET_CONFIG_INVALID', `the storage service of ${where} has no openWorker()`, {
    where,
    hint: 'Export a function openWorker(workerData) that returns { storeRun(record) }.',
  })
}

/** @param method the called method of the service or its worker */
export function serviceError(method: string, cause: unknown): PypetError {
  const { name, message } = toErrorRecord(cause)
  return new PypetError(
    'PYPET_STORAGE_SERVICE_FAILED',
    `${method} of the storage service threw ${name}: ${message}`,
    {
      hint: 'When the experiment resumes, the service must know what it has already stored.',
      cause,
    },
  )
}
