/**
 * What `traj` has only in a job: one point of the parameter space, and what the run adds. Nothing is written before the
 * job returns. `tree/run` adds the members of the trajectory's tree.
 */
import { PypetError } from '../errors.ts'
import { runName } from '../names.ts'
import { instanceClassName, isStoring } from '../values/own-class.ts'
import {
  assertItemName,
  assertLegalName,
  assertNoRunName,
  type RunIndex,
  runLocation,
} from '../values/path.ts'
import { storedAnnotations } from '../values/unit.ts'
import {
  checkComment,
  type ParameterValue,
  type StorableValue,
  toStoredParameter,
  toStoredValue,
} from '../values/value.ts'
import { isNamedValues } from '../values/value-forms.ts'
import type { LogLevel } from './log-level.ts'
import type { ParameterTree, ParameterValues } from './parameter.ts'
import type { RunRandom } from './random.ts'
import type { GroupRecord, ItemRecord, LeafRecord, LinkRecord } from './run-record.ts'
import { fullNamesOf, type ItemName, type RunParts, StoredItems, type StoringRun } from './stored-items.ts'

export interface LeafOptions {
  /** Stored once: a later result with the same comment does not repeat it (`purgeDuplicateComments`). */
  readonly comment?: string
  /** Named values next to the data: numbers, strings, booleans, dates, lists and arrays. */
  readonly annotations?: Readonly<Record<string, StorableValue>>
  /** Short for `annotations: { unit }`: a text of at most 64 bytes, like `mV`. If all runs have the same, it is stored once. */
  readonly unit?: string
}

/** Writes lines to the log file of the worker that executes the run. */
export interface RunLog {
  error(message: string): void
  warn(message: string): void
  info(message: string): void
  debug(message: string): void
}

/** Several named values of one result. */
export type ResultItems = { readonly [item: string]: StorableValue }

/** A run without its tree. */
export interface BareRun<Tree = ParameterTree> {
  /** Index of this run, from 0. pypet's `v_idx`. */
  readonly idx: RunIndex
  /** `run_00000012`. pypet's `v_crun`. */
  readonly name: string
  /** Number of runs of the exploration. */
  readonly length: number
  /** If true, adding an existing node of this run keeps it instead of throwing. The script's trajectory sets the default. */
  noClobber: boolean
  /**
   * The parameters at this point, by natural naming. You may leave out groups. An unknown name throws
   * `PYPET_PARAMETER_UNKNOWN`. Arrays and lists of lists are copies for this run, and you may write into them. Flat lists
   * are frozen.
   */
  readonly par: ParameterValues<Tree>
  readonly log: RunLog
  /**
   * Random numbers of this run. They depend only on the experiment's `seed` and the values of all parameters in this run,
   * not on worker, order, attempt or other points.
   */
  readonly random: RunRandom
  /** A whole number below 2^53 that depends on the same, for your own generators. */
  readonly seed: number
  /**
   * Adds a result: one value, or several named ones. Dots in the name make groups. The result goes below
   * `results.runs.<run name>`, unless a `$` in the name says where the run's name belongs. `$set`
   * stands for the name of the run set. Arrays are not copied until the job returns.
   *
   * @throws PypetError `PYPET_VALUE_UNSUPPORTED`, `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN`; `PYPET_RUN_ENDED`
   * after the job has returned
   */
  addResult(name: string, value: StorableValue | ResultItems | OwnResult, options?: LeafOptions): void
  /** Adds a value computed from parameters to the branch `derived_parameters`, in the same way. */
  addDerivedParameter(name: string, value: ParameterValue, options?: LeafOptions): void
  /**
   * Adds a link below `results` to something that this run added earlier. Name the target as it was added (a result comes
   * before a derived parameter) or by its full name.
   *
   * @throws PypetError `PYPET_NODE_NOT_FOUND`, `PYPET_NAME_ILLEGAL`, `PYPET_NAME_TAKEN`, `PYPET_RUN_ENDED`
   */
  addLink(name: string, target: string): void
}

/** An instance of your own class. Its `store()` gives the items to store, and its class restores it. */
export interface OwnResult {
  store(): ResultItems
}

