/** Leaves of a file by name, for whoever has no tree: those of runs are left out. */
import type { LeafRecord } from '../trajectory/run-record.ts'
import { Hdf5Source } from './hdf5-source.ts'
import { readHdf5 } from './read-hdf5.ts'

/**
 * The leaf of the first of these full names that the trajectory has, or all below it when it is a group. Empty where it
 * has none of them.
 *
 * @throws PypetError as `readHdf5`
 */
export async function readStoredLeaves(
  file: string,
  trajectory: string,
  fullNames: readonly string[],
): Promise<readonly LeafRecord[]> {
  return await readHdf5(file, (reader) => {
    const source = new Hdf5Source(reader, trajectory)
    for (const fullName of fullNames) {
      const leaves = [...leavesIn(source, fullName)]
      if (leaves.length > 0) return leaves
    }
    return []
  })
}

function* leavesIn(source: Hdf5Source, fullName: string): Generator<LeafRecord> {
  if (OF_RUNS.test(fullName)) return
  const head = source.head(fullName)
  if (head === undefined) return
  if (head.kind === 'group') {
    for (const { name, target } of source.entries(fullName) ?? []) {
      if (target === undefined) yield* leavesIn(source, `${fullName}.${name}`)
    }
    return
  }
  if (/^(?:results|derived_parameters)\./.test(fullName) && head.className.endsWith('Result')) {
    const items = source.items(fullName, head.className, () => true)
    yield { location: fullName, kind: 'result', comment: '', items: readable(items) }
    return
  }
  const { value } = source.parameter(fullName, head.className)
  if (value === undefined) return
  yield { location: fullName, kind: 'parameter', comment: '', items: readable([{ name: 'data', value }]) }
}

/** What only Python can read is left out. */
function readable(items: readonly LeafRecord['items'][number][]): LeafRecord['items'] {
  return items.filter(({ value }) => value.form !== 'unread')
}

/** A group of runs, a run, or a set of runs. */
const OF_RUNS = /^(?:results|derived_parameters)\.runs(?:\.|$)|(?:^|\.)run_(?:\d{8,}|set_\d{5,})(?:\.|$)/
