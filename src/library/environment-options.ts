/** The options of an environment: those of the command line and the config file, and a trajectory. */
import { PypetError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { FlagValues } from '../experiment/layers.ts'
import {
  OPTION_NAMES,
  type OptionName,
  OVERVIEWS,
  type OverviewName,
  type Settings,
} from '../experiment/options.ts'
import type { ParameterTree } from '../run/parameter.ts'
import type { StorageService } from '../storage/service/storage-service.ts'
import { TREE_OPTIONS, type TrajectoryTreeOptions } from '../tree/trajectory-tree.ts'
import { givenOf, nearestHint } from '../values/nearest-name.ts'
import { isPlainObject } from '../values/value-forms.ts'
import type { Trajectory } from './trajectory.ts'

/** Options by their names in config files, with their types. All are optional. */
export type EnvironmentSettings = Partial<Omit<Settings, 'overviews' | 'name' | 'storageService'>> & {
  /** Your own storage: its module, or an instance. */
  readonly storageService?: string | StorageService
  /** The overview tables to write. */
  readonly overviews?: { readonly [Name in OverviewName]?: boolean }
}

/** Options of a new trajectory. An existing one already has them. */
type TreeOptions<Tree> = Pick<TrajectoryTreeOptions<Tree>, (typeof TREE_KEYS)[number]>

export interface EnvironmentOptions<Tree = ParameterTree> extends EnvironmentSettings, TreeOptions<Tree> {
  /** The name of a new trajectory, or an existing one. Default: `trajectory`. */
  readonly trajectory?: string | Trajectory<Tree>
  /** A config file. No file is searched. The options given here override it. */
  readonly config?: string
  /**
   * Run a stored trajectory with a job other than the last one. The new runs get their own environment. Refused by default,
   * because the results of two jobs could be mistaken for results of one.
   */
  readonly allowChangedJob?: boolean
  /** Receives all events. Nothing is printed. */
  readonly reporter?: Reporter
  /** When aborted, active runs finish and no others start. */
  readonly signal?: AbortSignal
}

const TREE_KEYS = ['parameters', ...TREE_OPTIONS] as const

const OWN_KEYS = ['trajectory', 'config', 'allowChangedJob', 'reporter', 'signal', 'overviews'] as const

/**
 * The given options of an environment, in the form that the layers take.
 *
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY`
 */
export function givenOptions(options: object): FlagValues {
  const values: { [Name in OptionName]?: string | number | boolean } = {}
  for (const [key, value] of Object.entries(options)) {
    if (key === 'overviews' && isPlainObject(value)) {
      for (const [name, isOn] of Object.entries(value)) put(`${OVERVIEWS}${name}`, isOn)
    } else if (key === 'storageService' && typeof value === 'object') {
      // An instance is passed on separately.
    } else if (!isOneOf(key, OWN_KEYS) && !isOneOf(key, TREE_KEYS)) put(key, value)
  }
  return values

  function put(name: string, value: unknown): void {
    if (name === 'name' || !isOneOf(name, OPTION_NAMES)) throw unknownOption(name)
    if (value !== undefined) values[name as OptionName] = value as string | number | boolean
  }
}

/** The options that make a new tree. */
export function treeOptions<Tree>(options: TreeOptions<Tree>): TreeOptions<Tree> {
  return givenOf(options, TREE_KEYS)
}

function isOneOf(key: string, keys: readonly string[]): boolean {
  return keys.includes(key)
}

function unknownOption(key: string): PypetError {
  const known: readonly string[] = [...OWN_KEYS, ...TREE_KEYS, ...OPTION_NAMES]
  return new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `an environment has no option ${key}`, {
    where: key,
    hint: key === 'name' ? 'Did you mean trajectory?' : nearestHint(key, known),
  })
}
