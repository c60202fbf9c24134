/** The root of a tree: where nodes come from, and what they need to know of the whole. */
import { PypetError } from '../errors.ts'
import type { LeafOptions } from '../run/run.ts'
import type { OwnClass } from '../values/own-class.ts'
import { assertLegalName, type RunIndex } from '../values/path.ts'
import type { ParameterValue } from '../values/value.ts'
import { addGroup, addLeaf, addLink, addParameter, addResult, taken } from './add.ts'
import { EVERY_ITEM, type NodeSource, type SourceEntry } from './node-source.ts'
import { GroupNode, type LeafNode, ParameterNode, ResultNode, type Root, type TreeNode } from './nodes.ts'
import type { Wildcards } from './wildcards.ts'

export abstract class RootNode extends GroupNode {
  abstract autoLoad: boolean
  abstract readonly isRun: boolean
  abstract readonly idx: RunIndex
  abstract readonly wildcards: Wildcards
  abstract readonly noClobber: boolean
  abstract override get root(): Root
  /** Where nodes come from that are not in memory. */
  source: NodeSource | undefined
  readonly #presets = new Map<string, unknown>()
  readonly #classes = new Map<string, OwnClass>()
  readonly #missedClasses = new Set<string>()

  // What the nodes need of their root.

  /**
   * Whether a node, its comment or its annotations may be changed: everywhere but in a job.
   *
   * @throws PypetError `PYPET_PARAMETER_LOCKED`, `PYPET_RUN_ENDED`
   */
  assertChangeable(_node: TreeNode, _attempt: string): void {}

  /** A link of a group is being removed. @throws as `assertChangeable` */
  forgetLink(_group: GroupNode, _name: string): void {}

  get hasSource(): boolean {
    return this.source !== undefined
  }

  entriesOf(group: GroupNode): readonly SourceEntry[] | undefined {
    return this.source?.entries(group.fullName)
  }

  /** Makes a node that the file has. */
  materialise(parent: GroupNode, name: string): TreeNode | undefined {
    const fullName = parent.fullName === '' ? name : `${parent.fullName}.${name}`
    const head = this.source?.head(fullName)
    if (head === undefined) return undefined
    const node =
      head.kind === 'group'
        ? new GroupNode(name, parent)
        : head.className.endsWith('Parameter')
          ? new ParameterNode(name, parent)
          : new ResultNode(name, parent)
    node.restore(head.comment, head.annotations)
    if (node instanceof ResultNode || node instanceof ParameterNode) node.userClass = head.userClass
    return node
  }

  /** Whether somebody else has deleted from the file what is in memory as it was there. */
  isGone(node: TreeNode): boolean {
    if (!node.isStored || node.changes.size > 0) return false
    return this.source !== undefined && this.source.head(node.fullName) === undefined
  }

  autoLoadLeaf(leaf: TreeNode): void {
    if (this.autoLoad) this.loadLeaf(leaf, EVERY_ITEM, false)
  }

  /** Reads a leaf's data now. */
  loadLeaf(leaf: TreeNode, wants: (item: string) => boolean, overwrites: boolean): boolean {
    const head = this.source?.head(leaf.fullName)
    if (this.source === undefined || head === undefined) return false
    if (leaf instanceof ParameterNode) {
      const { value, range } = this.source.parameter(leaf.fullName, head.className)
      if (overwrites || leaf.isEmpty) leaf.restoreValue(value, range)
    } else if (leaf instanceof ResultNode) {
      const { className } = head
      const items = this.source.items(leaf.fullName, className, wants)
      leaf.restoreItems(items, className, overwrites, wants === EVERY_ITEM)
    }
    return true
  }

  addGroupIn(group: GroupNode, name: string, options: LeafOptions): GroupNode {
    return addGroup(this, group, name, options)
  }

  addParameterIn(
    group: GroupNode,
    branch: 'parameters' | 'derived_parameters' | 'config',
    name: string,
    value: ParameterValue,
    options: LeafOptions,
  ): ParameterNode {
    return addParameter(this, group, branch, name, value, options)
  }

  addResultIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): ResultNode {
    return addResult(this, group, 'results', name, value, options)
  }

  addLeafIn(group: GroupNode, name: string, value: unknown, options: LeafOptions): LeafNode {
    return addLeaf(this, group, name, value, options)
  }

  addLinkIn(group: GroupNode, name: string, target: TreeNode | string): void {
    addLink(this, group, name, target)
  }

  /** Instances of a class are restored by it from now on. */
  learnClass(own: OwnClass): void {
    this.#classes.set(own.name, own)
  }

  ownClass(name: string): OwnClass | undefined {
    return this.#classes.get(name)
  }

  get classNames(): readonly string[] {
    return [...this.#classes.keys()]
  }

  get ownClasses(): readonly OwnClass[] {
    return [...this.#classes.values()]
  }

  /** A value is shown as it was stored, because its class is not known: told once. */
  missClass(name: string, fullName: string): void {
    if (this.#missedClasses.has(name)) return
    this.#missedClasses.add(name)
    this.onMissingClass(name, fullName)
  }

  protected onMissingClass(_name: string, _fullName: string): void {}

  /** What a parameter that is being added is to have; each preset is taken once. */
  takePreset(fullName: string, value: ParameterValue): unknown {
    if (!this.#presets.has(fullName)) return value
    const preset = this.#presets.get(fullName)
    this.#presets.delete(fullName)
    return preset
  }

  /** Links to a node and to what is below it go with it. */
  forgetLinksTo(node: TreeNode): void {
    const { fullName } = node
    for (const [group, name, target] of [...this.allLinks()]) {
      if (target === fullName || target.startsWith(`${fullName}.`)) group.removeLink(name)
    }
  }

  /** The node of a full name; undefined when there is none. */
  at(fullName: string): TreeNode | undefined {
    let node: TreeNode = this
    if (fullName === '') return node
    for (const part of fullName.split('.')) {
      if (!(node instanceof GroupNode)) return undefined
      const next: TreeNode | undefined = node.child(part) ?? node.linked(part)
      if (next === undefined) return undefined
      node = next
    }
    return node
  }

  /**
   * The value that a parameter will get when it is added.
   *
   * @throws PypetError `PYPET_NAME_TAKEN` when it has been added already
   */
  presetParameter(name: string, value: unknown): void {
    this.#preset('parameters', name, value)
  }

  presetConfig(name: string, value: unknown): void {
    this.#preset('config', name, value)
  }

  /** @throws PypetError `PYPET_PRESET_UNUSED` when a preset parameter was never added */
  assertPresetsUsed(): void {
    const [unused] = this.#presets.keys()
    if (unused === undefined) return
    throw new PypetError('PYPET_PRESET_UNUSED', `${unused} was preset and never added`, {
      where: unused,
      hint: 'Add it, or take the preset away; its name may be mistyped.',
    })
  }

  #preset(branch: string, name: string, value: unknown): void {
    const fullName = `${branch}.${name}`
    assertLegalName(fullName, fullName)
    if (this.at(fullName) !== undefined) throw taken(fullName, 'it has been added already')
    this.#presets.set(fullName, value)
  }
}
