/** What the environment records about itself in the trajectory's branch `config`, under pypet's names. */
import { createHash, randomUUID } from 'node:crypto'
import { arch, cpus, hostname, type as osType, release } from 'node:os'
import { basename, sep } from 'node:path'
import type { Settings } from '../experiment/options.ts'
import { timeText } from '../names.ts'
import { packageVersion } from '../own-files.ts'
import type { JobIdentity } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import { type StorableValue, toStoredValue } from '../values/value.ts'
import { integer, isInteger } from '../values/value-forms.ts'
import { configParameters } from './config-leaves.ts'
import { type SeenNames, seenLeafName, type TreeSettings } from './seen-nodes.ts'

/** The identity of one execution of an experiment. */
export interface EnvironmentIdentity {
  /** `environment_83c1a34_2026_11_22_17h32m44s`, a group below `config.environment`. */
  readonly name: string
  readonly hexsha: string
  /** Seconds since 1970. */
  readonly timestamp: number
}

/** `pypet-ts 0.1.0`: the program that wrote a file. */
export const VERSION = `pypet-ts ${packageVersion()}`
export const RUNTIME_VERSION = `Node.js ${process.versions.node}`

/**
 * As in pypet: a SHA-1 of trajectory name, times and version, and a name from it and the time. Two in the same moment
 * differ.
 */
export function identifyEnvironment(trajectory: string, timestamp: number): EnvironmentIdentity {
  const hexsha = createHash('sha1')
    .update(`${trajectory}${timestamp}${hostname()}${VERSION}${randomUUID()}`)
    .digest('hex')
  return { hexsha, timestamp, name: `environment_${hexsha.slice(0, 7)}_${timeText(timestamp)}` }
}

/** A suffix that is unique for this moment: the time alone could occur twice within a second. */
export function momentName(): string {
  return `${timeText(Date.now() / 1000)}_${randomUUID().slice(0, 8)}`
}

/** Everything that is known before the first run. */
export function openingConfig(
  identity: EnvironmentIdentity,
  jobFile: string,
  settings: Settings,
  jobIdentity: JobIdentity,
  { noClobber, shortcuts, maxDepth }: TreeSettings = {},
  seen?: SeenNames,
): readonly Parameter[] {
  const environment = (name: string, value: StorableValue, comment: string) =>
    configParameter(`environment.${identity.name}.${name}`, value, comment)
  return [
    ...configParameters(identity.name, settings),
    environment('timestamp', identity.timestamp, 'Timestamp of environment creation'),
    environment('hexsha', identity.hexsha, 'SHA-1 identifier of the environment'),
    environment('script', basename(jobFile), 'Name of the job module'),
    environment('job.sha256', jobIdentity.sha256, 'SHA-256 of the job'),
    environment('job.sources', sourceLines(jobIdentity), 'Source files of the job with their SHA-256'),
    environment('job.file', slashed(jobIdentity.relativeFile), 'The job, from the folder of this file'),
    environment('trajectory.name', settings.name, 'Name of trajectory'),
    environment('trajectory.timestamp', identity.timestamp, 'Timestamp of trajectory'),
    environment('versions.pypet_ts', packageVersion(), 'Version of pypet-ts'),
    environment('versions.node', process.versions.node, 'Version of Node.js'),
    environment('versions.v8', process.versions.v8, 'Version of the JavaScript engine'),
    environment('platform.os', `${osType()} ${release()} ${arch()}`, 'Operating system and processor family'),
    environment('platform.host', hostname(), 'Name of the machine'),
    environment('platform.cpu', cpus()[0]?.model ?? 'unknown', 'Processor model'),
    ...(noClobber === undefined
      ? []
      : [environment('no_clobber', noClobber, 'Whether jobs get what is there already when they add it')]),
    ...(shortcuts === undefined
      ? []
      : [environment('shortcuts', shortcuts, 'Whether jobs may leave out parts of names')]),
    ...(maxDepth === undefined
      ? []
      : [environment('max_depth', integer(maxDepth), 'Levels that names are searched below a group')]),
    ...(seen === undefined || seen.names === ''
      ? []
      : [environment(seenLeafName(seen), seen.names, 'What jobs see besides parameters and config')]),
    configParameter('hdf5.complib', 'zlib', 'Compression library'),
  ]
}

function sourceLines({ sources }: JobIdentity): string {
  return Object.entries(sources)
    .map(([name, sha256]) => `${name} ${sha256}`)
    .join('\n')
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}

/** What is known only at the end. */
export function closingConfig(
  identity: EnvironmentIdentity,
  times: { readonly startTimestamp: number; readonly finishTimestamp: number },
): readonly Parameter[] {
  const { startTimestamp, finishTimestamp } = times
  const environment = (name: string, value: number, comment: string) =>
    configParameter(`environment.${identity.name}.${name}`, value, comment)
  return [
    environment('start_timestamp', startTimestamp, 'Timestamp of the start of the first run'),
    environment('finish_timestamp', finishTimestamp, 'Timestamp of the end of the last run'),
    environment('runtime', finishTimestamp - startTimestamp, 'Runtime of the whole experiment in seconds'),
  ]
}

function configParameter(name: string, value: StorableValue, comment: string): Parameter {
  const stored = toStoredValue(value, `config.${name}`)
  return { name, comment, value: isInteger(value) ? value.value : value, stored }
}
