/** What files hold below their runs, to compare layouts. */
import { runName, SRVC } from '../../src/names.ts'
import type { Hdf5Reader } from '../../src/reading/reader.ts'

/** Everything that a reader finds below the runs. */
export function contentOf(
  reader: Hdf5Reader,
  trajectory = 'made',
  { withComments = true } = {},
): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const visit = (path: string): void => {
    const kind = reader.kind(path)
    const attributes =
      kind === 'group' || kind === 'dataset'
        ? reader
            .attributeNames(path)
            .filter((name) => withComments || name !== SRVC.comment)
            .map((name) => [name, reader.attribute(path, name)])
        : []
    const form = kind === 'dataset' ? reader.form(path) : undefined
    const bytes = form === undefined ? '' : Buffer.from(reader.bytes(path, form)).toString('hex')
    const children = kind === 'group' ? reader.children(path) : []
    found[path] = {
      kind,
      children,
      attributes: attributes.sort(),
      form,
      bytes,
      target: reader.linkTarget(path),
    }
    for (const child of children) visit(`${path}/${child}`)
  }
  for (const branch of ['results', 'derived_parameters']) visit(`/${trajectory}/${branch}`)
  return found
}

/** Each value of a column is in the leaf of its run. Each scalar of the column's type is in the column. */
export function disagreements(reader: Hdf5Reader, trajectory = 'made'): string[] {
  const found: string[] = []
  const set = reader.columns(trajectory)
  if (set === undefined) return ['there are no columns']
  for (const column of set.columns) {
    if (column.leaf.startsWith('_')) continue
    for (let run = 0; run < set.runCount; run += 1) {
      const leaf = `/${trajectory}/${column.branch}/runs/${runName(run)}/${column.leaf.replaceAll('.', '/')}`
      const path = `${leaf}/${column.item}`
      const isThere = reader.kind(path) === 'dataset'
      if (!set.has(column, run)) continue
      const cell = Buffer.from(set.bytesAt(column, run)).toString('hex')
      const value = isThere ? Buffer.from(reader.bytes(path)).toString('hex') : 'nothing'
      const isText = column.dtype === 'str'
      if (isText ? !cell.replace(/(00)+$/, '').startsWith(value.replace(/(00)+$/, '')) : cell !== value)
        found.push(`${column.name} of run ${run}: ${cell} in the column, ${value} in the leaf`)
    }
  }
  return found
}

/** The values in a column with a unit have this unit. */
export function otherUnits(reader: Hdf5Reader, trajectory = 'made'): string[] {
  const found: string[] = []
  const set = reader.columns(trajectory)
  for (const column of set?.columns ?? []) {
    if (column.unit === '') continue
    for (let run = 0; run < (set?.runCount ?? 0); run += 1) {
      if (set?.has(column, run) !== true) continue
      const leaf = `/${trajectory}/${column.branch}/runs/${runName(run)}/${column.leaf.replaceAll('.', '/')}`
      const unit = reader.attribute(leaf, 'SRVC_AN_unit')
      if (unit !== column.unit)
        found.push(`${column.name} of run ${run}: ${column.unit} on the column, ${String(unit)} on the leaf`)
    }
  }
  return found
}