/** The implementation of a run. It collects what the job adds. */
export class LiveRun implements BareRun, Pick<StoringRun, 'storeItem' | 'storeItems' | 'store'> {
  readonly idx: RunIndex
  readonly name: string
  readonly length: number
  readonly par: ParameterValues<ParameterTree>
  readonly log: RunLog
  noClobber = false
  readonly #leaves = new Map<string, LeafRecord>()
  readonly #links = new Map<string, string>()
  /** Groups of this run: they hold its leaves, or belong to the run itself. */
  readonly #groups = new Set<string>()
  readonly #openParts: () => RunParts
  #storedItems: StoredItems | undefined
  readonly #makeSeeds: () => Pick<BareRun, 'seed' | 'random'>
  #seeds: Pick<BareRun, 'seed' | 'random'> | undefined
  #hasEnded = false

  constructor(point: {
    readonly run: RunIndex
    readonly runCount: number
    readonly par: ParameterValues<ParameterTree>
    /** Called when the job first asks for a seed or a random number. */
    readonly seeds: () => Pick<BareRun, 'seed' | 'random'>
    readonly writeLog: (level: LogLevel, message: string) => void
    /** Called when the job first stores something before its end, or loads something. */
    readonly parts: () => RunParts
  }) {
    this.idx = point.run
    this.name = runName(point.run)
    this.length = point.runCount
    this.par = point.par
    this.#makeSeeds = point.seeds
    this.#openParts = point.parts
    for (const branch of ['results', 'derived_parameters']) this.#groups.add(`${branch}.runs.${this.name}`)
    this.log = {
      error: (message) => point.writeLog('error', message),
      warn: (message) => point.writeLog('warn', message),
      info: (message) => point.writeLog('info', message),
      debug: (message) => point.writeLog('debug', message),
    }
  }

  get random(): RunRandom {
    this.#seeds ??= this.#makeSeeds()
    return this.#seeds.random
  }

  get seed(): number {
    this.#seeds ??= this.#makeSeeds()
    return this.#seeds.seed
  }

