import { RUNTIME_VERSION, VERSION } from '../environment/experiment-config.ts'
import { PypetError } from '../errors.ts'
import { overviewPath, SRVC } from '../names.ts'
import { exploredNames } from '../reading/explored-names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'

/** The writer, for the table `info`. */
export const LIBRARY_VERSIONS = { version: VERSION, runtimeVersion: RUNTIME_VERSION } as const

/** What the tables record of a trajectory, without reading its nodes. */
export interface TrajectoryInfo {
  readonly length: number
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly comment: string
  readonly version: string
  readonly runtimeVersion: string
  /** Full names of explored parameters. */
  readonly explored: readonly string[]
}

/** @throws PypetError `PYPET_TRAJECTORY_NEWER` for a file of a newer pypet-ts, unless `force` is set */
export function readInfo(reader: Hdf5Reader, name: string, force: boolean): TrajectoryInfo {
  const columns = ['length', 'timestamp', 'comment', 'version', 'python']
  let info: TrajectoryInfo = {
    length: 1,
    timestamp: 0,
    comment: '',
    version: '',
    runtimeVersion: '',
    explored: [],
  }
  reader.scanRows(
    overviewPath(`/${name}`, 'info'),
    columns,
    (_, [length, timestamp, comment, version, python]) => {
      info = {
        length: Number(length ?? 1),
        timestamp: Number(timestamp ?? 0),
        comment: String(comment ?? ''),
        version: String(version ?? ''),
        runtimeVersion: String(python ?? ''),
        explored: exploredNames(reader, name),
      }
    },
    { start: 0, end: 1 },
  )
  if (!force) assertNotNewer(reader.file, name, info.version)
  // The row has 512 bytes; the node's attribute has the whole comment.
  const comment = reader.attribute(`/${name}`, SRVC.comment)
  return typeof comment === 'string' && comment !== '' ? { ...info, comment } : info
}

/** Names of the trajectories in a file, in alphabetical order. */
export function trajectoryNames(reader: Hdf5Reader): string[] {
  const names = reader.children('/')
  return names.filter((name) => reader.kind(overviewPath(`/${name}`, 'info')) === 'dataset').sort()
}

/** The format may change with the first number of the version, or before 1.0 with the second. */
function assertNotNewer(file: string, name: string, version: string): void {
  const theirs = numbersOf(version)
  const ours = numbersOf(LIBRARY_VERSIONS.version)
  if (theirs === undefined || ours === undefined) return
  const isNewer = theirs[0] > ours[0] || (theirs[0] === 0 && ours[0] === 0 && theirs[1] > ours[1])
  if (!isNewer) return
  throw new PypetError(
    'PYPET_TRAJECTORY_NEWER',
    `${name} in ${file} was written by ${version}, this is ${LIBRARY_VERSIONS.version}`,
    { where: file, hint: 'Update pypet-ts, or load it anyway with { force: true }.' },
  )
}

function numbersOf(version: string): [major: number, minor: number] | undefined {
  const found = /^pypet-ts (\d+)\.(\d+)/.exec(version)
  return found === null ? undefined : [Number(found[1]), Number(found[2])]
}
