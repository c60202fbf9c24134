/** What the page knows and what it shows. Changes are announced once a frame. */
import type { ViewProblem, ViewState } from '../view-protocol.ts'
import { addressOf, type Brush, type Looked, parseAddress } from './address.ts'
import { fetchColumns, fetchFilter, fetchState, followEvents, ViewError } from './api.ts'
import { PageColumn } from './page-column.ts'
import type { SortAnswer } from './row-order.ts'
import { RowSorter } from './row-sorter.ts'

/** Time before the page asks a server that is gone again. */
const RETRY_MS = 2000
/** Values that are fetched at a time. */
const VALUES_MAX = 4_000_000
const COLUMNS_MAX = 8
/** Axes that are chosen for the user. */
const AXES_MAX = 8

export class Model {
  state: ViewState | undefined
  /** Why nothing new comes: the server is gone, or the token is wrong. */
  problem: ViewProblem | undefined
  filterProblem: ViewProblem | undefined
  looked: Looked
  hovered: number | undefined
  /** How often a key has moved to another row. The table follows it. */
  stepCount = 0
  /** Runs that have changed since the table was sorted. */
  readonly #waiting = new Set<number>()
  readonly #columns = new Map<string, PageColumn>()
  readonly #wanted = new Set<string>()
  readonly #listeners = new Set<() => void>()
  /** Of the columns. */
  #dataVersion = 0
  #filterFlags: Uint8Array | undefined
  #filterVersion = 0
  #isAnnounced = false
  #isUpdating = false
  /** Narrowings in the order in which they came, for Escape. */
  readonly #undo: (() => void)[] = []
  readonly #memory = new Map<string, { key: string; value: unknown }>()

  constructor(fragment: string) {
    this.looked = parseAddress(fragment)
  }

