/** A trajectory as pypet reads it, in the JSON that its side of the tests writes. */
import type { Tagged } from './canonical-value.ts'

export interface PypetNode {
  readonly class: string
  readonly comment: string
  readonly leaf: boolean
  readonly annotations?: Readonly<Record<string, Tagged>>
  readonly value?: Tagged
  readonly range?: readonly Tagged[]
  readonly data?: Readonly<Record<string, Tagged>>
}

export interface PypetTrajectory<Run> {
  readonly trajectory: {
    readonly name: string
    readonly comment: string
    readonly length: number
    readonly timestamp: number
    readonly version: string
  }
  readonly explored: readonly string[]
  readonly links: Readonly<Record<string, string>>
  readonly nodes: Readonly<Record<string, PypetNode>>
  readonly runs: readonly Run[]
}

/**
 * pypet shows the settings of the storage service that loads below `config.hdf5`, whatever the file holds there: it adds
 * the nodes when they are missing. So that group is not compared.
 */
export const isOfTheReader = (fullName: string) =>
  fullName === 'config' || /^config\.hdf5(\.|$)/.test(fullName)

/** The four branches are always there, also where a file has none of it. */
const BRANCHES = new Set(['config', 'parameters', 'derived_parameters', 'results'])

/** Whether a node of this name is there where the other side has one. */
export const isCompared = (fullName: string) => !isOfTheReader(fullName) && !BRANCHES.has(fullName)
