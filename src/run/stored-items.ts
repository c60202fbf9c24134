/**
 * Results that a run stores before it ends. They belong to the attempt: out of memory at once, in the file when the run
 * is complete, and dropped with an attempt that fails. Where they are until then is told by `RunParts`.
 */
import { type ErrorRecord, PypetError } from '../errors.ts'
import { receivedValue } from '../values/exact-integer.ts'
import type { OwnClass } from '../values/own-class.ts'
import { type RunIndex, runLocation } from '../values/path.ts'
import { storedOfRaw } from '../values/raw-value.ts'
import { userValue } from '../values/user-value.ts'
import { encodeRunFrame, type RawLeaf } from './run-frame.ts'
import type { LeafRecord, PartPlace } from './run-record.ts'

/** The place of one attempt's parts. */
export interface RunParts {
  /** Resolves when all frames are durable. */
  write(frames: readonly (readonly Uint8Array[])[]): Promise<readonly PartPlace[]>
  /** The leaf with the items of all its parts. */
  whole(leaf: LeafRecord): Promise<RawLeaf>
  /** A leaf that the trajectory held when the runs began, by its full name; undefined where it held no such thing. */
  before(fullName: string): Promise<RawLeaf | undefined>
}

/** Where the parts of all attempts are. */
export interface PartsPlace {
  /** Made with the first part; whoever has named it removes it. */
  readonly folder: string
  /** The storage reads them from there; else a run is handed over whole. */
  readonly areTaken: boolean
}

/** Main reads for a worker, which knows no HDF5: a leaf of the trajectory by its full name, in a run frame. It never rejects. */
export type StoredBefore = (fullName: string) => Promise<StoredBeforeAnswer>
/** Undefined where the file has no such leaf. */
export type StoredBeforeAnswer = { readonly frame: Uint8Array } | { readonly error: ErrorRecord } | undefined

/** By the name it was added with, by its full name, or as a node. */
export type ItemName = string | { readonly fullName: string }

export interface LoadStoredOptions {
  /** Only these items of a result. */
  readonly only?: string | readonly string[]
  /** All items but these. */
  readonly except?: string | readonly string[]
}

/** What a run stores and loads before its end. */
export interface StoringRun {
  /**
   * Stores a result or derived parameter of this run now, or all of a group: by the name it was added with. When it
   * resolves, it is on the disk and out of memory. It belongs to this attempt of the run: it is in the file when the run is
   * complete, and gone when the run fails. Its arrays must not change before that. What is stored already costs nothing.
   *
   * @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_RUN_ENDED`; `PYPET_STORAGE_FAILED` when there is no place for it:
   * then it stays in memory
   */
  storeItem(item: ItemName): Promise<void>
  /** As `storeItem`, several, in this order. */
  storeItems(items: readonly ItemName[]): Promise<void>
  /** As `storeItem`, everything that this run has added until now. */
  store(): Promise<void>
  /**
   * Gives what this run has added or stored, or what the trajectory held when the runs began; never what other runs store: the
   * value of a parameter and of a result with one item, the items by name of others, and of a group all that is below it, by
   * name. It is read anew each time, and the run does not keep it; only parameters are those of `traj.par`.
   *
   * @throws PypetError `PYPET_DATA_NOT_STORED`, `PYPET_STORAGE_FAILED`, `PYPET_USAGE` for both `only` and `except`
   */
  loadItem<Value = unknown>(item: ItemName, options?: LoadStoredOptions): Promise<Value>
  /** As `loadItem`, several, in this order. */
  loadItems(items: readonly ItemName[], options?: LoadStoredOptions): Promise<unknown[]>
  /** As `loadItem`. */
  load<Value = unknown>(item: ItemName, options?: LoadStoredOptions): Promise<Value>
}

/** The run, as far as it concerns what it stores. */
export interface StoringOwner {
  readonly idx: RunIndex
  readonly name: string
  /** A leaf as it is now. */
  readonly current: (leaf: LeafRecord) => LeafRecord
  readonly onReleased: (location: string, items: readonly string[]) => void
}

export class StoredItems {
  readonly #run: StoringOwner
  /** The run's own, which get a word of where the items are in the place of the items. */
  readonly #leaves: Map<string, LeafRecord>
  readonly #parts: RunParts
  /** One after the other. */
  #work: Promise<unknown> | undefined

  constructor(leaves: Map<string, LeafRecord>, parts: RunParts, run: StoringOwner) {
    this.#leaves = leaves
    this.#parts = parts
    this.#run = run
  }

  /** What is not durable yet; rejects as `store`. */
  get pending(): Promise<unknown> | undefined {
    return this.#work
  }