  /** Gets data, and follows the file, until the page is closed. */
  async start(): Promise<void> {
    for (;;) {
      try {
        this.#takeState(await fetchState())
        await followEvents((state) => this.#takeState(state))
        this.problem = { code: 'GONE', message: 'pypet-ts view has ended' }
      } catch (error) {
        if (!(error instanceof ViewError)) throw error
        this.problem = error.problem
        if (error.status === 403) {
          this.announce()
          return
        }
      }
      this.announce()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  announce(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    requestAnimationFrame(() => {
      this.#isAnnounced = false
      for (const listener of this.#listeners) listener()
    })
  }

  /** Runs that have changed since the table was sorted. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  get runCount(): number {
    return this.state?.runCount ?? 0
  }

  /** For whatever is drawn from columns. */
  get dataVersion(): number {
    return this.#dataVersion
  }

  /** A column with its values. Undefined until they are here; they come on their own. */
  column(name: string): PageColumn | undefined {
    const info = this.state?.columns.find((column) => column.name === name)
    if (info === undefined || !info.isSingle) return undefined
    if (!this.#wanted.has(name)) {
      this.#wanted.add(name)
      void this.#update()
    }
    const column = this.#columns.get(name)
    return column !== undefined && column.version > 0 ? column : undefined
  }

  /** A byte for each run: 1 if filter and brushes leave it. */
  get mask(): Uint8Array {
    const { brushes } = this.looked
    const key = `${this.#dataVersion} ${this.#filterVersion} ${this.runCount} ${JSON.stringify([...brushes])}`
    return this.remember('mask', key, () => {
      const mask = new Uint8Array(this.runCount)
      // A run that the filter does not know yet is no match.
      if (this.#filterFlags === undefined) mask.fill(1)
      else mask.set(this.#filterFlags.subarray(0, mask.length))
      for (const [name, { from, to }] of brushes) {
        const numbers = this.column(name)?.numbers
        if (numbers === undefined) continue
        for (let run = 0; run < mask.length; run += 1) {
          const number = numbers[run] as number
          if (!(number >= from && number <= to)) mask[run] = 0
        }
      }
      return mask
    })
  }

  /** For whatever is drawn from the mask. */
  get maskKey(): string {
    void this.mask
    return this.#memory.get('mask')?.key ?? ''
  }

  get matchCount(): number {
    return this.remember('matches', this.maskKey, () => {
      let count = 0
      for (const flag of this.mask) count += flag
      return count
    })
  }

  get isNarrowed(): boolean {
    return this.looked.filter !== '' || this.looked.brushes.size > 0
  }

  /** Runs that the table shows, in its order. */
  get rows(): Uint32Array {
    const order = this.#order()
    return this.remember('rows', `${this.maskKey} ${order?.key}`, () => {
      const { mask, matchCount } = this
      const rows = new Uint32Array(matchCount)
      let filled = 0
      for (let at = 0; at < mask.length; at += 1) {
        const run = order === undefined ? at : (order.rows[at] as number)
        if (mask[run] === 1) {
          rows[filled] = run
          filled += 1
        }
      }
      return rows
    })
  }

  /** Whether the table has another order than the one that is wanted. */
  get isSorting(): boolean {
    return this.looked.sort !== undefined && this.#shownOrder?.key !== this.#wantedOrder
  }

  #orderVersion = 0
  /** Key of the order that was asked for last. */
  #wantedOrder: string | undefined
  #shownOrder: SortAnswer | undefined
  readonly #sorter = new RowSorter((answer) => {
    if (answer.key !== this.#wantedOrder) return
    this.#shownOrder = answer
    this.announce()
  })

  /**
   * The order that is shown: the last one that is ready. Undefined is that of the numbers of runs. What has changed since
   * waits until the user wants it: rows do not move below the pointer.
   */
  #order(): SortAnswer | undefined {
    const { sort } = this.looked
    if (sort === undefined) {
      this.#wantedOrder = this.#shownOrder = undefined
      return undefined
    }
    const key = `${JSON.stringify(sort)} ${this.runCount} ${this.#orderVersion}`
    const numbers = this.#wantedOrder === key ? undefined : this.column(sort.name)?.numbers
    if (numbers !== undefined) {
      this.#wantedOrder = key
      this.#sorter.sort({ key, numbers, isDescending: sort.isDescending })
    }
    return this.#shownOrder?.rows.length === this.runCount ? this.#shownOrder : undefined
  }

  /** Sorts what has changed since the last time. */
  sortAgain(): void {
    this.#waiting.clear()
    this.#orderVersion += 1
    this.announce()
  }

  /** Computes a value again only if its key has changed. */
  remember<Value>(name: string, key: string, compute: () => Value): Value {
    const known = this.#memory.get(name)
    if (known?.key === key) return known.value as Value
    const value = compute()
    this.#memory.set(name, { key, value })
    return value
  }

  look(change: Partial<Looked>): void {
    this.looked = { ...this.looked, ...change }
    history.replaceState(null, '', addressOf(this.looked))
    this.announce()
  }

  sortBy(name: string): void {
    const { sort } = this.looked
    const next =
      sort?.name !== name
        ? { name, isDescending: false }
        : sort.isDescending
          ? undefined
          : { name, isDescending: true }
    this.#waiting.clear()
    this.#orderVersion += 1
    this.look({ sort: next })
  }

  /** Shows only runs whose value is in a range. Undefined shows all again. */
  brush(changes: Readonly<Record<string, Brush | undefined>>, isFinal = true): void {
    const before = this.looked.brushes
    const brushes = new Map(before)
    for (const [name, brush] of Object.entries(changes)) {
      brushes.delete(name)
      if (brush !== undefined) brushes.set(name, brush)
    }
    this.#brushesBefore ??= before
    if (isFinal) {
      const first = this.#brushesBefore
      this.#brushesBefore = undefined
      if (!areSame(first, brushes)) this.#remembering(() => this.look({ brushes: first }))
    }
    this.look({ brushes })
  }

  /** Before the brush that is being drawn. */
  #brushesBefore: ReadonlyMap<string, Brush> | undefined

  /** @param isFinal the text is entered: what was typed before it, with pauses, is taken back as one */
  filter(text: string, isFinal = true): void {
    const before = this.looked.filter
    if (text !== before) {
      this.#filterBefore ??= before
      this.#setFilter(text)
    }
    const first = this.#filterBefore
    if (!isFinal || first === undefined) return
    this.#filterBefore = undefined
    if (text !== first) this.#remembering(() => this.#setFilter(first))
  }

  /** Before the filter that is being typed. */
  #filterBefore: string | undefined

  clear(): void {
    this.#settle()
    const { filter, brushes } = this.looked
    this.#remembering(() => {
      this.look({ brushes })
      this.#setFilter(filter)
    })
    this.look({ brushes: new Map() })
    this.#setFilter('')
  }

  /** Takes back the last narrowing. @returns false if there is none */
  undo(): boolean {
    this.#settle()
    const undo = this.#undo.pop()
    undo?.()
    return undo !== undefined
  }

  /** What is being drawn or typed ends here, as a narrowing like others. */
  #settle(): void {
    if (this.#brushesBefore !== undefined) this.brush({})
    if (this.#filterBefore !== undefined) this.filter(this.looked.filter)
  }

  #remembering(undo: () => void): void {
    this.#undo.push(undo)
    if (this.#undo.length > 100) this.#undo.shift()
  }

  #setFilter(filter: string): void {
    this.look({ filter })
    void this.#updateFilter()
  }

  #takeState(state: ViewState): void {
    const before = this.state
    this.state = state
    this.problem = undefined
    document.title = `${state.file} · pypet-ts`
    if (before === undefined || before.version !== state.version) {
      const isOther = before !== undefined && haveColumnsChanged(before, state)
      if (isOther) this.#columns.clear()
      if (this.looked.filter !== '') void this.#updateFilter()
    }
    // Also what has not come because the server was gone.
    void this.#update()
    this.announce()
  }

  /** Gets the rows that have changed, and the columns that are new. */
  async #update(): Promise<void> {
    if (this.#isUpdating) return
    this.#isUpdating = true
    // A column is wanted while the page is drawn, and more come in the same frame.
    await Promise.resolve()
    try {
      for (;;) {
        const { state } = this
        if (state === undefined) return
        const next = this.#nextColumns(state)
        if (next === undefined) return
        await this.#fetch(next.names, next.from)
        this.announce()
      }
    } catch (error) {
      if (!(error instanceof ViewError)) throw error
      if (error.status !== 0) this.problem = error.problem
      this.announce()
    } finally {
      this.#isUpdating = false
    }
  }

  readonly #versions = new Map<string, number>()

  /** New columns a few at a time, so that the first are soon here. Known ones together. */
  #nextColumns(
    state: ViewState,
  ): { readonly names: readonly string[]; readonly from: number | undefined } | undefined {
    // In the order in which they are drawn: the picture before the table.
    const wanted = [...this.#wanted].flatMap(
      (name) => state.columns.find((column) => column.name === name && column.isSingle) ?? [],
    )
    const fresh = wanted.filter(({ name }) => !this.#columns.has(name)).map(({ name }) => name)
    if (fresh.length > 0) {
      const count = Math.min(COLUMNS_MAX, Math.max(1, Math.floor(VALUES_MAX / Math.max(1, state.runCount))))
      return { names: fresh.slice(0, count), from: undefined }
    }
    const old = wanted.filter(({ name }) => (this.#versions.get(name) ?? 0) < state.version)
    const changing = old.filter(({ kind }) => kind !== 'parameter')
    for (const { name, kind } of old) if (kind === 'parameter') this.#versions.set(name, state.version)
    if (changing.length === 0) return undefined
    const from = Math.min(...changing.map(({ name }) => this.#versions.get(name) ?? 0))
    return { names: changing.map(({ name }) => name), from }
  }

  async #fetch(names: readonly string[], from: number | undefined): Promise<void> {
    const message = await fetchColumns(names, from)
    const { version, runCount, parts } = message.header
    const { state } = this
    if (state === undefined || runCount !== state.runCount) {
      // The state that tells of the new runs comes with the next event.
      this.#takeState(await fetchState())
      return
    }
    const other = new Set<string>()
    for (const part of parts) {
      const info = state.columns.find(({ name }) => name === part.name)
      if (info === undefined) continue
      const column = this.#columns.get(part.name) ?? new PageColumn(info, runCount)
      this.#columns.set(part.name, column)
      const { categories } = column
      const before = column.numbers.slice(part.start, part.start + part.count)
      if (!column.take(part, message)) other.add(part.name)
      this.#moveBrush(part.name, categories, column.categories)
      if (from === undefined || part.name !== this.looked.sort?.name) continue
      for (const [at, number] of before.entries())
        if (!Object.is(number, column.numbers[part.start + at])) this.#waiting.add(part.start + at)
    }
    for (const name of names) this.#versions.set(name, version)
    for (const name of other) this.#columns.delete(name)
    if (from === undefined && names.includes(this.looked.sort?.name ?? '')) {
      this.#waiting.clear()
      this.#orderVersion += 1
    }
    if (parts.length > 0) this.#dataVersion += 1
  }

  /** Categories are numbered anew when there are more of them. A brush stays on those that it was drawn on. */
  #moveBrush(
    name: string,
    before: readonly string[] | undefined,
    after: readonly string[] | undefined,
  ): void {
    const brush = this.looked.brushes.get(name)
    if (brush === undefined || before === undefined || after === undefined || before === after) return
    const ranks = before
      .slice(Math.max(0, Math.ceil(brush.from)), Math.floor(brush.to) + 1)
      .map((text) => after.indexOf(text))
    const [from, to] = [Math.min(...ranks), Math.max(...ranks)]
    if (ranks.length > 0) this.look({ brushes: new Map(this.looked.brushes).set(name, { from, to }) })
  }

  async #updateFilter(): Promise<void> {
    const { filter } = this.looked
    if (filter.trim() === '') {
      this.#filterFlags = undefined
      this.filterProblem = undefined
      this.#filterVersion += 1
      this.announce()
      return
    }
    try {
      const flags = await fetchFilter(filter)
      if (filter !== this.looked.filter) return
      this.#filterFlags = flags
      this.filterProblem = undefined
      this.#filterVersion += 1
    } catch (error) {
      if (!(error instanceof ViewError)) throw error
      if (filter === this.looked.filter) this.filterProblem = error.problem
    }
    this.announce()
  }

  /** Names of what is worth an axis: explored parameters, and single results that vary. */
  get axes(): readonly string[] {
    if (this.looked.axes !== undefined) return this.looked.axes
    const columns = this.state?.columns ?? []
    const explored = columns.filter(({ isExplored, isSingle }) => isExplored && isSingle)
    const results = columns.filter(
      ({ kind, isSingle, dtype }) => kind === 'result' && isSingle && dtype !== 'str',
    )
    const varying = results.slice(0, 2 * AXES_MAX).filter(({ name }) => this.#varies(name))
    return [...explored.slice(0, AXES_MAX - 1), ...varying].slice(0, AXES_MAX).map(({ name }) => name)
  }

  #varies(name: string): boolean {
    const column = this.column(name)
    if (column === undefined) return true
    return this.remember(`varies ${name}`, `${this.#dataVersion}`, () => {
      const first = column.numbers.find((number) => !Number.isNaN(number))
      return first === undefined || column.numbers.some((number) => !Number.isNaN(number) && number !== first)
    })
  }

  /** Names of the columns of the table. */
  get tableColumns(): readonly string[] {
    if (this.looked.columns !== undefined) return this.looked.columns
    const { state } = this
    const columns = state?.columns ?? []
    const isShown = (name: string) => {
      const column = columns.find((each) => each.name === name)
      if (column === undefined || column.isConstant) return false
      if (column.kind !== 'fact') return true
      if (name === 'failure') return (state?.failedCount ?? 0) > 0
      return ['run', 'status', 'runtime'].includes(name)
    }
    const names = columns.map(({ name }) => name).filter(isShown)
    const last = ['runtime', 'status', 'failure'].filter((name) => names.includes(name))
    return [...names.filter((name) => !last.includes(name)), ...last]
  }
}

function areSame(one: Looked['brushes'], other: Looked['brushes']): boolean {
  return JSON.stringify([...one]) === JSON.stringify([...other])
}

function haveColumnsChanged(before: ViewState, after: ViewState): boolean {
  if (before.runCount !== after.runCount || before.trajectory !== after.trajectory) return true
  const typeOf = (column: ViewState['columns'][number] | undefined) =>
    JSON.stringify([column?.dtype, column?.shape])
  return before.columns.some(
    (column) => typeOf(column) !== typeOf(after.columns.find(({ name }) => name === column.name)),
  )
}
