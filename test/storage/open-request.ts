/** Requests and records as the environment and the workers send them. */
import { zip } from '../../src/exploration/zip.ts'
import type { OpenRequest } from '../../src/protocol.ts'
import { flattenParameters, type ParameterTree } from '../../src/trajectory/parameter.ts'
import { runName } from '../../src/trajectory/path.ts'
import type { RawRunRecord } from '../../src/trajectory/run-frame.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  encodeRunFrame,
  FRAME_PREFIX_BYTES,
} from '../../src/trajectory/run-frame.ts'
import type { LeafRecord, RunRecord } from '../../src/trajectory/run-record.ts'
import { type StorableValue, type StoredValue, toStoredValue } from '../../src/trajectory/value.ts'

export interface Requested {
  readonly name?: string
  readonly comment?: string
  readonly overwrite?: boolean
  readonly parameters?: ParameterTree
  /** One value a run; the parameter `x` is declared for it. */
  readonly x?: readonly number[]
  readonly storage?: Partial<Omit<OpenRequest['storage'], 'overviews'>>
  readonly overviews?: Partial<OpenRequest['storage']['overviews']>
}

/** A trajectory that explores `x`, with every small overview. */
export function openRequest(file: string, requested: Requested = {}): OpenRequest {
  const { name = 'made', comment = '', overwrite = false, parameters = {}, x = [1, 2, 3] } = requested
  return {
    file,
    fileTitle: 'title',
    overwrite,
    trajectory: {
      name,
      comment,
      timestamp: 1.7e9,
      version: 'pypet-ts 0.1.0',
      runtimeVersion: 'Node.js 20.0.0',
      environmentHexsha: '0123456789abcdef',
    },
    parameters: flattenParameters({ x: 0, ...parameters }, 'parameters'),
    exploration: zip({ x }).spec,
    config: flattenParameters({ hdf5: { complevel: 0 } }, 'config'),
    storage: {
      complevel: 0,
      purgeDuplicateComments: true,
      commitIntervalMs: 1000,
      ...requested.storage,
      overviews: {
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
  }
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
  const value: StoredValue = { form: 'list', dtype: 'str', values: null as never }
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
  return { run, error, startTimestamp: 1.7e9 + run, finishTimestamp: 1.7e9 + run + 0.5 }
}
