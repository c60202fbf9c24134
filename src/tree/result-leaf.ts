/** Results: named items (pypet `parameter.py`, class `Result`). */
import { PypetError } from '../errors.ts'
import { nearestHint } from '../values/nearest-name.ts'
import type { OwnClass } from '../values/own-class.ts'
import { assertItemName } from '../values/path.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { toStoredValue } from '../values/value.ts'
import { type Above, NodeIn, type NodeRoot, numbered, type SomeNode } from './node.ts'
import { shownValue } from './shown-value.ts'

/** What a result uses of its trajectory. */
export interface ResultRoot extends NodeRoot {
  readonly classNames: readonly string[]
  /** Reads it from the file, if the trajectory has `autoLoad`. */
  autoLoadLeaf(leaf: SomeNode): void
  ownClass(name: string): OwnClass | undefined
}

export class ResultLeaf<Group extends Above<Root>, Root extends ResultRoot> extends NodeIn<Group, Root> {
  readonly isLeaf = true
  readonly isParameter = false
  protected readonly kind = 'Result'
  /** The name of the user's own class that restores it. */
  userClass: string | undefined
  readonly #items = new Map<string, StoredValue>()
  #loadedClassName: string | undefined

  protected shown(): string {
    if (this.#items.size === 0) return this.#isWhole ? 'empty' : 'not loaded'
    const items = [...this.#items].slice(0, ITEMS_SHOWN_MAX).map(([name, value]) => {
      const text = shownValue(value)
      return name === this.name && this.#items.size === 1 ? text : `${name}=${text}`
    })
    const more = this.#items.size - items.length
    return `${items.join(', ')}${more > 0 ? `, and ${more} more` : ''}`
  }

  get isEmpty(): boolean {
    return this.#items.size === 0
  }

