/** Decides which content of another trajectory, outside its runs, a merge copies. Pure. */
import { isRunName } from '../names.ts'
import type { StoredField } from '../values/stored-value.ts'
import { valueKey } from '../values/value-key.ts'
import { exploredDerived } from './merge-plan.ts'
import { GroupNode, nameIn, ParameterNode, type ResultNode, type TreeNode } from './nodes.ts'
import type { TrajectoryTree } from './trajectory-tree.ts'

/** Something of another trajectory that is not in the merged one, and why. */
export interface LeftOut {
  readonly name: string
  readonly reason: string
}

/** Content to copy, in an order in which it can be made: groups before their content. */
export type Carried =
  | { readonly kind: 'group' | 'leaf'; readonly fullName: string }
  /** Both names as they are in the merged trajectory. */
  | { readonly kind: 'link'; readonly fullName: string; readonly target: string }

export interface MergeContent {
  readonly carried: readonly Carried[]
  readonly leftOut: readonly LeftOut[]
}

/** The names that the other trajectory's nodes get in the merged trajectory. */
export interface MergedNames {
  /** Undefined for a node of a run that is not taken. */
  readonly renamed: (fullName: string) => string | undefined
  /** The target of a link; undefined also if the merged trajectory does not have it. */
  readonly leadsTo: (fullName: string) => string | undefined
}

/** What the other trajectories merged earlier bring: full name → node, or true for a link. */
export type Claims = Map<string, TreeNode | true>

/** Config groups have different names in each trajectory. This one describes the other file, so it is not copied. */
const OF_THE_FILE = 'config.hdf5'

/**
 * Everything except parameters, runs and their groups. What the target lacks is copied. What is equal in both stays. What
 * differs stays as it is in the target and is reported.
 *
 * @param claims what the trajectories merged before bring. This one's content is added to it
 */
export function mergeContent(
  target: TrajectoryTree,
  other: TrajectoryTree,
  names: MergedNames,
  claims: Claims,
): MergeContent {
  const survey = new ContentSurvey(target, names, claims, exploredDerived(target, other))
  survey.visitLinks(other)
  for (const name of other.childNames) {
    const child = name === 'parameters' ? undefined : other.child(name)
    if (child !== undefined) survey.visit(child)
  }
  survey.resolveLinks()
  return survey
}

class ContentSurvey implements MergeContent {
  readonly carried: Carried[] = []
  readonly leftOut: LeftOut[] = []
  readonly #target: TrajectoryTree
  readonly #names: MergedNames
  readonly #claims: Claims
  /** Full names of parameters that belong to the points. */
  readonly #explored: ReadonlySet<string>
  readonly #links: { readonly fullName: string; readonly target: string }[] = []

  constructor(target: TrajectoryTree, names: MergedNames, claims: Claims, explored: ReadonlySet<string>) {
    this.#target = target
    this.#names = names
    this.#claims = claims
    this.#explored = explored
  }

  visit(node: TreeNode): void {
    const { fullName } = node
    if (fullName === OF_THE_FILE || this.#explored.has(fullName)) return
    const there = this.#at(fullName)
    if (there === undefined) {
      const leaf = this.#leafAbove(node)
      if (leaf !== undefined) {
        this.leftOut.push({ name: fullName, reason: `${leaf} is a leaf in the merged trajectory` })
        return
      }
      this.#claims.set(fullName, node)
      this.carried.push({ kind: node instanceof GroupNode ? 'group' : 'leaf', fullName })
    } else if (there === true || there instanceof GroupNode !== node instanceof GroupNode) {
      this.leftOut.push({ name: fullName, reason: 'another node has this name' })
      return
    } else this.#compare(node, there)
    if (!(node instanceof GroupNode)) return
    this.visitLinks(node)
    for (const name of node.childNames) {
      const child = isRunName(name) ? undefined : node.child(name)
      if (child !== undefined) this.visit(child)
    }
  }

  visitLinks(group: GroupNode): void {
    for (const name of group.linkNames) {
      const fullName = nameIn(group, name)
      this.#links.push({ fullName, target: group.linkTarget(name) as string })
    }
  }

  /** Resolves links after all nodes are known, since a link may point forward. */
  resolveLinks(): void {
    for (const link of this.#links) {
      const fullName = this.#names.renamed(link.fullName)
      const target = this.#names.leadsTo(link.target)
      if (fullName === undefined || target === undefined) {
        this.leftOut.push({
          name: link.fullName,
          reason: `it leads to ${link.target}, which is not copied`,
        })
        continue
      }
      const above = fullName.lastIndexOf('.')
      const group = above < 0 ? this.#target : this.#target.at(fullName.slice(0, above))
      const known = group instanceof GroupNode ? group.linkTarget(fullName.slice(above + 1)) : undefined
      if (known === target) continue
      if (known !== undefined || this.#at(fullName) !== undefined) {
        this.leftOut.push({ name: link.fullName, reason: 'another node has this name' })
      } else {
        this.#claims.set(fullName, true)
        this.carried.push({ kind: 'link', fullName, target })
      }
    }
  }

  #at(fullName: string): TreeNode | true | undefined {
    return this.#claims.get(fullName) ?? this.#target.at(fullName)
  }

  #leafAbove(node: TreeNode): string | undefined {
    for (let at = node.parent; at !== undefined && !at.isRoot; at = at.parent) {
      const there = this.#at(at.fullName)
      if (there === true || (there !== undefined && !(there instanceof GroupNode))) return at.fullName
    }
    return undefined
  }

  #compare(node: TreeNode, there: TreeNode): void {
    const { fullName: name } = node
    if (!(node instanceof GroupNode) && leafKey(node) !== leafKey(there)) {
      this.leftOut.push({ name, reason: 'its value differs; the first value stays' })
    }
    const known = new Map(there.storedAnnotations.map(({ name, value }) => [name, valueKey(value)]))
    const differing = node.storedAnnotations.filter(({ name, value }) => known.get(name) !== valueKey(value))
    for (const { name: annotation } of differing) {
      this.leftOut.push({
        name: `${name}@${annotation}`,
        reason: 'for nodes that both have, the annotations of the first stay',
      })
    }
  }
}

/** The whole content of the leaf as a text. Data that was not in memory is read and not kept. */
function leafKey(leaf: TreeNode): string {
  if (leaf instanceof ParameterNode) {
    return leaf.stored === undefined ? 'nothing' : `parameter ${valueKey(leaf.stored)}`
  }
  const result = leaf as ResultNode
  const keys = [...itemKeys(result)].map(([name, key]) => `${name}=${key}`).sort()
  return `result ${result.userClass ?? ''} ${keys.join('\u0004')}`
}

/** Keys by name of the item. */
export function itemKeys(result: ResultNode): Map<string, string> {
  const wasEmpty = result.isEmpty
  const keys = new Map(result.loadAll().map(({ name, value }: StoredField) => [name, valueKey(value)]))
  if (wasEmpty && result.isStored) result.empty()
  return keys
}
