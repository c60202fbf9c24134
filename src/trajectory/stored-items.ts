/**
 * Results that a run stores before it ends. They belong to the attempt: out of memory at once, in the file when the run
 * is complete, and dropped with an attempt that fails. Where they are until then is told by `RunParts`.
 */
import { PypetError } from '../errors.ts'
import { BRANCHES, type RunIndex, runLocation } from './path.ts'
import { toStoredValue } from './raw-value.ts'
import { encodeRunFrame, type RawLeaf } from './run-frame.ts'
import type { LeafRecord, PartPlace } from './run-record.ts'
import { userValue } from './user-value.ts'

/** The place of one attempt's parts. */
export interface RunParts {
  /** Resolves when all frames are durable. */
  write(frames: readonly (readonly Uint8Array[])[]): Promise<readonly PartPlace[]>
  /** The leaf with the items of all its parts. */
  whole(leaf: LeafRecord): Promise<RawLeaf>
  /** What the trajectory held before the experiment began; undefined where it held no such thing. */
  before(name: string): Promise<readonly RawLeaf[] | undefined>
}

/** By the name it was added with, by its full name, or as a node. */
export type ItemName = string | { readonly fullName: string }

export interface LoadStoredOptions {
  /** Only these items of a result. */
  readonly only?: string | readonly string[]
  /** All items but these. */
  readonly except?: string | readonly string[]
}

export class StoredItems {
  readonly #run: { readonly idx: RunIndex; readonly name: string }
  /** The run's own, which gets a word of where the items are in the place of the items. */
  readonly #leaves: Map<string, LeafRecord>
  readonly #parts: RunParts
  /** One after the other. */
  #work: Promise<unknown> | undefined

  constructor(
    run: { readonly idx: RunIndex; readonly name: string },
    leaves: Map<string, LeafRecord>,
    parts: RunParts,
  ) {
    this.#run = run
    this.#leaves = leaves
    this.#parts = parts
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

  /** @throws PypetError `PYPET_DATA_NOT_STORED`, `PYPET_USAGE`, `PYPET_STORAGE_FAILED` */
  async load(name: ItemName, options: LoadStoredOptions = {}): Promise<unknown> {
    const wants = wantedItems(options)
    const own = this.#locationsOf(name)
    const leaves =
      own.length > 0
        ? await this.#after(async () => await Promise.all(own.map((location) => this.#whole(location))))
        : await this.#parts.before(textOf(name))
    if (leaves === undefined || leaves.length === 0) throw this.#notStored(textOf(name))
    const [first] = leaves as readonly [RawLeaf]
    const asked = [
      ...fullNamesOf(textOf(name), this.#run.idx),
      ...BRANCHES.map((branch) => `${branch}.${textOf(name)}`),
    ].find((each) => isAtOrBelow(first.location, each))
    if (leaves.length === 1 && (asked === undefined || asked === first.location))
      return leafValue(first, wants)
    const prefix = asked === undefined ? 0 : asked.length + 1
    return Object.fromEntries(leaves.map((leaf) => [leaf.location.slice(prefix), leafValue(leaf, wants)]))
  }

  async #storeLeaves(locations: readonly string[]): Promise<void> {
    const leaves = [...new Set(locations)]
      .map((location) => this.#leaves.get(location) as LeafRecord)
      .filter(({ items }) => items.length > 0)
    if (leaves.length === 0) return
    const places = await this.#parts.write(leaves.map((leaf) => this.#frameOf(leaf)))
    for (const [index, leaf] of leaves.entries()) {
      const { location, parts = [] } = leaf
      // What was changed meanwhile is in memory, whole, and stays there.
      if (this.#leaves.get(location) !== leaf) continue
      this.#leaves.set(location, { ...leaf, items: [], parts: [...parts, places[index] as PartPlace] })
    }
  }

  #frameOf({ location, kind, items }: LeafRecord): Uint8Array[] {
    const leaves = [{ location, kind, comment: '', items }]
    return encodeRunFrame({ run: this.#run.idx, startTimestamp: 0, finishTimestamp: 0, leaves })
  }

  async #whole(location: string): Promise<RawLeaf> {
    return await this.#parts.whole(this.#leaves.get(location) as LeafRecord)
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
    const found = this.#locationsOf(name)
    if (found.length > 0) return found
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

  /** Of the leaf of this name, or of all in the group of this name. */
  #locationsOf(name: ItemName): readonly string[] {
    for (const fullName of fullNamesOf(textOf(name), this.#run.idx)) {
      if (this.#leaves.has(fullName)) return [fullName]
      const below = [...this.#leaves.keys()].filter((location) => isAtOrBelow(location, fullName))
      if (below.length > 0) return below
    }
    return []
  }

  #notStored(name: string): PypetError {
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

function textOf(name: ItemName): string {
  return typeof name === 'string' ? name : name.fullName
}

function fullNamesOf(name: string, run: RunIndex): readonly string[] {
  return [runLocation('results', name, run), runLocation('derived_parameters', name, run), name]
}

function isAtOrBelow(location: string, group: string): boolean {
  return location === group || location.startsWith(`${group}.`)
}

/** The value of a parameter, or of a result with one item; else the items by name. */
function leafValue({ items }: RawLeaf, wants: (item: string) => boolean): unknown {
  const values = items
    .filter(({ name }) => wants(name))
    .map(({ name, value }) => [name, userValue(toStoredValue(value))] as const)
  if (items.length === 1 && values.length === 1) return values[0]?.[1]
  return Object.fromEntries(values)
}

function wantedItems({ only, except }: LoadStoredOptions): (item: string) => boolean {
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
  return { ...leaf, items: items.map(({ name, value }) => ({ name, value: toStoredValue(value) })) }
}