  /** The name of its pypet class on disk. */
  get className(): string {
    if (this.#loadedClassName !== undefined) return this.#loadedClassName
    return [...this.#items.values()].some(({ form }) => form === 'sparse') ? 'SparseResult' : 'Result'
  }

  get itemNames(): readonly string[] {
    this.#load()
    return [...this.#items.keys()]
  }

  get storedItems(): readonly StoredField[] {
    return [...this.#items].map(([name, value]) => ({ name, value }))
  }

  /** All items as they are stored. Reads them if necessary. */
  loadAll(): readonly StoredField[] {
    this.#load()
    return this.storedItems
  }

  has(item: string): boolean {
    this.#load()
    return this.#items.has(item) || this.#released.has(item)
  }

  /** Sets values without names. The first gets the name of the result, the others `z_1`, `z_2`. */
  set(...values: readonly unknown[]): this {
    for (const [index, value] of values.entries()) this.setItem(numbered(this.name, index), value)
    return this
  }

  /** Sets named values. */
  setItems(items: Readonly<Record<string, unknown>>): this {
    for (const [name, value] of Object.entries(items)) this.setItem(name, value)
    return this
  }

  /** Sets one value. @throws PypetError `PYPET_VALUE_UNSUPPORTED`, `PYPET_NAME_ILLEGAL` */
  setItem(name: string, value: unknown): this {
    this.root.assertChangeable(this, 'set')
    const where = `${this.fullName}.${name}`
    assertItemName(name, where)
    this.#items.set(name, toStoredValue(value, where))
    this.noteChange(`.${name}`)
    return this
  }

  /**
   * One item: by its name, by its number in pypet's numbering, or the only one.
   *
   * @throws PypetError `PYPET_ITEM_NOT_FOUND`, `PYPET_DATA_NOT_LOADED`, `PYPET_NAME_AMBIGUOUS` without a name if there are
   *   several items
   */
  get(item?: string | number): unknown {
    this.#load()
    const name = typeof item === 'number' ? numbered(this.name, item) : (item ?? this.#onlyItem())
    const value = this.#items.get(name)
    if (value !== undefined) return userValue(value)
    throw this.#isElsewhere(name) ? this.#notLoaded() : this.#notFound(name)
  }

  /**
   * The items as an instance of the user's class that they were stored from.
   *
   * @throws PypetError `PYPET_CLASS_UNKNOWN` if `dynamicImports` has no class with this name. The items are still readable
   */
  instance(): unknown {
    const { userClass } = this
    const found = userClass === undefined ? undefined : this.root.ownClass(userClass)
    if (found !== undefined) return found.load(this.toRecord() as never)
    const known = this.root.classNames.join(', ') || 'none'
    throw new PypetError(
      'PYPET_CLASS_UNKNOWN',
      this.userClass === undefined
        ? `${this.fullName} was not stored from a class`
        : `${this.fullName} was stored from the class ${this.userClass}, which is not given`,
      {
        where: this.fullName,
        hint: `Give it to loadTrajectory: { dynamicImports: [${this.userClass ?? '…'}] }. Available: ${known}.`,
      },
    )
  }

  /** All items by name. */
  toRecord(): Record<string, unknown> {
    this.#load()
    return Object.fromEntries([...this.#items].map(([name, value]) => [name, userValue(value)]))
  }

  /** Removes an item from memory. To remove a stored item from the file too, call `store` with `overwrite`. */
  removeItem(name: string): boolean {
    this.root.assertChangeable(this, 'remove an item of')
    if (this.#released.has(name)) {
      throw new PypetError(
        'PYPET_PARAMETER_LOCKED',
        `cannot remove the item ${name} of ${this.fullName}: this run has stored it`,
        { where: this.fullName, hint: 'Set it again, or remove the whole result.' },
      )
    }
    this.#load()
    const isRemoved = this.#items.delete(name)
    if (isRemoved) this.noteChange(`.${name}`)
    return isRemoved
  }

  /** Frees the memory. Stored items are read again on access. */
  empty(): void {
    this.root.assertChangeable(this, 'empty')
    for (const name of this.#items.keys()) this.forgetChange(`.${name}`)
    this.#items.clear()
    this.#isWhole = false
  }

  /** Frees items that a run has stored. They can be set again, but no longer removed. */
  release(items: readonly string[]): void {
    for (const name of items) this.#released.add(name)
    this.empty()
  }

  readonly #released = new Set<string>()

  /** Takes over the items that a run has added. */
  adoptItems(items: readonly StoredField[], userClass: string | undefined): void {
    for (const { name, value } of items) this.#items.set(name, value)
    this.userClass = userClass
  }

  /**
   * Takes over items from a file. Items that were set or removed in memory stay so, unless `overwrites` is set.
   *
   * @param isWhole true if these are all items in the file
   */
  restoreItems(items: readonly StoredField[], className: string, overwrites: boolean, isWhole = false): void {
    this.#loadedClassName = className
    this.#isWhole ||= isWhole
    for (const { name, value } of items) {
      if (!overwrites && (this.#items.has(name) || this.changes.has(`.${name}`))) continue
      this.#items.set(name, value)
      this.forgetChange(`.${name}`)
    }
  }

  /** True if no item is only in the file. */
  #isWhole = true

  override restore(comment: string, annotations: readonly StoredField[]): void {
    super.restore(comment, annotations)
    this.#isWhole = false
  }

  #load(): void {
    if (this.isStored && !this.#isWhole) this.root.autoLoadLeaf(this)
  }

  #onlyItem(): string {
    const [first, ...others] = new Set([...this.#released, ...this.#items.keys()])
    if (first === undefined)
      throw this.#isElsewhere(this.name) ? this.#notLoaded() : this.#notFound(this.name)
    if (others.length === 0) return first
    throw new PypetError('PYPET_NAME_AMBIGUOUS', `${this.fullName} has ${others.length + 1} items`, {
      where: this.fullName,
      hint: `Name one: ${[first, ...others].join(', ')}.`,
    })
  }

  #notFound(name: string): PypetError {
    const names = [...this.#items.keys()]
    return new PypetError('PYPET_ITEM_NOT_FOUND', `${this.fullName} has no item ${name}`, {
      where: this.fullName,
      hint: nearestHint(name, names, `It has: ${names.join(', ') || 'nothing'}.`),
    })
  }

  /** True if the result or this item is stored but not in memory. */
  #isElsewhere(item: string): boolean {
    return this.#released.has(item) || (this.isStored && this.#items.size === 0)
  }

  #notLoaded(): PypetError {
    return new PypetError('PYPET_DATA_NOT_LOADED', `${this.fullName} is stored, but not in memory`, {
      where: this.fullName,
      hint: `Load it: await traj.loadItem('${this.fullName}').`,
    })
  }
}

/** A result may have thousands. */
const ITEMS_SHOWN_MAX = 8
