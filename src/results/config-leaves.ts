/** The config of a trajectory: its leaves, and those of the environment that ran a run. */
import { compareEnvironments, overviewPath } from '../names.ts'
import { walkLeaves } from '../reading/leaf-walk.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { readDefault } from '../reading/stored-leaf.ts'
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'

export type ConfigLeaves = ReadonlyMap<string, StoredValue>

/** What one execution of an experiment has recorded of itself. */
export interface RunEnvironment {
  /** `environment_83c1a34_2026_11_22_17h32m44s` */
  readonly name: string
  /** By their names below the environment: `seed`, `provenance.git.hexsha`. */
  readonly leaves: ConfigLeaves
}

/** Length of the digest of an environment that rows of runs contain. */
const HEXSHA_LENGTH = 7
const ENVIRONMENT = /^environment\.([^.]+)\.(.+)$/

/** They hold files: the sources of the job, and changes of others. */
const SOURCES = /\.provenance\.(?:contents|git\.diff)$/

/**
 * The leaves by their names below `config`.
 *
 * @param root path of the trajectory: `/T`
 * @param options.withSources also those that hold files
 */
export function readConfigLeaves(
  reader: Hdf5Reader,
  root: string,
  { withSources }: { readonly withSources: boolean },
): ConfigLeaves {
  const leaves = new Map<string, StoredValue>()
  walkLeaves(reader, `${root}/config`, ({ path, className }, name) => {
    if (SOURCES.test(name) && !withSources) return
    const value = readDefault(reader, path, className)
    if (value !== undefined) leaves.set(name, value)
  })
  return leaves
}

/** In order of time. */
export function environmentsIn(config: ConfigLeaves): readonly RunEnvironment[] {
  const found = new Map<string, Map<string, StoredValue>>()
  for (const [fullName, value] of config) {
    const [, environment, name] = ENVIRONMENT.exec(fullName) ?? []
    if (environment === undefined || name === undefined) continue
    const leaves = found.get(environment) ?? new Map()
    found.set(environment, leaves.set(name, value))
  }
  return [...found]
    .map(([name, leaves]) => ({ name, leaves }))
    .sort((one, other) => compareEnvironments(one.name, other.name))
}

/** The leaves that belong to no environment. */
export function generalConfig(config: ConfigLeaves): ConfigLeaves {
  return new Map([...config].filter(([name]) => !ENVIRONMENT.test(name)))
}

/** The environment that the row of a run names. Undefined if it names none, or none that the file has. */
export function environmentOfRun(
  reader: Hdf5Reader,
  root: string,
  run: RunIndex,
  environments: readonly RunEnvironment[],
): RunEnvironment | undefined {
  const table = overviewPath(root, 'runs')
  let digest = ''
  const readRow = (_: number, [hexsha]: readonly unknown[]) => {
    digest = String(hexsha ?? '').slice(0, HEXSHA_LENGTH)
  }
  if (reader.kind(table) === 'dataset')
    reader.scanRows(table, ['short_environment_hexsha'], readRow, { start: run, end: run + 1 })
  if (digest === '') return undefined
  return environments.find((environment) => digestOf(environment) === digest)
}

function digestOf(environment: RunEnvironment): string {
  const hexsha = textIn(environment.leaves, 'hexsha') ?? environment.name.replace(/^environment_/, '')
  return hexsha.slice(0, HEXSHA_LENGTH)
}

/** A leaf that is a text. */
export function textIn(leaves: ConfigLeaves, name: string): string | undefined {
  const value = leaves.get(name)
  return value?.form === 'scalar' && typeof value.value === 'string' ? value.value : undefined
}

/** A leaf that is a number. */
export function numberIn(leaves: ConfigLeaves, name: string): number | undefined {
  const value = leaves.get(name)
  return value?.form === 'scalar' && typeof value.value === 'number' ? value.value : undefined
}

/** A leaf that is a list of words as JSON, such as a command. Empty if there is none: older files, and other programs, have none. */
export function wordsIn(leaves: ConfigLeaves, name: string): readonly string[] {
  try {
    const words: unknown = JSON.parse(textIn(leaves, name) ?? '')
    return Array.isArray(words) ? words.map(String) : []
  } catch {
    return []
  }
}
