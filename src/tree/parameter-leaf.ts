/** Parameters: a default, a range if they are explored, a lock (pypet `parameter.py`). */
import { PypetError } from '../errors.ts'
import { storedLike } from '../exploration/explored-object.ts'
import { type ParameterRange, rangeSize, rangeValue } from '../run/parameter-range.ts'
import { CheckedValue, instanceClassName, type OwnClass, ownClassOf } from '../values/own-class.ts'
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { typeName } from '../values/stored-value.ts'
import { userValue } from '../values/user-value.ts'
import { toStoredParameter } from '../values/value.ts'
import { valueKey } from '../values/value-key.ts'
import { type Above, NodeIn, type NodeRoot, type SomeNode } from './node.ts'
import { shownValue } from './shown-value.ts'

/** A parameter as the job of one run sees it. */
export interface ValueOfRun {
  readonly get: () => unknown
  readonly isExplored: boolean
}

/** What a parameter uses of its trajectory. */
export interface ParameterRoot extends NodeRoot {
  /** The run whose value it shows; -1 for its default. */
  readonly idx: RunIndex
  readonly length: number
  /** Reads it from the file, if the trajectory has `autoLoad`. */
  autoLoadLeaf(leaf: SomeNode): void
  ownClass(name: string): OwnClass | undefined
  learnClass(own: OwnClass): void
  missClass(name: string, fullName: string): void
}

export class ParameterLeaf<Group extends Above<Root>, Root extends ParameterRoot> extends NodeIn<
  Group,
  Root
