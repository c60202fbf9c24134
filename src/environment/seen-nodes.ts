/** What the jobs of an experiment see of its trajectory, besides the parameters. */
import { toErrorRecord } from '../errors.ts'
import type { Settings } from '../experiment/options.ts'
import type { OpenRequest } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import { encodeRunFrame, type RawGroup, type RawLeaf } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import type { StoredBefore } from '../run/stored-items.ts'
import { configLeaves, describedParameters, type RunNodes } from '../tree/run-nodes.ts'
import type { RunIndex } from '../values/path.ts'

/** Groups, leaves and links that existed before the runs started. */
export interface SeenNodes {
  readonly groups: readonly RawGroup[]
  readonly leaves: readonly RawLeaf[]
  readonly links: readonly LinkRecord[]
}

/** How a tree is searched, and what adding a name twice means; absent if these are the defaults. */
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

/** What jobs see in a resumed experiment: the state at its start. What an expansion found in the file is only there. */
export async function seenBefore(request: OpenRequest, hasFile: boolean): Promise<SeenNodes> {
  const { nodes, config, isExpansion, file, trajectory } = request
  const inFile = async () => {
    const { storedNodes } = await import('./stored-nodes.ts')
    const names = seenByRun(config, Number.POSITIVE_INFINITY)?.names ?? ''
    return await storedNodes(file, trajectory.name, { shows: showsSeen(names) })
  }
  const {
    groups = [],
    leaves = [],
    links = [],
  } = (isExpansion === true && hasFile ? await inFile() : nodes) ?? {}
  return { groups, leaves: [...leaves, ...configLeaves(config)], links }
}

/** What the jobs see outside of parameters and config, and from which run on: names, one per line. */
export interface SeenNames {
  readonly from: RunIndex
  readonly names: string
}

/**
 * Lists what exists when runs start. Post-processing and scripts may add more later, which a job must not find instead.
 */
export function seenNames({ groups, leaves, links }: SeenNodes): string {
  const above = new Set([...leaves, ...links].flatMap(({ location }) => groupsAbove(location)))
  const isTold = ({ comment, annotations, location }: RawGroup) =>
    comment !== '' || annotations.length > 0 || !above.has(location)
  return [...groups.filter(isTold), ...leaves, ...links]
    .map(({ location }) => location)
    .filter((location) => isResult(location) && !isPlaceOfRuns(location))
    .sort()
    .join('\n')
}

/** @param names as `seenNames` returns them; everything is shown if it is undefined */
export function showsSeen(names: string | undefined): (location: string) => boolean {
  if (names === undefined) return () => true
  const seen = new Set(names.split('\n'))
  return (location) => !isResult(location) || isPlaceOfRuns(location) || seen.has(location)
}

/** What config says about it for a run: `seen_from_9` holds from run 9 on. Undefined if it says nothing. */
export function seenByRun(
  config: readonly { readonly name: string; readonly value: unknown }[],
  run: RunIndex,
): SeenNames | undefined {
  const told = config.flatMap(({ name, value }) => {
    const from = /(?:^|\.)seen_from_(\d+)$/.exec(name)?.[1]
    return from === undefined ? [] : [{ from: Number(from), names: String(value) }]
  })
  told.sort((a, b) => a.from - b.from)
  return told.findLast(({ from }) => from <= run)
}

/** The name of its leaf in the group of the environment. */
export function seenLeafName({ from }: SeenNames): string {
  return `seen_from_${from}`
}

function isResult(location: string): boolean {
  return /^(?:results|derived_parameters)(?:\.|$)/.test(location)
}

function isPlaceOfRuns(location: string): boolean {
  return /^(?:results|derived_parameters)(?:\.runs)?$/.test(location)
}

/** `a.b.c` is below `a` and `a.b`. */
function groupsAbove(location: string): string[] {
  const parts = location.split('.')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'))
}

/** The settings that differ from the defaults. */
export function treeSettings(tree: Required<TreeSettings>): TreeSettings | undefined {
  const settings = {
    ...(tree.noClobber && { noClobber: true }),
    ...(!tree.shortcuts && { shortcuts: false }),
    ...(Number.isSafeInteger(tree.maxDepth) && { maxDepth: tree.maxDepth }),
  }
  return Object.keys(settings).length === 0 ? undefined : settings
}

/** What a job asks main for: leaves that the file held when the runs began, and that were too large to be sent to every worker. */

/** Answers with frames, so that workers need not know HDF5. The file is opened for an answer only. */
export function storedBefore({
  filename,
  name,
  useHdf5,
}: Pick<Settings, 'filename' | 'name' | 'useHdf5'>): StoredBefore {
  return useHdf5 ? storedInFile(filename, name) : async () => undefined
}

export function storedInFile(file: string, trajectory: string): StoredBefore {
  return async (fullName) => {
    try {
      const { readStoredLeaf } = await import('../reading/stored-leaf-record.ts')
      const leaf = await readStoredLeaf(file, trajectory, fullName)
      if (leaf === undefined) return undefined
      const pieces = encodeRunFrame({ run: 0, startTimestamp: 0, finishTimestamp: 0, leaves: [leaf] })
      // One buffer of its own: it is sent away.
      return { frame: new Uint8Array(Buffer.concat(pieces)) }
    } catch (error) {
      return { error: toErrorRecord(error) }
    }
  }
}
