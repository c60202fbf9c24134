/**
 * What every node of a trajectory has: a place in the tree, a comment, annotations. It knows only the part of its group
 * and trajectory that it uses. `nodes.ts` says which they are.
 */
import { assertLegalName } from '../values/path.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { checkComment, toStoredAnnotation } from '../values/value.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { refuseUnknownProperties } from './refusing.ts'

/** What a node uses of its group. */
export interface Above<Root> {
  readonly fullName: string
  readonly branch: string
  readonly depth: number
  readonly isRoot: boolean
  readonly root: Root
}

/** What a node uses of its trajectory. */
export interface NodeRoot {
  /** @throws PypetError if the node, its comment or its annotations may not be changed */
  assertChangeable(node: SomeNode, attempt: string): void
}

/** Any node, in any tree. */
export type SomeNode = NodeIn<Above<NodeRoot>, NodeRoot>

export abstract class NodeIn<Group extends Above<Root>, Root extends NodeRoot> {
  /** The last part of the full name. For the root, the name of the trajectory. */
  readonly name: string
  readonly parent: Group | undefined
  abstract readonly isLeaf: boolean
  #comment = ''
  readonly #annotations = new Map<string, StoredValue>()
  #isStored = false
  readonly #changes = new Set<string>()

  static {
    refuseUnknownProperties(
      NodeIn.prototype,
      (node: SomeNode) => `${node.isRoot ? 'the trajectory' : 'the node'} ${node.fullName || node.name}`,
    )
  }

  constructor(name: string, parent: Group | undefined) {
    this.name = name
    this.parent = parent
  }

  /** True if the file has this node. */
  get isStored(): boolean {
    return this.#isStored
  }

  /** Set by code that has stored or deleted the node. */
  set isStored(isStored: boolean) {
    this.#isStored = isStored
    this.#changes.clear()
  }

  /**
   * What has changed in memory since the node was stored or loaded: `comment`, `value`, `@` with the name of an annotation,
   * `.` with the name of an item.
   */
  get changes(): ReadonlySet<string> {
    return this.#changes
  }

  /** Called by the node, and by code that has stored only part of it. */
  noteChange(change: string): void {
    if (this.#isStored) this.#changes.add(change)
  }

  protected forgetChange(change: string): void {
    this.#changes.delete(change)
  }

  get isGroup(): boolean {
    return !this.isLeaf
  }

  get isRoot(): boolean {
    return this.parent === undefined
  }

  /** `results.runs.run_00000003.z`; empty for the root. */
  get fullName(): string {
    const above = this.location
    if (this.parent === undefined) return ''
    return above === '' ? this.name : `${above}.${this.name}`
  }

  /** The full name of its group. */
  get location(): string {
    return this.parent?.fullName ?? ''
  }

  /** 0 for the root. */
  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1
  }

  /** The first part of the full name: `parameters`, `results`, … */
  get branch(): string {
    if (this.parent === undefined) return ''
    return this.parent.isRoot ? this.name : this.parent.branch
  }

  /** The trajectory of this node. */
  get root(): Root {
    if (this.parent === undefined) throw new TypeError(`${this.name} is in no trajectory`)
    return this.parent.root
  }

  /** The run that its full name belongs to; undefined for nodes of no single run. */
  get runBranch(): string | undefined {
    return RUN_PART.exec(this.fullName)?.[1]
  }

  get comment(): string {
    return this.#comment
  }

  /** @throws PypetError `PYPET_VALUE_UNSUPPORTED` */
  set comment(comment: string) {
    this.root.assertChangeable(this, 'comment')
    checkComment(comment, `the comment of ${this.fullName}`)
    if (comment !== this.#comment) this.noteChange('comment')
    this.#comment = comment
  }

  /** Annotations by name, in the order in which they were added. */
  get annotations(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#annotations].map(([name, value]) => [name, userValue(value)]))
  }

  /**
   * Annotates the node. Values without a name get the names `annotation`, `annotation_1`, as in pypet.
   *
   * @throws PypetError `PYPET_VALUE_UNSUPPORTED` for records, tables, matrices and null, `PYPET_NAME_ILLEGAL`
   */
  annotate(...annotations: readonly unknown[]): this {
    this.root.assertChangeable(this, 'annotate')
    for (const [index, given] of annotations.entries()) {
      const named = isNamed(given) ? Object.entries(given) : [[numbered('annotation', index), given] as const]
      for (const [name, value] of named) {
        this.#annotations.set(name, this.#storable(name, value))
        this.noteChange(`@${name}`)
      }
    }
    return this
  }

  removeAnnotation(name: string): boolean {
    this.root.assertChangeable(this, 'annotate')
    this.noteChange(`@${name}`)
    return this.#annotations.delete(name)
  }

  /** Name, value and comment in one line: `parameters.x: 1 (first factor)`. */
  toString(): string {
    const shown = this.shown()
    const value = shown === '' ? '' : `: ${shown}`
    const comment = this.comment === '' ? '' : ` (${this.comment})`
    return `${this.fullName || this.name}${value}${comment}`
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.kind} ${this.toString()}`
  }

  protected abstract readonly kind: string

  /** The value in words, if it is in memory. */
  protected abstract shown(): string

  /** Annotations as they are stored. */
  get storedAnnotations(): readonly StoredField[] {
    return [...this.#annotations].map(([name, value]) => ({ name, value }))
  }

  /** Takes over comment and annotations from a file. */
  restore(comment: string, annotations: readonly StoredField[]): void {
    this.#comment = comment
    for (const { name, value } of annotations) this.#annotations.set(name, value)
    this.isStored = true
  }

  #storable(name: string, value: unknown): StoredValue {
    const where = `the annotation ${name} of ${this.fullName}`
    assertLegalName(name, where)
    return toStoredAnnotation(value, where)
  }
}

const RUN_PART = /(?:^|\.)(run_(?:\d{8,}|ALL))(?=\.|$)/

/** `z`, `z_1`, `z_2`: pypet's numbering. */
export function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}_${index}`
}

function isNamed(given: unknown): given is Record<string, unknown> {
  return isPlainObject(given) && !('data' in given && 'shape' in given)
}
