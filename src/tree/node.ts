/**
 * What every node of a trajectory has: a place in the tree, a comment, annotations. Of the group and the trajectory that it
 * is in it knows what it asks of them; `nodes.ts` says which they are.
 */
import { assertLegalName } from '../values/path.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { checkComment, toStoredAnnotation } from '../values/value.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { refuseUnknownProperties } from './refusing.ts'

/** What a node asks of the group that it is in. */
export interface Above<Root> {
  readonly fullName: string
  readonly branch: string
  readonly depth: number
  readonly isRoot: boolean
  readonly root: Root
}

/** What a node asks of the trajectory that it is in. */
export interface NodeRoot {
  /** @throws PypetError where the node, its comment or its annotations may not be changed */
  assertChangeable(node: SomeNode, attempt: string): void
}

/** A node, wherever it is. */
export type SomeNode = NodeIn<Above<NodeRoot>, NodeRoot>

export abstract class NodeIn<Group extends Above<Root>, Root extends NodeRoot> {
  /** The last part of the full name; the root's is the trajectory's. */
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

  /** The file holds this node. */
  get isStored(): boolean {
    return this.#isStored
  }

  /** For who has stored it, or deleted it. */
  set isStored(isStored: boolean) {
    this.#isStored = isStored
    this.#changes.clear()
  }

  /**
   * What of it has changed in memory since it was stored or loaded: `comment`, `value`, `@` and the name of an annotation,
   * `.` and that of an item.
   */
  get changes(): ReadonlySet<string> {
    return this.#changes
  }

  /** For the node itself, and for who has stored less than all of it. */
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

  /** The full name of the group it is in. */
  get location(): string {
    return this.parent?.fullName ?? ''
  }

  /** 0 for the root. */
  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1
  }

  /** `parameters`, `results`, …: the first part of the full name. */
  get branch(): string {
    if (this.parent === undefined) return ''
    return this.parent.isRoot ? this.name : this.parent.branch
  }

  /** The trajectory that it is in. */
  get root(): Root {
    if (this.parent === undefined) throw new TypeError(`${this.name} is in no trajectory`)
    return this.parent.root
  }

  /** The run that it belongs to by its full name; undefined for what belongs to all. */
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

  /** Annotations by name, in the order in which they were given. */
  get annotations(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#annotations].map(([name, value]) => [name, userValue(value)]))
  }

  /**
   * Annotates the node. Values without a name are called `annotation`, `annotation_1`, as in pypet.
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

  /** The value in words, as far as it is in memory. */
  protected abstract shown(): string

  /** As they are stored. */
  get storedAnnotations(): readonly StoredField[] {
    return [...this.#annotations].map(([name, value]) => ({ name, value }))
  }

  /** Takes over what a file says of this node. */
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
