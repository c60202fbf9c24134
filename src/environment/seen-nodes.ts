/** What the jobs of an experiment see of its trajectory, besides the parameters. */
import type { OpenRequest } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import type { RawGroup, RawLeaf } from '../trajectory/run-frame.ts'
import type { LinkRecord } from '../trajectory/run-record.ts'
import { configLeaves, describedParameters, type RunNodes } from '../tree/run-nodes.ts'

/** Groups, leaves and links that were there before the runs began. */
export interface SeenNodes {
  readonly groups: readonly RawGroup[]
  readonly leaves: readonly RawLeaf[]
  readonly links: readonly LinkRecord[]
}

/** How a tree is searched, and what adding a name twice means; absent where it is as usual. */
export interface TreeSettings {
  readonly noClobber?: boolean
  readonly shortcuts?: boolean
  readonly maxDepth?: number
}

export function runNodes(
  seen: SeenNodes | undefined,
  given: {
    readonly parameters: readonly Parameter[]
    readonly config: readonly Parameter[]
    readonly tree?: TreeSettings | undefined
  },
): RunNodes {
  const { groups = [], leaves = [], links = [] } = seen ?? {}
  return {
    groups,
    leaves: [...leaves, ...configLeaves(given.config)],
    links,
    described: describedParameters(given.parameters),
    ...given.tree,
  }
}

/** Those of an experiment that goes on: as when it began. What an expansion found in the file is only there. */
export async function seenBefore(request: OpenRequest, hasFile: boolean): Promise<SeenNodes> {
  const { nodes, config, isExpansion, file, trajectory } = request
  const inFile = async () => (await import('./stored-nodes.ts')).storedNodes(file, trajectory.name)
  const {
    groups = [],
    leaves = [],
    links = [],
  } = (isExpansion === true && hasFile ? await inFile() : nodes) ?? {}
  return { groups, leaves: [...leaves, ...configLeaves(config)], links }
}

/** The settings that differ from the usual. */
export function treeSettings(tree: Required<TreeSettings>): TreeSettings | undefined {
  const settings = {
    ...(tree.noClobber && { noClobber: true }),
    ...(!tree.shortcuts && { shortcuts: false }),
    ...(Number.isSafeInteger(tree.maxDepth) && { maxDepth: tree.maxDepth }),
  }
  return Object.keys(settings).length === 0 ? undefined : settings
}
