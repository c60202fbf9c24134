/** What a job may read of its trajectory beside its own run: what was there before the experiment began. */
import { toErrorRecord } from '../errors.ts'
import type { StoredBefore } from '../protocol.ts'
import { toStoredValue } from '../trajectory/raw-value.ts'
import { encodeRunFrame, type RawLeaf } from '../trajectory/run-frame.ts'
import type { LeafRecord } from '../trajectory/run-record.ts'
import type { PreparedExperiment } from './prepare-experiment.ts'

/**
 * Answers workers, by frames: they need not know HDF5 for it. A new trajectory is asked in memory, another one in its file, which is
 * opened only for an answer.
 */
export function storedBefore({
  opening,
  nodes,
  settings: { filename, name: trajectory, useHdf5 },
}: Pick<PreparedExperiment, 'opening' | 'nodes' | 'settings'>): StoredBefore {
  if (opening.kind === 'new') {
    return async (name) => frameOf(namedAmong(nodes?.leaves ?? [], name))
  }
  if (!useHdf5) return async () => undefined
  return storedInFile(filename, trajectory)
}

export function storedInFile(file: string, trajectory: string): StoredBefore {
  return async (name) => {
    try {
      const { readStoredLeaves } = await import('../storage/stored-leaves.ts')
      return frameOf(await readStoredLeaves(file, trajectory, fullNamesOf(name)))
    } catch (error) {
      return { error: toErrorRecord(error) }
    }
  }
}

/** The leaf of this name, or all in the group of this name, in the first branch that has any. */
function namedAmong(leaves: readonly RawLeaf[], name: string): readonly LeafRecord[] {
  for (const fullName of fullNamesOf(name)) {
    const found = leaves.filter(
      ({ location }) => location === fullName || location.startsWith(`${fullName}.`),
    )
    if (found.length === 0) continue
    return found.map(({ location, kind, items }) => ({
      location,
      kind,
      comment: '',
      items: items.map((item) => ({ name: item.name, value: toStoredValue(item.value) })),
    }))
  }
  return []
}

function fullNamesOf(name: string): readonly string[] {
  return [
    name,
    ...['results', 'derived_parameters', 'parameters', 'config'].map((branch) => `${branch}.${name}`),
  ]
}

function frameOf(leaves: readonly LeafRecord[]): { readonly frame: Uint8Array } | undefined {
  if (leaves.length === 0) return undefined
  // One buffer of its own: it is sent away.
  const pieces = encodeRunFrame({ run: 0, startTimestamp: 0, finishTimestamp: 0, leaves })
  return { frame: new Uint8Array(Buffer.concat(pieces)) }
}
