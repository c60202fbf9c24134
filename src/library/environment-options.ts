/** What an environment is made with: the options of the command line and the config file, and a trajectory. */
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

/** Options by their names in config files, of their types; each may be left out. */
export type EnvironmentSettings = Partial<Omit<Settings, 'overviews' | 'name' | 'storageService'>> & {
  /** A storage of one's own: its module, or an instance. */
  readonly storageService?: string | StorageService
  /** Which overview tables are written. */
  readonly overviews?: { readonly [Name in OverviewName]?: boolean }
}

/** How a new trajectory is made; of a given one they have been decided. */
type TreeOptions<Tree> = Pick<TrajectoryTreeOptions<Tree>, (typeof TREE_KEYS)[number]>

export interface EnvironmentOptions<Tree = ParameterTree> extends EnvironmentSettings, TreeOptions<Tree> {
  /** A name, for a new trajectory, or one that is there already. Default: `trajectory`. */
  readonly trajectory?: string | Trajectory<Tree>
  /** A config file; none is searched. What is given here wins over it. */
  readonly config?: string
  /**
   * Run a stored trajectory by another job than the one that ran last; its runs get an environment of their own. Refused
   * unless given: the results of two jobs would be taken for those of one.
   */
  readonly allowChangedJob?: boolean
  /** Told everything that happens; nothing is printed. */
  readonly reporter?: Reporter
  /** Aborted, it lets active runs finish and starts no others. */
  readonly signal?: AbortSignal
}

const TREE_KEYS = ['parameters', ...TREE_OPTIONS] as const

const OWN_KEYS = ['trajectory', 'config', 'allowChangedJob', 'reporter', 'signal', 'overviews'] as const

/**
 * The options among what an environment was given, as the layers take them.
 *
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY`
 */
export function givenOptions(options: object): FlagValues {
  const values: { [Name in OptionName]?: string | number | boolean } = {}
  for (const [key, value] of Object.entries(options)) {
    if (key === 'overviews' && isPlainObject(value)) {
      for (const [name, isOn] of Object.entries(value)) put(`${OVERVIEWS}${name}`, isOn)
    } else if (key === 'storageService' && typeof value === 'object') {
      // An instance goes its own way.
    } else if (!isOneOf(key, OWN_KEYS) && !isOneOf(key, TREE_KEYS)) put(key, value)
  }
  return values

  function put(name: string, value: unknown): void {
    if (name === 'name' || !isOneOf(name, OPTION_NAMES)) throw unknownOption(name)
    if (value !== undefined) values[name as OptionName] = value as string | number | boolean
  }
}

/** The part that makes a new tree. */
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
