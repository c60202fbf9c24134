/** Natural naming: finds a node by part of its full name (pypet `naturalnaming.py`, `_search`). */
import { PypetError } from '../errors.ts'
import { isRunName, runlessName, runName } from '../names.ts'
import { nearestHint } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import type { Wildcards } from './wildcards.ts'

export interface GetOptions {
  /** Allow names that leave out groups; the nearest depth wins. The trajectory's `shortcuts` is the default. */
  readonly shortcuts?: boolean
  /** Number of levels to search below this group. */
  readonly maxDepth?: number
  /** Include names of links. */
  readonly withLinks?: boolean
}

/** Further options of a search. */
interface SearchOptions<Node> extends GetOptions {
  /** Whether a node may be the target of the search. By default, any node may. */
  readonly isWanted?: (node: Node) => boolean
}

/** What a search uses of a node. */
export interface SearchedNode {
  readonly name: string
  readonly fullName: string
  readonly isLeaf: boolean
  readonly parent: SearchedNode | undefined
}

/** What a search uses of a group. Every node except a leaf is one. */
export interface SearchedGroup<Node extends SearchedNode> extends SearchedNode {
  readonly isRoot: boolean
  readonly branch: string
  readonly childNames: readonly string[]
  readonly linkNames: readonly string[]
  readonly root: SearchedRoot
  has(name: string): boolean
  child(name: string): Node | undefined
  linked(name: string): Node | undefined
  iterNodes(options: { readonly recursive: true; readonly maxDepth?: number }): Iterable<Node>
}

/** What a search uses of the trajectory. */
interface SearchedRoot {
  readonly shortcuts: boolean
  readonly maxDepth: number
  readonly idx: RunIndex
  readonly wildcards: Wildcards
}

/** Aliases of the branches, below the root. */
const BRANCH_WORDS: Readonly<Record<string, string>> = {
  par: 'parameters',
  param: 'parameters',
  dpar: 'derived_parameters',
  dparam: 'derived_parameters',
  res: 'results',
  conf: 'config',
}

/**
 * Number of run groups in one group that a search looks into if no run is set. A name that only runs have is ambiguous
 * after two of them, and a wrong name should not cost a look at each of a million runs.
 */
const RUNS_SEARCHED_MAX = 100

/** @returns undefined if there is none. @throws PypetError `PYPET_NAME_AMBIGUOUS`, `PYPET_WILDCARD_UNKNOWN` */
export function findNode<Node extends SearchedNode>(
  start: SearchedGroup<Node>,
  name: string,
  options: SearchOptions<Node>,
): Node | undefined {
  let group = start
  const parts = name.split('.')
  const above = { ...options, isWanted: isGroup }
  for (const part of parts.slice(0, -1)) {
    const found = findPart(group, part, above)
    if (found === undefined || !isGroup(found)) return undefined
    group = found
  }
  return findPart(group, parts.at(-1) as string, options)
}

/** The kind of node that a getter searches for. */
export interface NodeKind<Node extends SearchedNode, Wanted extends Node> {
  readonly noun: string
  /** The branch where the trajectory has them. Anywhere by default. */
  readonly branch?: string
  /** The branch to search if the first has none. */
  readonly otherBranch?: string
  /** They may also be outside the branch. */
  readonly isElsewhere?: boolean
  readonly isOne: (node: Node) => node is Wanted
}

/** @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_NAME_AMBIGUOUS` among nodes of the kind */
export function findTyped<Node extends SearchedNode, Wanted extends Node>(
  group: SearchedGroup<Node>,
  name: string,
  kind: NodeKind<Node, Wanted>,
): Wanted {
  const { noun, branch, otherBranch, isElsewhere = false, isOne: isWanted } = kind
  const within = group.isRoot && branch !== undefined ? group.child(branch) : undefined
  // A name that starts with a branch is searched from the root.
  const isWithin = within !== undefined && isGroup(within) && !isBranch(group, name)
  const start = isWithin ? within : group
  const other = otherBranch !== undefined && isWithin ? group.child(otherBranch) : undefined
  const found =
    findNode(start, name, { isWanted }) ??
    (other !== undefined && isGroup(other) ? findNode(other, name, { isWanted }) : undefined) ??
    (isElsewhere ? findNode(group, name, { isWanted }) : undefined)
  if (found !== undefined) return found as Wanted
  const otherKind = anyOf(group, name)
  throw notFound(start, name, otherKind === undefined ? undefined : `${otherKind.fullName} is not a ${noun}`)
}

function anyOf<Node extends SearchedNode>(group: SearchedGroup<Node>, name: string): Node | undefined {
  try {
    return findNode(group, name, {})
  } catch {
    return undefined // There are several, of other kinds.
  }
}

/** Whether a name starts with a branch or an alias of one. */
function isBranch(root: SearchedGroup<SearchedNode>, name: string): boolean {
  const dot = name.indexOf('.')
  const first = dot < 0 ? name : name.slice(0, dot)
  return dot >= 0 && (first in BRANCH_WORDS || root.has(first))
}

function isGroup<Node extends SearchedNode>(node: Node): node is Node & SearchedGroup<Node> {
  return !node.isLeaf
}

function findPart<Node extends SearchedNode>(
  group: SearchedGroup<Node>,
  part: string,
  options: SearchOptions<Node>,
): Node | undefined {
  // Most names are names of children and need no translation.
  const name = group.has(part) ? part : translate(group, part)
  const direct = childOrLink(group, name, options)
  if (direct !== undefined) return direct
  const found = (options.shortcuts ?? group.root.shortcuts) ? findBelow(group, name, options) : undefined
  if (found !== undefined || group.branch !== 'config') return found
  const onDisk = configWord(name)
  return onDisk === name ? undefined : findPart(group, onDisk, options)
}

