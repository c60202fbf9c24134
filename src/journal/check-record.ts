/**
 * Turns the decoded header of a record, which may come from anywhere, into the declared types. Every field is checked
 * before anything is done or allocated. The time is linear in the size of the record.
 */
import { isPypetError } from '../errors.ts'
import { RUNS_MAX } from '../names.ts'
import { assertTrajectoryName } from '../values/path.ts'
import {
  anything,
  assertList,
  assertObject,
  bytes,
  type Check,
  fault,
  finite,
  flag,
  isWhole,
  listOf,
  listWhere,
  namesTo,
  objectOf,
  oneOf,
  optional,
  pathText,
  RecordFault,
  text,
  whole,
} from './check.ts'
import { explorationSpec } from './check-exploration.ts'
import { nodes, parameters, uniqueParameters } from './check-value.ts'
import type { RecordHeader } from './cnt-record.ts'

/** The largest file that can exist. */
export const FILE_BYTES_MAX = 2 ** 50
/** More than any machine has. A worker is a thread or a process. */
const CORES_MAX = 4096
/** The limit of `Date`, in seconds. */
const SECONDS_MAX = 8.64e12

/** @throws RecordFault with the wrong field, what was expected and what was found */
export function checkHeader(header: unknown): asserts header is RecordHeader {
  assertObject(header, 'header')
  switch (header.type) {
    case 'experiment':
      experimentFields(header, '')
      return
    case 'commit':
      commitFields(header, '')
      if ((header.applied as number) > (header.sequence as number))
        throw fault('applied', `at most the sequence ${header.sequence}`, header.applied)
      pageSizes(header.pages, header.fileBytes as number)
      return
    case 'applied':
      whole(0)(header.sequence, 'sequence')
      return
    default:
      throw fault('type', '"experiment", "commit" or "applied"', header.type)
  }
}

const seconds: Check = (value, at) => {
  const isTime = typeof value === 'number' && Math.abs(value) <= SECONDS_MAX
  if (!isTime) throw fault(at, 'seconds since 1970', value)
}

const fileBytes = whole(0, FILE_BYTES_MAX)

const superblock: Check = (value, at) => {
  if (typeof value !== 'string' || !/^([0-9a-f]{16})?$/.test(value))
    throw fault(at, '16 hexadecimal digits', value)
}

const identity: Check = (value, at) => {
  if (typeof value !== 'string' || !/^(\d{1,20}:\d{1,20})?$/.test(value))
    throw fault(at, 'a device and an inode', value)
}

const hexadecimal: Check = (value, at) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{0,128}$/.test(value))
    throw fault(at, 'hexadecimal digits', value)
}

/** The HDF5 file is next to the `.cnt` file, so its name has no folder. */
const bareName: Check = (value, at) => {
  const isBare = typeof value === 'string' && /^[^/\0]+$/.test(value) && value !== '.' && value !== '..'
  if (!isBare) throw fault(at, 'the name of a file in the same folder', value)
}

const trajectoryName: Check = (value, at) => {
  if (typeof value !== 'string') throw fault(at, 'a name', value)
  try {
    assertTrajectoryName(value, at)
  } catch (error) {
    if (isPypetError(error)) throw new RecordFault(error.message)
    throw error
  }
}

/** Part of a name in the file and of log names. Empty if there is no experiment. */
const environmentName: Check = (value, at) => {
  if (value !== '') trajectoryName(value, at)
}

const count = whole(0)

const storage = objectOf({
  complevel: whole(0, 9),
  purgeDuplicateComments: flag,
  // Files from before these options lack them.
  exploredParameterOverviewInRuns: optional(flag),
  resultsPerRun: optional(count),
  derivedParametersPerRun: optional(count),
  commitIntervalMs: count,
  readerWaitMs: count,
  cntCompactBytes: optional(count),
  layout: optional(oneOf('tree', 'columns')),
  overviews: objectOf({
    columns: optional(flag),
    config: flag,
    parameters: flag,
    derivedParameters: flag,
    results: flag,
    exploredParameters: flag,
    derivedParametersSummary: flag,
    resultsSummary: flag,
  }),
})

const settings = namesTo((value, at) => {
  if (!['number', 'boolean', 'string'].includes(typeof value))
    throw fault(at, 'the value of an option', value)
  if (typeof value === 'number') finite(value, at)
  if (typeof value === 'string') pathText(value, at)
  // Checked before so many workers are started.
  if (at.endsWith('.ncores')) whole(0, CORES_MAX)(value, at)
})