  addResult(name: string, given: StorableValue | ResultItems | OwnResult, options: LeafOptions = {}): void {
    const where = `results.${name}`
    const userClass = isStoring(given) ? given.constructor.name : undefined
    const value: unknown = isStoring(given) ? given.store() : given
    const items = isNamedValues(value)
      ? Object.entries(value).map(([item, entry]) => toItem(item, entry, `${where}.${item}`))
      : [toItem(lastPart(name), value, where)]
    if (items.length === 0) {
      throw new PypetError('PYPET_VALUE_UNSUPPORTED', `${where} cannot be stored: found an empty object`, {
        where,
        hint: 'Give the result at least one named value, like { z: 1 }.',
      })
    }
    this.#add('results', name, {
      kind: 'result',
      ...described(options, where),
      ...(userClass !== undefined && { userClass }),
      items,
    })
  }

  addDerivedParameter(name: string, value: ParameterValue, options: LeafOptions = {}): void {
    const where = `derived_parameters.${name}`
    const items = [{ name: 'data', value: toStoredParameter(value, where) }]
    const userClass = instanceClassName(value)
    this.#add('derived_parameters', name, {
      kind: 'parameter',
      ...described(options, where),
      ...(userClass !== undefined && { userClass }),
      items,
    })
  }

  addLink(name: string, target: string): void {
    this.linkTo(name, fullNamesOf(target, this.idx).find(this.#hasAdded) ?? target)
  }

  /** Links to something that this run has added, by its full name. @throws like `addLink` */
  protected linkTo(name: string, target: string): void {
    const where = `results.${name}`
    this.assertOpen(where)
    if (typeof target !== 'string') throw noTargetName(where)
    assertNoRunName(name, where)
    const location = runLocation('results', name, this.idx)
    assertLegalName(location, where)
    if (!this.#hasAdded(target)) {
      throw new PypetError(
        'PYPET_NODE_NOT_FOUND',
        `${where} cannot lead to ${target}: this run has not added it`,
        {
          where,
          hint: 'Add the target first. Name it as it was added, or by its full name.',
        },
      )
    }
    this.#assertFree(location, where)
    this.#links.set(location, target)
    this.onLinked({ location, target })
  }

  readonly #hasAdded = (fullName: string): boolean => this.#leaves.has(fullName) || this.#groups.has(fullName)

  async storeItem(item: ItemName): Promise<void> {
    await this.storeItems([item])
  }

  async storeItems(items: readonly ItemName[]): Promise<void> {
    await this.stored.store(items.map((item) => this.resolved(item)))
  }

  async store(): Promise<void> {
    await this.stored.store(undefined)
  }

  /** Storing that the job did not await; rejects if storing fails. */
  get storing(): Promise<unknown> | undefined {
    return this.#storedItems?.pending
  }

  /** @throws PypetError `PYPET_RUN_ENDED` */
  protected get stored(): StoredItems {
    this.assertOpen('what is stored or loaded')
    this.#storedItems ??= new StoredItems(this.#leaves, this.#openParts(), {
      idx: this.idx,
      name: this.name,
      current: (leaf) => this.current(leaf),
      onReleased: (location, items) => this.onReleased(location, items),
    })
    return this.#storedItems
  }

  /** The item that a shortcut means. */
  protected resolved(item: ItemName): ItemName {
    return item
  }

  /** The current state of a leaf that was added. */
  protected current(leaf: LeafRecord): LeafRecord {
    return leaf
  }

  /** Called when these items of a leaf are stored and need no memory. */
  protected onReleased(_location: string, _items: readonly string[]): void {}

  /** The links, after `end`. */
  get links(): readonly LinkRecord[] {
    return [...this.#links].map(([location, target]) => ({ location, target }))
  }

  /** Groups of this run that are not just parents of its leaves, after `end`. */
  get groups(): readonly GroupRecord[] {
    return []
  }

  /** Everything added, in the order of adding. Nothing can be added afterwards, because it would be lost. */
  end(): readonly LeafRecord[] {
    this.#hasEnded = true
    return this.added
  }

  /** Everything added so far, as it was when added. */
  protected get added(): readonly LeafRecord[] {
    return [...this.#leaves.values()]
  }

  /** Called with each leaf and link that is added. */
  protected onAdded(_leaf: LeafRecord): void {}

  protected onLinked(_link: LinkRecord): void {}

  /** The leaf or link was removed, and its name is free. */
  protected forget(location: string): void {
    this.#leaves.delete(location)
    this.#links.delete(location)
  }

  /** @throws PypetError `PYPET_RUN_ENDED` */
  protected assertOpen(where: string): void {
    if (this.#hasEnded) throw hasEnded(this.name, where)
  }

  #add(branch: 'results' | 'derived_parameters', name: string, leaf: Omit<LeafRecord, 'location'>): void {
    this.assertOpen(`${branch}.${name}`)
    assertNoRunName(name, `${branch}.${name}`)
    const location = runLocation(branch, name, this.idx)
    assertLegalName(location, `${branch}.${name}`)
    checkComment(leaf.comment, `the comment of ${branch}.${name}`)
    if (this.noClobber && this.#leaves.has(location)) return
    this.#assertFree(location, `${branch}.${name}`)
    const added = { location, ...leaf }
    this.#leaves.set(location, added)
    this.onAdded(added)
  }

  /** A location is taken by a leaf or group of that name, or by a leaf above it. */
  #assertFree(location: string, where: string): void {
    const taken = (found: string) =>
      new PypetError('PYPET_NAME_TAKEN', `${where} cannot be added: ${found}`, {
        where,
        hint: 'Choose another name, or add several values at once: addResult(name, { a: 1, b: 2 }).',
      })
    if (this.#links.has(location)) throw taken(`this run already has a link ${location}`)
    if (this.#leaves.has(location)) throw taken(`this run already has ${location}`)
    if (this.#groups.has(location)) throw taken(`${location} is already a group`)
    for (let dot = location.lastIndexOf('.'); dot > 0; dot = location.lastIndexOf('.', dot - 1)) {
      const group = location.slice(0, dot)
      if (this.#leaves.has(group)) throw taken(`${group} is already a result, which cannot hold other nodes`)
      this.#groups.add(group)
    }
  }
}

function described(options: LeafOptions, where: string): Pick<LeafRecord, 'comment' | 'annotations'> {
  const { comment = '' } = options
  const annotations = storedAnnotations(options, where)
  return annotations === undefined ? { comment } : { comment, annotations }
}

function hasEnded(run: string, where: string): PypetError {
  return new PypetError('PYPET_RUN_ENDED', `${where} cannot be added: ${run} has ended`, {
    where,
    hint: 'Await everything that adds results: make the job async and return when all are added.',
  })
}

function toItem(name: string, value: unknown, where: string): ItemRecord {
  assertItemName(name, where)
  return { name, value: toStoredValue(value, where) }
}

/** `$` and `$set` cannot name an item. The item of `sub.$` has the name that the wildcard stands for. */
function lastPart(name: string): string {
  const part = name.slice(name.lastIndexOf('.') + 1)
  return part === '$' ? 'run' : part === '$set' ? 'set' : part
}

function noTargetName(where: string): PypetError {
  return new PypetError('PYPET_USAGE', `${where} cannot be added: its target is not a name`, {
    where,
    hint: "Name something that this run has added, as it was added: traj.addLink('best', 'group.z').",
  })
}