/** The name of config on disk: `wrapMode` is `wrap_mode`, `resultOverview` is `results_overview`. */
function configWord(name: string): string {
  const word = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return OVERVIEW_WORDS[word] ?? word
}

/** The original names of the tables. pypet now uses the plural. */
const OVERVIEW_WORDS: Readonly<Record<string, string>> = {
  parameter_overview: 'parameters_overview',
  derived_parameter_overview: 'derived_parameters_overview',
  result_overview: 'results_overview',
  explored_parameter_overview: 'explored_parameters_overview',
}

/** Translates a part of a name: aliases of branches, numbers of runs, wildcards. */
function translate(group: SearchedGroup<SearchedNode>, part: string): string {
  if (group.isRoot && part in BRANCH_WORDS) return BRANCH_WORDS[part] as string
  const run = /^(?:r|run)_(\d{1,7})$/.exec(part) ?? (group.name === 'runs' ? /^(\d+)$/.exec(part) : null)
  if (run !== null) return runName(Number(run[1]))
  const set = /^(?:rts|runtoset)_(\d+)$/.exec(part)
  if (set !== null) return group.root.wildcards.resolve('$set', Number(set[1]))
  return group.root.wildcards.has(part) ? group.root.wildcards.resolve(part, group.root.idx) : part
}

function childOrLink<Node extends SearchedNode>(
  group: SearchedGroup<Node>,
  name: string,
  options: SearchOptions<Node>,
): Node | undefined {
  if (!group.has(name)) return undefined
  const node = group.child(name) ?? (options.withLinks === false ? undefined : group.linked(name))
  return node !== undefined && options.isWanted?.(node) === false ? undefined : node
}

/** Breadth first: the nearest depth with the name wins, and must have it only once. */
function findBelow<Node extends SearchedNode>(
  start: SearchedGroup<Node>,
  name: string,
  options: SearchOptions<Node>,
): Node | undefined {
  const maxDepth = options.maxDepth ?? start.root.maxDepth
  let level: SearchedGroup<Node>[] = [start]
  for (let depth = 2; level.length > 0 && depth <= maxDepth; depth += 1) {
    const next = level.flatMap(searchedGroups)
    const found: Node[] = []
    for (const group of next) {
      const node = childOrLink(group, name, options)
      if (node !== undefined && !found.includes(node)) found.push(node)
      if (found.length >= CANDIDATES_MAX) break
    }
    if (found.length > 1) throw ambiguous(name, found)
    if (found.length === 1) return found[0]
    level = next
  }
  return undefined
}

const CANDIDATES_MAX = 10

/** The subgroups that belong to the current run, or to all runs. */
function searchedGroups<Node extends SearchedNode>(group: SearchedGroup<Node>): SearchedGroup<Node>[] {
  const { idx } = group.root
  const current = idx < 0 ? undefined : runName(idx)
  const groups: SearchedGroup<Node>[] = []
  let runCount = 0
  for (const name of group.childNames) {
    if (isRunName(name)) {
      if (current !== undefined && name !== current) continue
      runCount += 1
      if (runCount > RUNS_SEARCHED_MAX) continue
    }
    const child = group.child(name)
    if (child !== undefined && isGroup(child)) groups.push(child)
  }
  return groups
}

/** Every node whose full name ends in the parts of the name, in this order. */
export function findAll<Node extends SearchedNode>(
  start: SearchedGroup<Node>,
  name: string,
  options: GetOptions,
): Node[] {
  const parts = name.split('.').map((part) => translate(start, part))
  const found: Node[] = []
  for (const node of start.iterNodes({
    recursive: true,
    ...(options.maxDepth !== undefined && { maxDepth: options.maxDepth }),
  })) {
    if (node.name === parts.at(-1) && endsIn(node, parts, start)) found.push(node)
  }
  return found
}

/** Whether the parts occur in order in the names above the node, possibly with others between. */
function endsIn(node: SearchedNode, parts: readonly string[], start: SearchedNode): boolean {
  let at: SearchedNode | undefined = node
  for (const part of [...parts].reverse()) {
    while (at !== undefined && at !== start && at.name !== part) at = at.parent
    if (at === undefined || at === start) return false
    at = at.parent
  }
  return true
}

function ambiguous(name: string, found: readonly SearchedNode[]): PypetError {
  const names = found.map(({ fullName }) => fullName)
  const shown = names.length >= CANDIDATES_MAX ? `${names.join(', ')}, …` : names.join(', ')
  return new PypetError(
    'PYPET_NAME_AMBIGUOUS',
    `${name} is the name of several nodes at the same depth: ${shown}`,
    {
      where: name,
      hint: names.some((fullName) => runlessName(fullName) !== fullName)
        ? 'Give more of the full name, or choose a run: traj.idx = 0.'
        : `Give more of the full name, as in traj.get('${names.at(-1)}').`,
    },
  )
}

export function notFound(group: SearchedGroup<SearchedNode>, name: string, found?: string): PypetError {
  const place = group.fullName === '' ? 'the trajectory' : group.fullName
  const last = name.slice(name.lastIndexOf('.') + 1)
  const known = [...new Set([...group.childNames, ...group.linkNames])].slice(0, 1000)
  return new PypetError('PYPET_NODE_NOT_FOUND', found ?? `${place} has no ${name}`, {
    where: name,
    hint: nearestHint(
      last,
      known,
      `It has: ${known.slice(0, 8).join(', ') || 'nothing'}${known.length > 8 ? ', …' : ''}.`,
    ),
  })
}
