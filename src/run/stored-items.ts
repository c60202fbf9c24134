/**
 * Results that a run stores before it ends. They belong to the attempt: they leave memory at once, reach the file when the
 * run is complete, and are dropped if the attempt fails. `RunParts` keeps them until then.
 */
import { type ErrorRecord, PypetError } from '../errors.ts'
import { receivedValue } from '../values/exact-integer.ts'
import type { OwnClass } from '../values/own-class.ts'
import { type RunIndex, runLocation } from '../values/path.ts'
import { storedOfRaw } from '../values/raw-value.ts'
import { userValue } from '../values/user-value.ts'
import { encodeRunFrame, type RawLeaf } from './run-frame.ts'
import type { LeafRecord, PartPlace } from './run-record.ts'

/** Storage for the parts of one attempt. */
export interface RunParts {
  /** Resolves when all frames are durable. */
  write(frames: readonly (readonly Uint8Array[])[]): Promise<readonly PartPlace[]>
  /** The leaf with the items of all its parts. */
  whole(leaf: LeafRecord): Promise<RawLeaf>
  /** A leaf that the trajectory had when the runs began, by its full name; undefined if it had none. */
  before(fullName: string): Promise<RawLeaf | undefined>
}

/** Where the parts of all attempts are kept. */
export interface PartsPlace {
  /** Made with the first part. Whoever chose the name removes it. */
  readonly folder: string
  /** True if the storage reads parts from there. Otherwise a run is handed over whole. */
  readonly areTaken: boolean
}

/** Reads a leaf of the trajectory by its full name, as a run frame. Main reads for workers. Never rejects. */
export type StoredBefore = (fullName: string) => Promise<StoredBeforeAnswer>
/** Undefined if the file has no such leaf. */
export type StoredBeforeAnswer = { readonly frame: Uint8Array } | { readonly error: ErrorRecord } | undefined

/** The name it was added with, its full name, or a node. */
export type ItemName = string | { readonly fullName: string }

export interface LoadStoredOptions {
  /** Only these items of a result. */
  readonly only?: string | readonly string[]
  /** All items except these. */
  readonly except?: string | readonly string[]
}

/** How a run stores and loads before its end. */
export interface StoringRun {
  /**
   * Stores a result or derived parameter of this run now, or all of a group. Give the name it was added with. When the
   * promise resolves, the data is on disk and out of memory. It belongs to this attempt: it is in the file when the run is
   * complete, and is dropped if the run fails. Do not change its arrays before that. Items that are already stored cost
   * nothing.
   *
   * @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_RUN_ENDED`; `PYPET_STORAGE_FAILED` if there is no space. The data
   * then stays in memory
   */
  storeItem(item: ItemName): Promise<void>
  /** Like `storeItem`, for several items in this order. */
  storeItems(items: readonly ItemName[]): Promise<void>
  /** Like `storeItem`, for everything that this run has added so far. */
  store(): Promise<void>
  /**
   * Loads what this run has added or stored, or what the trajectory had when the runs began, but not what other runs store.
   * Gives the value of a parameter or of a result with one item, the items by name of other results, and everything below
   * a group by name. It is read again each time, and the run does not keep it. Only parameters come from `traj.par`.
   *
   * @throws PypetError `PYPET_DATA_NOT_STORED`, `PYPET_STORAGE_FAILED`, `PYPET_USAGE` for both `only` and `except`
   */
  loadItem<Value = unknown>(item: ItemName, options?: LoadStoredOptions): Promise<Value>
  /** Like `loadItem`, for several items in this order. */
  loadItems(items: readonly ItemName[], options?: LoadStoredOptions): Promise<unknown[]>
  /** Like `loadItem`. */
  load<Value = unknown>(item: ItemName, options?: LoadStoredOptions): Promise<Value>
}

/** The part of the run that storing uses. */
export interface StoringOwner {
  readonly idx: RunIndex
  readonly name: string
  /** The current state of a leaf. */
  readonly current: (leaf: LeafRecord) => LeafRecord
  readonly onReleased: (location: string, items: readonly string[]) => void
}

export class StoredItems {
  readonly #run: StoringOwner
  /** The run's own leaves. Stored items are replaced by their places. */
  readonly #leaves: Map<string, LeafRecord>
  readonly #parts: RunParts
  /** Runs one at a time. */
  #work: Promise<unknown> | undefined

  constructor(leaves: Map<string, LeafRecord>, parts: RunParts, run: StoringOwner) {
    this.#leaves = leaves
    this.#parts = parts
    this.#run = run
  }

  /** What is not durable yet; rejects like `store`. */
  get pending(): Promise<unknown> | undefined {
    return this.#work
  }

  /** @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_STORAGE_FAILED`. The items then stay in memory */
  async store(names: readonly ItemName[] | undefined): Promise<void> {
    const locations =
      names === undefined ? [...this.#leaves.keys()] : names.flatMap((name) => this.#own(name))
    await this.#after(async () => {
      await this.#storeLeaves(locations)
    })
  }

  /** The full name of a leaf or a group with leaves that the run has added by this name; undefined if there is none. */
  fullNameOf(name: ItemName): string | undefined {
    const locations = [...this.#leaves.keys()]
    return fullNamesOf(textOf(name), this.#run.idx).find((fullName) =>
      locations.some((location) => isAtOrBelow(location, fullName)),
    )
  }

  /** A leaf of the trajectory or this run, by full name. @throws PypetError `PYPET_DATA_NOT_STORED`, `PYPET_STORAGE_FAILED` */
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
      // Items that were changed or removed in the meantime are whole in memory and stay there.
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

  /** Runs one action at a time, so that storing keeps its order even without await. */
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
        hint: 'A run can read what it has stored itself and what was stored before the experiment, but not what other runs store.',
      },
    )
  }
}

export function textOf(name: ItemName): string {
  return typeof name === 'string' ? name : name.fullName
}

/** The full names that a name may stand for: below the run, or as given. */
export function fullNamesOf(name: string, run: RunIndex): readonly string[] {
  return [runLocation('results', name, run), runLocation('derived_parameters', name, run), name]
}

function isAtOrBelow(location: string, group: string): boolean {
  return location === group || location.startsWith(`${group}.`)
}

/**
 * The value of a parameter (an instance, if its class is known) or of a result with one item; otherwise the items by
 * name. The returned value belongs to the caller.
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
    throw new PypetError('PYPET_USAGE', 'only and except cannot be used together', {
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

/** The items of all parts and of memory. For the same name, the last item takes the place of the first. */
export function joinedItems<Item extends { readonly name: string }>(
  parts: readonly (readonly Item[])[],
): readonly Item[] {
  const joined = new Map<string, Item>()
  for (const items of parts) for (const item of items) joined.set(item.name, item)
  return [...joined.values()]
}

/** The whole leaf in memory again, for storage that takes no parts. */
export function inMemory({ items }: RawLeaf, { parts: _parts, ...leaf }: LeafRecord): LeafRecord {
  return { ...leaf, items: items.map(({ name, value }) => ({ name, value: storedOfRaw(value) })) }
}
