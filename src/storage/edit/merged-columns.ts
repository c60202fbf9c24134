/** What a run of another file brings into the columns of this one. */
import { type Layout, RUN_BRANCHES, runName } from '../../names.ts'
import { isLeaf } from '../../reading/leaf-place.ts'
import { walkLeaves } from '../../reading/leaf-walk.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import { readDefault, readItems, readNodeHead } from '../../reading/stored-leaf.ts'
import type { RawLeaf } from '../../run/run-frame.ts'
import type { RunIndex } from '../../values/path.ts'
import { type RawField, rawValue } from '../../values/raw-value.ts'

export interface LeafToMerge {
  /** Under its new name. */
  readonly leaf: RawLeaf
  /** In the other file. */
  readonly path: string
}

/**
 * The leaves of a run, in the usual places.
 *
 * @param layout of the columns. Beside a tree, they hold no arrays, so none is read
 * @param commentOf the comment of a leaf without one, by its full name: another run may have it
 */
export function leavesToMerge(
  reader: Hdf5Reader,
  trajectory: string,
  { from, to, layout }: { readonly from: RunIndex; readonly to: RunIndex; readonly layout: Layout },
  commentOf: (fullName: string) => string,
): LeafToMerge[] {
  const found: LeafToMerge[] = []
  for (const branch of RUN_BRANCHES) {
    const group = `/${trajectory}/${branch}/runs/${runName(from)}`
    walkLeaves(reader, group, ({ path, className, comment }, name) => {
      const location = `${branch}.runs.${runName(to)}.${name}`
      const { userClass, annotations } = readNodeHead(reader, path)
      const isParameter = branch === 'derived_parameters'
      const items = isParameter ? dataOf(reader, path, className) : itemsOf(reader, path, className, layout)
      found.push({
        path,
        leaf: {
          location,
          kind: isParameter ? 'parameter' : 'result',
          comment: comment || commentOf(location),
          ...(userClass !== undefined && { userClass }),
          annotations: annotations.map(({ name: each, value }) => ({
            name: each,
            value: value.form === 'unread' ? UNREAD : rawValue(value),
          })),
          items,
        },
      })
    })
  }
  return found
}

/** An item or annotation that only Python can read keeps its leaf out of the columns. */
const UNREAD: RawField['value'] = { form: 'null' }

function itemsOf(reader: Hdf5Reader, path: string, className: string, layout: Layout): RawField[] {
  const isSingle = (item: string) => {
    const dataset = `${path}/${item}`
    return reader.kind(dataset) === 'dataset' && reader.form(dataset).shape?.length === 0
  }
  const wants = layout === 'tree' ? isSingle : () => true
  return readItems(reader, path, className, wants).map(({ name, value }) => ({
    name,
    value: value.form === 'unread' ? UNREAD : rawValue(value),
  }))
}

function dataOf(reader: Hdf5Reader, path: string, className: string): RawField[] {
  const value = readDefault(reader, path, className)
  return value === undefined || value.form === 'unread' ? [] : [{ name: 'data', value: rawValue(value) }]
}

/** Whether a run has links: then its leaves stay below it, where links can lead to them. */
export function hasLinks(reader: Hdf5Reader, trajectory: string, run: RunIndex): boolean {
  return RUN_BRANCHES.some((branch) => holdsLink(reader, `/${trajectory}/${branch}/runs/${runName(run)}`))
}

function holdsLink(reader: Hdf5Reader, path: string): boolean {
  const kind = reader.kind(path)
  if (kind !== 'group') return kind === 'soft-link'
  return !isLeaf(reader, path) && reader.children(path).some((child) => holdsLink(reader, `${path}/${child}`))
}
