/** One leaf of a file by its full name, for callers without a tree. */
import type { LeafRecord } from '../run/run-record.ts'
import type { StoredField } from '../values/stored-value.ts'
import { readHdf5 } from './read-hdf5.ts'
import { Hdf5Source } from './tree-source.ts'

/** @throws PypetError as `readHdf5` */
export async function readStoredLeaf(
  file: string,
  trajectory: string,
  fullName: string,
): Promise<LeafRecord | undefined> {
  return await readHdf5(file, (reader) => {
    const source = new Hdf5Source(reader, trajectory)
    const head = source.head(fullName)
    if (head?.kind !== 'leaf') return undefined
    const isParameter = head.className.endsWith('Parameter')
    const items = isParameter
      ? dataOf(source.parameter(fullName, head.className))
      : source.items(fullName, head.className, () => true)
    // Skip what only Python can read.
    const readable = items.filter(({ value }) => value.form !== 'unread')
    return {
      location: fullName,
      kind: isParameter ? 'parameter' : 'result',
      comment: '',
      ...(head.userClass !== undefined && { userClass: head.userClass }),
      items: readable,
    }
  })
}

function dataOf({ value }: ReturnType<Hdf5Source['parameter']>): readonly StoredField[] {
  return value === undefined ? [] : [{ name: 'data', value }]
}