  /** @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_STORAGE_FAILED`; then it is in memory still */
  async store(names: readonly ItemName[] | undefined): Promise<void> {
    const locations =
      names === undefined ? [...this.#leaves.keys()] : names.flatMap((name) => this.#own(name))
    await this.#after(async () => {
      await this.#storeLeaves(locations)
    })
  }

  /** The full name of what the run has added by this name: a leaf, or a group of some; undefined where there is none. */
  fullNameOf(name: ItemName): string | undefined {
    const locations = [...this.#leaves.keys()]
    return fullNamesOf(textOf(name), this.#run.idx).find((fullName) =>
      locations.some((location) => isAtOrBelow(location, fullName)),
    )
  }

  /** A leaf that the trajectory or this run has, by its full name. @throws PypetError `PYPET_DATA_NOT_STORED`, `PYPET_STORAGE_FAILED` */
  async read(fullName: string): Promise<RawLeaf> {
    const leaf = this.#leaves.has(fullName)
      ? await this.#after(async () => await this.#parts.whole(this.#currentAt(fullName)))
      : await this.#parts.before(fullName)
    if (leaf === undefined || leaf.items.length === 0) throw this.notStored(fullName)
    return leaf
  }

  async #storeLeaves(locations: readonly string[]): Promise<void> {
    const leaves = [...new Set(locations)]
      .filter((location) => this.#leaves.has(location))
      .map((location) => this.#currentAt(location))
      .filter(({ items }) => items.length > 0)
    if (leaves.length === 0) return
    const places = await this.#parts.write(leaves.map((leaf) => this.#frameOf(leaf)))
    for (const [index, { location, items }] of leaves.entries()) {
      const added = this.#leaves.get(location)
      // What was changed or removed meanwhile is in memory, whole, and stays there.
      if (added === undefined || !areSame(this.#currentAt(location).items, items)) continue
      const parts = [...(added.parts ?? []), places[index] as PartPlace]
      this.#leaves.set(location, { ...added, items: [], parts })
      this.#run.onReleased(
        location,
        items.map(({ name }) => name),
      )
    }
  }

  #currentAt(location: string): LeafRecord {
    return this.#run.current(this.#leaves.get(location) as LeafRecord)
  }

  #frameOf({ location, kind, items }: LeafRecord): Uint8Array[] {
    const leaves = [{ location, kind, comment: '', items }]
    return encodeRunFrame({ run: this.#run.idx, startTimestamp: 0, finishTimestamp: 0, leaves })
  }

  /** One at a time: also what a job does not await is stored in its order. */
  async #after<Value>(action: () => Promise<Value>): Promise<Value> {
    const before = this.#work ?? Promise.resolve()
    const own = before.catch(() => undefined).then(action)
    this.#work = own
    try {
      return await own
    } finally {
      if (this.#work === own) this.#work = undefined
    }
  }

  #own(name: ItemName): readonly string[] {
    const fullName = this.fullNameOf(name)
    if (fullName !== undefined) {
      return [...this.#leaves.keys()].filter((location) => isAtOrBelow(location, fullName))
    }
    const where = textOf(name)
    throw new PypetError(
      'PYPET_NODE_NOT_FOUND',
      `${where} cannot be stored: ${this.#run.name} has not added it`,
      {
        where,
        hint: 'Name it as it was added: traj.addResult("big", data), then await traj.storeItem("big").',
      },
    )
  }

  notStored(item: ItemName): PypetError {
    const name = textOf(item)
    return new PypetError(
      'PYPET_DATA_NOT_STORED',
      `${name} was stored neither by ${this.#run.name} nor before the experiment began`,
      {
        where: name,
        hint: 'A run reads what it has stored itself, and what was stored before: not what other runs store.',
      },
    )
  }
}

export function textOf(name: ItemName): string {
  return typeof name === 'string' ? name : name.fullName
}

/** What a name may stand for: the one that something was added with, or the full one. */
export function fullNamesOf(name: string, run: RunIndex): readonly string[] {
  return [runLocation('results', name, run), runLocation('derived_parameters', name, run), name]
}

function isAtOrBelow(location: string, group: string): boolean {
  return location === group || location.startsWith(`${group}.`)
}

/**
 * The value of a parameter, as an instance where it is one of a class that is known, or of a result with one item; else the
 * items by name. What comes back is the caller's own.
 */
export function loadedValue(
  { kind, userClass, items }: Pick<RawLeaf, 'kind' | 'userClass' | 'items'>,
  wants: (item: string) => boolean,
  classOf: (name: string) => OwnClass | undefined,
): unknown {
  if (kind === 'result') return itemValues(items, wants)
  const own = userClass === undefined ? undefined : classOf(userClass)
  const value = itemValues(items, () => true)
  return own === undefined ? value : own.load(value as never)
}

function itemValues(items: RawLeaf['items'], wants: (item: string) => boolean): unknown {
  const values = items
    .filter(({ name }) => wants(name))
    .map(({ name, value }) => [name, userValue(receivedValue(value))] as const)
  if (items.length === 1 && values.length === 1) return values[0]?.[1]
  return Object.fromEntries(values)
}

export function wantedItems({ only, except }: LoadStoredOptions): (item: string) => boolean {
  if (only !== undefined && except !== undefined) {
    throw new PypetError('PYPET_USAGE', 'only and except exclude each other', {
      where: 'only',
      hint: 'Give one of them.',
    })
  }
  const named = new Set<string>([only ?? except ?? []].flat())
  if (only !== undefined) return (item) => named.has(item)
  return (item) => !named.has(item)
}

function areSame(a: LeafRecord['items'], b: LeafRecord['items']): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, value }, index) => b[index]?.name === name && b[index].value === value)
  )
}

/** The items of all parts and of what is in memory; of one name the last, in the place of the first. */
export function joinedItems<Item extends { readonly name: string }>(
  parts: readonly (readonly Item[])[],
): readonly Item[] {
  const joined = new Map<string, Item>()
  for (const items of parts) for (const item of items) joined.set(item.name, item)
  return [...joined.values()]
}

/** The whole leaf in memory again, for whoever takes no parts. */
export function inMemory({ items }: RawLeaf, { parts: _parts, ...leaf }: LeafRecord): LeafRecord {
  return { ...leaf, items: items.map(({ name, value }) => ({ name, value: storedOfRaw(value) })) }
}
