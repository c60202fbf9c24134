/** Merges data from another file, as operations: groups of runs under new numbers, and nodes outside runs. */
import type { Hdf5Operation } from '../../hdf5/operation.ts'
import { isRunName, runName, runSetName, SRVC } from '../../names.ts'
import type { Hdf5Reader } from '../../reading/reader.ts'
import type { Carried, LeftOut } from '../../tree/merge-content.ts'
import { renamedInMerge } from '../../tree/merge-plan.ts'
import type { GroupNode } from '../../tree/nodes.ts'
import type { TrajectoryTree } from '../../tree/trajectory-tree.ts'
import type { RunIndex } from '../../values/path.ts'
import { copyAttributes, copyOperations } from './hdf5-copy.ts'
import { type MergedComments, nameOf } from './merged-comments.ts'

/** Where wildcards have put groups of runs: full names of their parent groups. */
export function runPlaces(other: TrajectoryTree): string[] {
  const places: string[] = []
  for (const branch of other.childNames) {
    const group = branch === 'parameters' || branch === 'config' ? undefined : other.child(branch)
    if (group !== undefined && !group.isLeaf) collectPlaces(group as GroupNode, places)
  }
  return places
}

function collectPlaces(group: GroupNode, places: string[]): void {
  if (group.childNames.some((name) => isRunName(name))) places.push(group.fullName)
  for (const name of group.childNames) {
    if (isRunName(name)) continue
    const child = group.child(name)
    if (child !== undefined && !child.isLeaf) collectPlaces(child as GroupNode, places)
  }
}

export interface CopySource {
  readonly reader: Hdf5Reader
  readonly trajectory: string
  /** As `runPlaces`. */
  readonly places: readonly string[]
  /** The run that a run of the other trajectory becomes, or that has its point. Undefined for none. */
  readonly runOf: (run: RunIndex) => RunIndex | undefined
  /** Where a link in this run leads in the merged trajectory. Undefined if it does not exist there. */
  readonly leadsTo: (fullName: string, within: RunIndex) => string | undefined
}

export interface CopyTarget {
  readonly trajectory: string
  /** Tests for a group by full name. Includes groups created during the merge. */
  readonly hasGroup: (fullName: string) => boolean
  readonly noteGroup: (fullName: string) => void
  readonly comments: MergedComments
  readonly onUncopied: (path: string, reason: string) => void
  readonly onLeftOut: (leftOut: LeftOut) => void
}

/** The groups of one run, wherever they are. */
export function* runCopy(
  source: CopySource,
  target: CopyTarget,
  from: RunIndex,
  to: RunIndex,
  /** Paths of leaves that columns of the target hold. */
  omitted: ReadonlySet<string> = new Set(),
): Generator<Hdf5Operation[]> {
  const { reader } = source
  const root = `/${source.trajectory}/`
  const renamed = (fullName: string) => renamedInMerge(fullName, source.runOf, to)
  // The name of the run or its set may appear again below a run.
  const own = new Map([
    [runName(from), runName(to)],
    [runSetName(from), runSetName(to)],
  ])
  const nameChild = (child: string, group: string) =>
    omitted.size > 0 && omitted.has(`${group}/${child}`) ? undefined : (own.get(child) ?? child)
  const retarget = (link: string, path: string): string | undefined => {
    const inside = link.startsWith(root) ? link.slice(root.length).replaceAll('/', '.') : undefined
    const fullName = inside === undefined ? undefined : source.leadsTo(inside, to)
    if (fullName !== undefined) return `/${target.trajectory}/${fullName.replaceAll('.', '/')}`
    const name = path.slice(root.length).replaceAll('/', '.')
    target.onLeftOut({ name, reason: `it leads to ${link}, which is not copied` })
    return undefined
  }
  for (const place of source.places) {
    const path = `${root}${place.replaceAll('.', '/')}/${runName(from)}`
    if (reader.kind(path) === undefined) continue
    const group = renamed(place) as string
    yield newGroups(target, group)
    reader.learnBelow(path)
    const toPath = `/${target.trajectory}/${group.replaceAll('.', '/')}/${runName(to)}`
    const copying = copyOperations(reader, path, toPath, {
      nameChild,
      retarget,
      onUncopied: target.onUncopied,
    })
    for (const operations of omitted.size === 0 ? copying : withoutEmptyGroups(copying)) {
      const isLeaf = operations.some((operation) => nameOf(operation) === SRVC.leaf)
      const [first] = operations
      if (!isLeaf || first === undefined) yield operations
      else yield target.comments.leaf(fullNameOf(first.path, target.trajectory), operations)
    }
  }
}

/** Leaves out plain groups in which nothing is copied. */
export function* withoutEmptyGroups(copying: Iterable<Hdf5Operation[]>): Generator<Hdf5Operation[]> {
  let waiting: Hdf5Operation[] = []
  for (const operations of copying) {
    const [first] = operations
    const isPlain = operations.length === 1 && first?.type === 'create-group'
    const path = first?.path ?? ''
    waiting = waiting.filter((group) => path.startsWith(`${group.path}/`))
    if (isPlain) waiting.push(first)
    else {
      for (const group of waiting) yield [group]
      waiting = []
      yield operations
    }
  }
}

function fullNameOf(path: string, trajectory: string): string {
  return path.slice(trajectory.length + 2).replaceAll('/', '.')
}

function newGroups(target: CopyTarget, fullName: string): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  const parts = fullName.split('.')
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const name = parts.slice(0, depth).join('.')
    if (target.hasGroup(name)) continue
    target.noteGroup(name)
    operations.push({ type: 'create-group', path: `/${target.trajectory}/${name.replaceAll('.', '/')}` })
  }
  return operations
}

/** Nodes outside runs, except links. Whatever cannot be copied is reported and omitted. */
export function* carriedCopy(
  { reader, trajectory }: CopySource,
  target: CopyTarget,
  carried: readonly Carried[],
): Generator<Hdf5Operation[]> {
  for (const { kind, fullName } of carried) {
    if (kind === 'link') continue
    const from = `/${trajectory}/${fullName.replaceAll('.', '/')}`
    const to = `/${target.trajectory}/${fullName.replaceAll('.', '/')}`
    const reasons: string[] = []
    const onUncopied = (path: string, reason: string) => reasons.push(`${path}: ${reason}`)
    const operations =
      kind === 'group'
        ? [{ type: 'create-group', path: to } as const, ...copyAttributes(reader, from, to, { onUncopied })]
        : [...copyOperations(reader, from, to, { onUncopied })].flat()
    if (kind === 'leaf' && reasons.length > 0) {
      target.onLeftOut({ name: fullName, reason: `it cannot be copied: ${reasons[0]}` })
      continue
    }
    const above = fullName.lastIndexOf('.')
    if (above > 0) yield newGroups(target, fullName.slice(0, above))
    if (kind === 'group') target.noteGroup(fullName)
    yield operations
  }
}

/** Links outside runs, once all their targets exist. */
export function carriedLinks(trajectory: string, carried: readonly Carried[]): Hdf5Operation[] {
  return carried.flatMap((each) =>
    each.kind !== 'link'
      ? []
      : [
          {
            type: 'create-soft-link' as const,
            path: `/${trajectory}/${each.fullName.replaceAll('.', '/')}`,
            target: `/${trajectory}/${each.target.replaceAll('.', '/')}`,
          },
        ],
  )
}
