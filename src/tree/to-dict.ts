/** The leaves of a group as an object (pypet `f_to_dict`). */
import { PypetError } from '../errors.ts'

export interface DictOptions {
  readonly fastAccess?: boolean
  readonly shortNames?: boolean
  readonly nested?: boolean
}

/** What a leaf needs to become a value. */
interface NamedLeaf {
  readonly name: string
  readonly fullName: string
}

interface NamedParameter extends NamedLeaf {
  readonly isParameter: true
  get(): unknown
}

interface NamedResult extends NamedLeaf {
  readonly isParameter: false
  readonly itemNames: readonly string[]
  get(item: string): unknown
}

interface LeafGroup {
  readonly fullName: string
  iterLeaves(): Iterable<NamedParameter | NamedResult>
}

export function dictOf(group: LeafGroup, options: DictOptions): Record<string, unknown> {
  const { fastAccess = false, shortNames = false, nested = false } = options
  const dict: Record<string, unknown> = {}
  for (const leaf of group.iterLeaves()) {
    const entry = fastAccess ? fastValue(leaf) : leaf
    if (nested) {
      nest(dict, relativeName(group, leaf).split('.'), entry)
      continue
    }
    const name = shortNames ? leaf.name : leaf.fullName
    if (Object.hasOwn(dict, name)) {
      throw new PypetError(
        'PYPET_NAME_AMBIGUOUS',
        `two leaves of ${group.fullName || 'the trajectory'} are called ${name}`,
        {
          where: leaf.fullName,
          hint: 'Use full names: { shortNames: false }.',
        },
      )
    }
    dict[name] = entry
  }
  return dict
}

/** The value of a parameter, or of a result whose only item has its name; otherwise the node. */
export function fastValue(leaf: NamedParameter | NamedResult): unknown {
  if (leaf.isParameter) return leaf.get()
  const names = leaf.itemNames
  return names.length === 1 && names[0] === leaf.name ? leaf.get(leaf.name) : leaf
}

function relativeName(group: LeafGroup, node: NamedLeaf): string {
  return group.fullName === '' ? node.fullName : node.fullName.slice(group.fullName.length + 1)
}

function nest(into: Record<string, unknown>, parts: readonly string[], entry: unknown): void {
  const [first, ...rest] = parts as [string, ...string[]]
  if (rest.length === 0) {
    into[first] = entry
    return
  }
  into[first] ??= {}
  nest(into[first] as Record<string, unknown>, rest, entry)
}