const job = objectOf({
  file: pathText,
  relativeFile: pathText,
  sha256: hexadecimal,
  isFunction: optional(flag),
  sources: namesTo(text),
})

/** Half-open ranges, ascending, that do not touch. */
const ranges: Check = (value, at) => {
  assertList(value, at)
  if (value.length % 2 !== 0) throw fault(at, 'pairs of bounds', value)
  let before = -1
  for (let index = 0; index < value.length; index += 1) {
    const bound = value[index]
    if (!isWhole(bound, before + 1, RUNS_MAX))
      throw fault(`${at}[${index}]`, `a bound from ${before + 1} to ${RUNS_MAX}`, bound)
    before = bound
  }
}

const continuation = objectOf({
  job,
  settings,
  args: optional(bytes),
  runArgs: optional(bytes),
  argsOfScript: optional(objectOf({ script: text, found: text, runs: optional(ranges) })),
  tree: optional(
    objectOf({ noClobber: optional(flag), shortcuts: optional(flag), maxDepth: optional(whole(0)) }),
  ),
  environmentName,
  environment: optional(objectOf({ hexsha: hexadecimal, timestamp: seconds })),
})

const experimentFields = objectOf({
  request: objectOf({
    file: bareName,
    fileTitle: text,
    overwrite: flag,
    keepCnt: flag,
    continuable: optional(flag),
    nodes: optional(nodes),
    isExpansion: optional(flag),
    mayGrow: optional(flag),
    isEdit: optional(flag),
    replacement: optional(
      objectOf({
        writtenAs: bareName,
        replaces: superblock,
        replacesIdentity: identity,
        supersedes: listOf(hexadecimal),
      }),
    ),
    trajectory: objectOf({
      name: trajectoryName,
      comment: text,
      timestamp: seconds,
      version: text,
      runtimeVersion: text,
      environmentHexsha: hexadecimal,
    }),
    parameters,
    exploration: optional(explorationSpec),
    config: uniqueParameters,
    storage,
    continuation,
  }),
  baseBytes: fileBytes,
  baseSuperblock: superblock,
})

const failedRun = objectOf({
  run: whole(0, RUNS_MAX - 1),
  error: objectOf({ name: text, message: text }),
  attempts: count,
  startTimestamp: seconds,
  finishTimestamp: seconds,
})

/** Tables have at most as many rows as there are runs, and no wider columns. */
const MEMORY_VALUE_MAX = RUNS_MAX

const commitFields = objectOf({
  sequence: whole(1),
  applied: count,
  foundSuperblock: optional(superblock),
  fileBytes,
  superblock,
  stored: ranges,
  failed: listOf(failedRun),
  reopened: ranges,
  memory: objectOf({
    added: namesTo(listWhere((entry) => typeof entry === 'string', 'a string')),
    values: namesTo((value, at) => {
      if (typeof value !== 'boolean') whole(-1, MEMORY_VALUE_MAX)(value, at)
    }),
  }),
  startTimestamp: optional(seconds),
  isComplete: flag,
  hasEnded: optional(flag),
  environment: optional(objectOf({ name: trajectoryName, hexsha: hexadecimal, timestamp: seconds, job })),
  added: optional(explorationSpec),
  returned: sizedList(RUNS_MAX - 1, 'a run and a size'),
  pages: sizedList(FILE_BYTES_MAX, 'an offset and a size'),
  // A field of the journal itself.
  type: anything,
})

/** Pairs of a position and a size. The sum of the sizes is compared with the actual bytes. */
function sizedList(positionMax: number, expected: string): Check {
  return listWhere(
    (entry) =>
      Array.isArray(entry) &&
      entry.length === 2 &&
      isWhole(entry[0], 0, positionMax) &&
      isWhole(entry[1], 0, FILE_BYTES_MAX),
    expected,
  )
}

/** A page is an image of a part of the file at its commit. */
function pageSizes(pages: unknown, end: number): void {
  for (const [index, [offset, size]] of (pages as readonly (readonly [number, number])[]).entries()) {
    if (offset + size > end)
      throw fault(`pages[${index}]`, `a part of a file of ${end} bytes`, `${offset} to ${offset + size}`)
  }
}
