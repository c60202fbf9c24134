/** Requests and records as the environment and the workers send them. */
import { zip } from '../../src/exploration/cartesian.ts'
import { runName } from '../../src/names.ts'
import type { ContinueRequest, OpenRequest } from '../../src/protocol.ts'
import type { LogLevel } from '../../src/run/log-level.ts'
import { flattenParameters, type Parameter, type ParameterTree } from '../../src/run/parameter.ts'
import type { RawRunRecord } from '../../src/run/run-frame.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  encodeRunFrame,
  FRAME_PREFIX_BYTES,
} from '../../src/run/run-frame.ts'
import type { LeafRecord, RunRecord } from '../../src/run/run-record.ts'
import type { TrajectoryStoreOptions } from '../../src/storage/open-trajectory.ts'
import type { Commit, TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { type StorableValue, toStoredValue } from '../../src/values/value.ts'

export interface Requested {
  readonly name?: string
  readonly comment?: string
  readonly overwrite?: boolean
  readonly hexsha?: string
  readonly parameters?: ParameterTree
  /** One value a run; the parameter `x` is declared for it. */
  readonly x?: readonly number[]
  readonly storage?: Partial<Omit<OpenRequest['storage'], 'overviews'>>
  readonly overviews?: Partial<OpenRequest['storage']['overviews']>
}

/** A trajectory that explores `x`, with every small overview. */
export function openRequest(file: string, requested: Requested = {}): OpenRequest {
  const { name = 'made', comment = '', overwrite = false, parameters = {}, x = [1, 2, 3] } = requested
  const { hexsha = '0123456789abcdef' } = requested
  return {
    file,
    fileTitle: 'title',
    overwrite,
    keepCnt: false,
    trajectory: {
      name,
      comment,
      timestamp: 1.7e9,
      version: 'pypet-ts 0.1.0',
      runtimeVersion: 'Node.js 20.0.0',
      environmentHexsha: hexsha,
    },
    parameters: flattenParameters({ x: 0, ...parameters }, 'parameters'),
    exploration: zip({ x }).spec,
    config: flattenParameters({ hdf5: { complevel: 0 } }, 'config'),
    storage: {
      complevel: 0,
      purgeDuplicateComments: true,
      commitIntervalMs: 1000,
      exploredParameterOverviewInRuns: false,
      resultsPerRun: 0,
      derivedParametersPerRun: 0,
      readerWaitMs: 10_000,
      cntCompactBytes: 1_048_576,
      layout: 'tree',
      ...requested.storage,
      overviews: {
        columns: true,
        config: true,
        parameters: true,
        derivedParameters: false,
        results: false,
        exploredParameters: true,
        derivedParametersSummary: true,
        resultsSummary: true,
        ...requested.overviews,
      },
    },
    continuation: {
      job: { file: '/jobs/job.ts', relativeFile: 'job.ts', sha256: 'ab12', sources: { 'job.ts': 'ab12' } },
      settings: { ncores: 1 },
      environmentName: 'environment_0123456_2023_11_14_22h13m20s',
    },
  }
}

/** What follows from going on with a trajectory of `openRequest`. */
export function continueRequest(cntFile: string, requested: Partial<ContinueRequest> = {}): ContinueRequest {
  const { storage } = openRequest('')
  return { cntFile, breakLock: false, retryFailed: false, storage, keepCnt: false, config: [], ...requested }
}

export function result(run: number, name: string, value: StorableValue, comment = ''): LeafRecord {
  return {
    location: `results.runs.${runName(run)}.${name}`,
    kind: 'result',
    comment,
    items: [{ name: name.slice(name.lastIndexOf('.') + 1), value: toStoredValue(value, name) }],
  }
}

/** A result of which the writer can make nothing: a list of texts without the texts. */
export function unreadableResult(run: number): LeafRecord {
  const value: StoredValue = { form: 'list', dtype: 'str', values: [null as never] }
  return { ...result(run, 'unreadable', 1), items: [{ name: 'texts', value }] }
}

export function runRecord(run: number, leaves: readonly LeafRecord[]): RunRecord {
  return { run, startTimestamp: 1.7e9 + run, finishTimestamp: 1.7e9 + run + 0.25, leaves }
}

/** The record as it arrives at the writer. */
export function arrived(record: RunRecord): RawRunRecord {
  const bytes = Buffer.concat(encodeRunFrame(record))
  return decodeRunFrame(bytes.subarray(FRAME_PREFIX_BYTES), decodeFramePrefix(bytes).headerBytes)
}

export function failure(run: number, message = 'it went wrong') {
  const error = { name: 'RangeError', message, stack: `RangeError: ${message}\n    at job.ts:1:1` }
  return { run, error, attempts: 1, startTimestamp: 1.7e9 + run, finishTimestamp: 1.7e9 + run + 0.5 }
}

/** What a store is told besides its request: notices and errors are collected. */
export function storeOptions(options: Partial<TrajectoryStoreOptions> = {}) {
  const notices: string[] = []
  const errors: Error[] = []
  return {
    breakLock: false,
    onNotice: (_level: LogLevel, message: string) => void notices.push(message),
    onError: (error: Error) => void errors.push(error),
    ...options,
    notices,
    errors,
  }
}

/** Closes a store in which every run has ended. */
export async function closeStore(store: TrajectoryStore, config: readonly Parameter[] = []): Promise<Commit> {
  const commit = store.close({ config, isComplete: true })
  await store.finish()
  return commit
}
