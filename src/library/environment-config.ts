/** The options of an environment in its trajectory's `config`. They can be read, and set until the run starts. */
import {
  CONFIG_LEAVES,
  type ConfigLeaf,
  configName,
  configValue,
  optionFromConfig,
} from '../environment/config-leaves.ts'
import { PypetError } from '../errors.ts'
import type { FlagValues } from '../experiment/layers.ts'
import { expectedValue, foundValue, type OptionValue } from '../experiment/option.ts'
import { OPTION_NAMES, OPTIONS, type OptionName, OVERVIEWS, type Settings } from '../experiment/options.ts'
import type { ParameterNode } from '../tree/nodes.ts'
import type { Trajectory } from './trajectory.ts'

type Tree = Pick<Trajectory, 'at' | 'addConfig'>

export class EnvironmentConfig {
  /** The leaves, with the values that the options had when they were added. */
  readonly #leaves = new Map<ParameterNode, { readonly leaf: ConfigLeaf; readonly value: unknown }>()

  /**
   * Adds missing leaves.
   *
   * @param environment `environment_83c1a34_2026_11_22_17h32m44s`
   */
  add(tree: Tree, environment: string, settings: Settings): void {
    for (const leaf of CONFIG_LEAVES) {
      const value = configValue(leaf, settings)
      const name = configName(leaf, environment)
      if (value === undefined || tree.at(`config.${name}`) !== undefined) continue
      const node = tree.addConfig(name, value, { comment: leaf.comment })
      this.#leaves.set(node, { leaf, value: node.getDefault() })
    }
  }

  has(node: ParameterNode): boolean {
    return this.#leaves.has(node)
  }

  /**
   * Changes that a script has made since.
   *
   * @throws PypetError `PYPET_CONFIG_INVALID` for an invalid value of an option
   */
  changes(): FlagValues {
    const values: { [Name in OptionName]?: OptionValue } = {}
    for (const [node, { leaf, value: before }] of this.#leaves) {
      const value = node.getDefault()
      if (Object.is(value, before)) continue
      const option = optionFromConfig(leaf, value)
      if (option === undefined) throw wrongConfig(node, leaf, value)
      values[leaf.option] = option
    }
    return values
  }

  /** The current value of an option; undefined if the trajectory already had it. */
  get(option: OptionName): unknown {
    return this.#find(option)?.node.getDefault()
  }

  /**
   * Sets an option, like a script at `traj.conf`.
   *
   * @throws PypetError `PYPET_CONFIG_INVALID` for an invalid value, `PYPET_USAGE` after its run has started
   */
  set(option: OptionName, value: unknown): void {
    const found = this.#find(option)
    if (found === undefined || found.node.isStored) {
      throw new PypetError('PYPET_USAGE', `${option} cannot be set: it is stored as the value of its run`, {
        where: option,
        hint: `Give it to another environment: new Environment({ trajectory, ${option}: … }).`,
      })
    }
    const { node, leaf } = found
    if (optionFromConfig(leaf, value) === undefined) throw wrongConfig(node, leaf, value)
    node.unlock()
    node.set(value)
  }

  #find(option: OptionName): { readonly node: ParameterNode; readonly leaf: ConfigLeaf } | undefined {
    for (const [node, { leaf }] of this.#leaves) if (leaf.option === option) return { node, leaf }
    return undefined
  }

  /** Makes the trajectory show what the file has. */
  show(settings: Settings): void {
    for (const [node, { leaf }] of this.#leaves) {
      const value = configValue(leaf, settings)
      node.unlock()
      if (value !== undefined) node.set(value)
      node.lock()
    }
  }

  /** Tables that get a row, or a table, for each run. */
  switchOffLargeOverview(): void {
    this.#switchOff(['overviews.results', 'overviews.derivedParameters', 'exploredParameterOverviewInRuns'])
  }

  switchOffAllOverview(): void {
    const overviews = OPTION_NAMES.filter((name) => name.startsWith(OVERVIEWS))
    this.#switchOff([...overviews, 'exploredParameterOverviewInRuns'])
  }

  #switchOff(options: readonly OptionName[]): void {
    for (const [node, { leaf }] of this.#leaves) {
      if (!options.includes(leaf.option)) continue
      node.unlock()
      node.set(false)
    }
  }
}

function wrongConfig(node: ParameterNode, { option }: ConfigLeaf, value: unknown): PypetError {
  const expected = expectedValue(OPTIONS[option])
  return new PypetError(
    'PYPET_CONFIG_INVALID',
    `${node.fullName}: expected ${expected}, found ${foundValue(value)}`,
    { where: node.fullName, hint: `Give it ${expected}.` },
  )
}