> {
  readonly isLeaf = true
  readonly isParameter = true
  protected readonly kind = 'Parameter'
  /** The name of the user's own class, if the value is an instance of one. */
  userClass: string | undefined
  #value: StoredValue | undefined
  #range: ParameterRange | undefined
  #isLocked = false
  #ofRun: ValueOfRun | undefined

  protected shown(): string {
    const { idx } = this.root
    const value = this.#range === undefined || idx < 0 ? this.#value : rangeValue(this.#range, idx)
    if (value === undefined) return 'not loaded'
    const explored = this.#range === undefined ? '' : `, explored with ${rangeSize(this.#range)} values`
    return `${shownValue(value)}${explored}`
  }

  /** The stored value; undefined while it is not loaded. */
  get stored(): StoredValue | undefined {
    this.#load()
    return this.#value
  }

  get range(): ParameterRange | undefined {
    this.#load()
    return this.#range
  }

  get isEmpty(): boolean {
    return this.#value === undefined
  }

  get isExplored(): boolean {
    return this.#ofRun?.isExplored ?? this.range !== undefined
  }

  /** Number of values: 1 unless it is explored. */
  get length(): number {
    if (this.#ofRun?.isExplored === true) return this.root.length
    return this.range === undefined ? 1 : rangeSize(this.range)
  }

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** Locks the parameter until `unlock`. Reading also locks it, so that no later change can contradict the value read. */
  lock(): void {
    this.#isLocked = true
  }

  unlock(): void {
    this.root.assertChangeable(this, 'unlock')
    // Loading it would lock it again.
    this.#load()
    this.#isLocked = false
  }

  /** The name of its pypet class on disk. */
  get className(): string {
    const form = this.#value?.form
    if (form === 'sparse') return 'SparseParameter'
    return form === 'list' || form === 'ndarray' ? 'ArrayParameter' : 'Parameter'
  }

  /**
   * The value: that of the current run, or the default if no run is set. Locks the parameter.
   *
   * @throws PypetError `PYPET_DATA_NOT_LOADED`
   */
  get(): unknown {
    if (this.#ofRun !== undefined) return this.#ofRun.get()
    const { idx } = this.root
    const range = this.range
    const value = range === undefined || idx < 0 ? this.stored : rangeValue(range, idx)
    if (value === undefined) throw this.#notLoaded()
    this.#isLocked = true
    return this.#shown(value)
  }

  /** The default, whatever the current run is. */
  getDefault(): unknown {
    const value = this.stored
    if (value === undefined) throw this.#notLoaded()
    return this.#shown(value)
  }

  /** All values of the range; undefined unless it is explored. */
  getRange(): unknown[] | undefined {
    if (this.#ofRun?.isExplored === true) {
      throw new PypetError('PYPET_DATA_NOT_LOADED', `${this.fullName} has only the value of its run here`, {
        where: this.fullName,
        hint: 'Read it with get(). If you need all values, use post-processing or an argument of the job.',
      })
    }
    const { range } = this
    if (range === undefined) return undefined
    return Array.from({ length: rangeSize(range) }, (_, run) =>
      this.#shown(rangeValue(range, run) as StoredValue),
    )
  }

  /** @throws PypetError `PYPET_PARAMETER_LOCKED`, `PYPET_PARAMETER_TYPE` while it is explored, `PYPET_VALUE_UNSUPPORTED` */
  set(value: unknown): this {
    this.#load()
    this.#assertUnlocked('set')
    if (this.#range !== undefined)
      throw this.#wrongType('set', 'it is explored', 'Shrink the trajectory first.')
    this.#value = toStoredParameter(value, this.fullName)
    this.noteChange('value')
    const own = ownClassOf(value)
    if (own !== undefined) this.root.learnClass(own)
    this.userClass = value instanceof CheckedValue ? value.userClass : instanceClassName(value)
    return this
  }

  /**
   * Gives the parameter one value per run, all of the default's type.
   *
   * @throws PypetError `PYPET_PARAMETER_LOCKED`, `PYPET_PARAMETER_TYPE`, `PYPET_EXPLORATION_EMPTY`
   */
  explore(values: Iterable<unknown>): void {
    this.checkExplorable(values)
    this.#range = this.rangeOf(values)
  }

  /** Appends values to the range. @throws like `explore` */
  expand(values: Iterable<unknown>): void {
    this.#assertUnlocked('expand')
    this.append(this.rangeOf(values))
  }

  /** Throws the errors of `explore` without changing anything. */
  checkExplorable(values: Iterable<unknown>): void {
    this.#assertUnlocked('explore')
    if (this.range !== undefined) throw this.#explored()
    this.rangeOf(values)
  }

  /** Appends a range from `rangeOf`, even to a locked parameter, and locks it. */
  append(more: ParameterRange): void {
    const { range } = this
    if (range === undefined) throw this.#wrongType('expand', 'it is not explored', 'Use explore.')
    appendRange(range, more, this.#keys(range))
    this.#isLocked = true
  }

  /** Appends stored values. If the parameter was not explored, the earlier runs have its default. */
  appendStored(values: readonly StoredValue[], runCount: number): void {
    const like = this.stored as StoredValue
    this.#range ??=
      like.form === 'scalar'
        ? { kind: 'scalars', dtype: like.dtype, values: Array(runCount).fill(like.value) }
        : { kind: 'objects', values: runCount > 0 ? [like] : [], index: Array(runCount).fill(0) }
    const more: ParameterRange =
      like.form === 'scalar'
        ? { kind: 'scalars', dtype: like.dtype, values: values.map((value) => (value as typeof like).value) }
        : { kind: 'objects', values: [...values], index: values.map((_, index) => index) }
    appendRange(this.#range, more, this.#keys(this.#range))
  }

  /** Removes the range. */
  shrink(): void {
    this.#range = undefined
    this.#keysOfRange = undefined
  }

  empty(): void {
    this.root.assertChangeable(this, 'empty')
    this.#value = undefined
    this.#range = undefined
  }

  /** Takes over the value and range from a file. Loaded parameters are locked, as in pypet. */
  restoreValue(value: StoredValue | undefined, range: ParameterRange | undefined): void {
    this.#value = value
    this.#range = range
    this.forgetChange('value')
    this.#isLocked = value !== undefined
  }

  /** In a job: shows the value of its run. */
  showRun(ofRun: ValueOfRun): void {
    this.#ofRun = ofRun
  }

  /** Keys of the distinct arrays of a range. They are kept because a trajectory may be expanded often. */
  #keysOfRange: Map<string, number> | undefined

  #keys(range: ParameterRange): Map<string, number> {
    if (range.kind === 'scalars') return new Map()
    this.#keysOfRange ??= new Map(range.values.map((value, number) => [valueKey(value), number]))
    return this.#keysOfRange
  }

  /** The value as the user gave it: an instance if its class is known, otherwise the stored value. */
  #shown(value: StoredValue): unknown {
    const { userClass } = this
    if (userClass === undefined || value.form === 'unread') return userValue(value)
    const own = this.root.ownClass(userClass)
    if (own !== undefined) return own.load(userValue(value) as never)
    this.root.missClass(userClass, this.fullName)
    return userValue(value)
  }

  #load(): void {
    if (this.#value === undefined && this.isStored) this.root.autoLoadLeaf(this)
  }

  /** Values as a range of this parameter. @throws PypetError `PYPET_PARAMETER_TYPE`, `PYPET_EXPLORATION_EMPTY` */
  rangeOf(values: Iterable<unknown>): ParameterRange {
    const like = this.stored
    if (like === undefined) throw this.#notLoaded()
    const stored: StoredValue[] = []
    /** Many runs may share one array. */
    const known = new Map<unknown, StoredValue>()
    for (const value of values) {
      const ownName = instanceClassName(value)
      if (ownName !== undefined && ownName !== this.userClass) {
        const found = `[${stored.length}] is an instance of ${ownName}, the default`
        throw this.#wrongType(
          'explore',
          `${found} ${this.userClass === undefined ? 'is not' : `one of ${this.userClass}`}`,
          'Give values of the class of the default.',
        )
      }
      const before = known.get(value)
      if (before !== undefined) {
        stored.push(before)
        continue
      }
      const given = sameType(toStoredParameter(value, `${this.fullName}[${stored.length}]`), like)
      if (typeKey(given) !== typeKey(like)) {
        throw this.#wrongType(
          'explore',
          `[${stored.length}] is a ${typeName(given)}, the default a ${typeName(like)}`,
          'Give values of the type of the default.',
        )
      }
      stored.push(given)
      if (given.form !== 'scalar') known.set(value, given)
    }
    if (stored.length === 0) {
      throw new PypetError(
        'PYPET_EXPLORATION_EMPTY',
        `${this.fullName} cannot be explored: there are no values`,
        {
          where: this.fullName,
          hint: 'Give at least one value.',
        },
      )
    }
    if (like.form === 'scalar') {
      return {
        kind: 'scalars',
        dtype: like.dtype,
        values: stored.map((value) => (value as typeof like).value),
      }
    }
    const range: ParameterRange = { kind: 'objects', values: [], index: [] }
    appendRange(range, { kind: 'objects', values: stored, index: stored.map((_, index) => index) }, new Map())
    return range
  }

  #assertUnlocked(attempt: string): void {
    this.root.assertChangeable(this, attempt)
    if (!this.#isLocked) return
    throw new PypetError('PYPET_PARAMETER_LOCKED', `cannot ${attempt} ${this.fullName}: it is locked`, {
      where: this.fullName,
      hint: 'It has been read, explored or loaded. Call unlock() if nothing depends on the value that was read.',
    })
  }

  #explored(): PypetError {
    return this.#wrongType('explore', 'it is already explored', 'Use expand to add points.')
  }

  #wrongType(attempt: string, found: string, hint: string): PypetError {
    return new PypetError('PYPET_PARAMETER_TYPE', `cannot ${attempt} ${this.fullName}: ${found}`, {
      where: this.fullName,
      hint,
    })
  }

  #notLoaded(): PypetError {
    return new PypetError('PYPET_DATA_NOT_LOADED', `${this.fullName} has no value in memory`, {
      where: this.fullName,
      hint: `Load it: await traj.loadItem('${this.fullName}'), or open the trajectory with autoLoad.`,
    })
  }
}

function appendRange(range: ParameterRange, more: ParameterRange, keys: Map<string, number>): void {
  if (range.kind === 'scalars' && more.kind === 'scalars') {
    for (const value of more.values) range.values.push(value)
    return
  }
  if (range.kind !== 'objects' || more.kind !== 'objects') return
  const numbers = new Map<StoredValue, number>()
  for (const number of more.index) {
    const value = more.values[number] as StoredValue
    let known = numbers.get(value)
    if (known !== undefined) {
      range.index.push(known)
      continue
    }
    const key = valueKey(value)
    known = keys.get(key)
    if (known === undefined) {
      known = range.values.length
      range.values.push(value)
      keys.set(key, known)
    }
    numbers.set(value, known)
    range.index.push(known)
  }
}

/** Converts to the default's type if the values stay the same: whole numbers become integers, lists of numbers arrays. */
function sameType(given: StoredValue, like: StoredValue): StoredValue {
  return typeKey(given) === typeKey(like) ? given : (storedLike(given, like) ?? given)
}

function typeKey(value: StoredValue): string {
  return `${value.form}:${'dtype' in value ? value.dtype : ''}`
}
