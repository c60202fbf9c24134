/**
 * The trajectory as a tree in memory: everything that needs no file (pypet `trajectory.py`). Data in a file is read
 * through a `NodeSource` when needed.
 */
import { PypetError } from '../errors.ts'
import { BRANCHES, runName, timeText } from '../names.ts'
import type { ParameterTree, ParameterValues } from '../run/parameter.ts'
import { flattenParameters } from '../run/parameter.ts'
import type { LeafOptions } from '../run/run.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import { CheckedValue, type ClassReference, classesIn, type OwnClass } from '../values/own-class.ts'
import { assertLegalName, assertTrajectoryName, type RunIndex } from '../values/path.ts'
import { unitOption } from '../values/unit.ts'
import type { ParameterValue } from '../values/value.ts'
import { addGroup, addLeaf, addLink, addParameter, addResult, taken } from './add.ts'
import { copyInto } from './copy.ts'
import type { Explorable } from './explored-columns.ts'
import { beginExploration, expandParameters, exploreParameters, findRuns } from './exploring.ts'
import { FROM_RUNS_OPTIONS, getFromRuns, onlyValue } from './from-runs.ts'
import { EVERY_ITEM, type NodeSource, type SourceEntry } from './node-source.ts'
import {
  type FromRunsOptions,
  GroupNode,
  type LeafNode,
  ParameterNode,
  ResultNode,
  type Root,
  type TreeNode,
} from './nodes.ts'
import type { MergedRun, RunFailureText, RunInformation, RunTimes } from './run-information.ts'
import { valueView } from './value-view.ts'
import { type WildcardFunction, Wildcards } from './wildcards.ts'

export interface TrajectoryTreeOptions<Tree> {
  readonly name?: string
  /** Append the time to the name: `name_2026_01_31_12h34m56s`. */
  readonly addTime?: boolean
  readonly comment?: string
  /** Initial parameters. The compiler knows their names and types. */
  readonly parameters?: Tree
  /** Functions for your own wildcards, by names that start with `$`. */
  readonly wildcards?: Readonly<Record<string, WildcardFunction>>
  /**
   * Classes that restore parameters and results, or their modules: `./my-classes.ts#Spectrum`, relative to the current
   * folder. Modules are imported when the trajectory is loaded or its experiment runs.
   */
  readonly dynamicImports?: readonly ClassReference[]
  /** Allow names that leave out groups. On by default. */
  readonly shortcuts?: boolean
  /** Number of levels to search. */
  readonly maxDepth?: number
  /** Adding an existing node returns the existing one, unchanged, instead of an error. */
  readonly noClobber?: boolean
  /** Read data from the file on access. On by default for loaded trajectories. */
  readonly autoLoad?: boolean
}

/** The options of every tree. A stored tree has the others in its file. */
export const TREE_OPTIONS = [
  'wildcards',
  'dynamicImports',
  'shortcuts',
  'maxDepth',
  'noClobber',
  'autoLoad',
] as const satisfies (keyof TrajectoryTreeOptions<unknown>)[]

export class TrajectoryTree<Tree = ParameterTree> extends GroupNode implements Root<Tree> {
  /** Seconds since 1970. */
  timestamp: number
  shortcuts: boolean
  maxDepth: number
  noClobber: boolean
  autoLoad: boolean
  readonly wildcards: Wildcards
  readonly dynamicImports: readonly ClassReference[]
  /** Full names of explored parameters, in the order of exploration. */
  readonly #explored = new Set<string>()
  #length = 1
  #idx: RunIndex = -1
  #isInRun = false
  #runStart = 0
  readonly #performedRuns = new Map<RunIndex, RunTimes>()
  readonly #mergedRuns = new Map<RunIndex, MergedRun>()
  #isShrunk = false
  /** The source of nodes that are not in memory. */
  source: NodeSource | undefined
  readonly #presets = new Map<string, unknown>()
  readonly #classes = new Map<string, OwnClass>()
  readonly #missedClasses = new Set<string>()

  constructor(options: TrajectoryTreeOptions<Tree> = {}) {
    const timestamp = Date.now() / 1000
    const given = options.name ?? 'trajectory'
    const name = options.addTime === true ? `${given}_${timeText(timestamp)}` : given
    assertTrajectoryName(name, 'name')
    super(name, undefined)
    this.timestamp = timestamp
    this.comment = options.comment ?? ''
    this.shortcuts = options.shortcuts ?? true
    this.maxDepth = options.maxDepth ?? Number.POSITIVE_INFINITY
    this.noClobber = options.noClobber ?? false
    this.autoLoad = options.autoLoad ?? false
    this.wildcards = new Wildcards(options.wildcards)
    this.dynamicImports = options.dynamicImports ?? []
    for (const given of this.dynamicImports) if (typeof given !== 'string') this.learnClass(given)
    for (const own of classesIn(options.parameters).values()) this.learnClass(own)
    for (const branch of BRANCHES) this.attach(new GroupNode(branch, this))
    for (const parameter of flattenParameters((options.parameters ?? {}) as ParameterTree, 'parameters')) {
      const value = new CheckedValue(parameter) as unknown as ParameterValue
      const { name, comment, annotations } = parameter
      this.addParameter(name, value, { comment, ...unitOption(annotations) })
    }
  }

  override get root(): Root {
    return this
  }

  protected override get kind(): string {
    return 'Trajectory'
  }

  protected override shown(): string {
    return `${this.#length} ${this.#length === 1 ? 'run' : 'runs'}, ${super.shown()}`
  }

  /** `2026_01_31_12h34m56s`, local time. */
  get time(): string {
    return timeText(this.timestamp)
  }

  /** Values of the parameters at the current run. Unknown names throw `PYPET_NODE_NOT_FOUND`. */
  get par(): ParameterValues<Tree> {
    return this.#view('parameters') as ParameterValues<Tree>
  }

  get dpar(): Readonly<Record<string, unknown>> {
    return this.#view('derived_parameters')
  }

  get res(): Readonly<Record<string, unknown>> {
    return this.#view('results')
  }

  /** Config by natural naming: `conf.environment.ncores`, `conf.hdf5.resultOverview`. You can set it until it is stored. */
  // biome-ignore lint/suspicious/noExplicitAny: names and types are known only at run time
  get conf(): any {
    return this.#view('config')
  }

  /** The values that the current run has added. @throws PypetError `PYPET_NODE_NOT_FOUND` if no run is set */
  get crunValues(): Readonly<Record<string, unknown>> {
    return valueView(this.getGroup(`results.runs.${this.wildcards.resolve('$', this.#idx)}`)) as Readonly<
      Record<string, unknown>
    >
  }

  /** Number of runs; 1 if nothing is explored. */
  get length(): number {
    this.refresh()
    return this.#length
  }

  /** Called before reading state that others may have changed. */
  protected refresh(): void {}

  /** The run whose values the parameters show; -1 for their defaults. */
  get idx(): RunIndex {
    return this.#idx
  }

  /** @throws PypetError `PYPET_RUN_UNKNOWN` */
  set idx(run: RunIndex) {
    if (!Number.isSafeInteger(run) || run < -1 || run >= this.length) throw this.#unknownRun(String(run))
    this.#idx = run
  }

  /** The name of the current run; null if there is none. */
  get crun(): string | null {
    return this.#idx < 0 ? null : runName(this.#idx)
  }

  set crun(run: string | null) {
    this.idx = run === null ? -1 : this.idxToRun(run)
  }

  /** Sets the current run by its name or index. */
  setCrun(run: string | RunIndex | null): void {
    if (typeof run === 'number') this.idx = run
    else this.crun = run
  }

  /** Makes parameters show their defaults again. */
  restoreDefault(): void {
    this.#idx = -1
    this.#isInRun = false
  }

  /** The name of a run for its index, or the index for its name. @throws PypetError `PYPET_RUN_UNKNOWN` */
  idxToRun(run: RunIndex): string
  idxToRun(run: string): RunIndex
  idxToRun(run: RunIndex | string): RunIndex | string {
    const idx = typeof run === 'number' ? run : Number(/^run_(\d+)$/.exec(run)?.[1] ?? Number.NaN)
    if (!Number.isSafeInteger(idx) || idx < 0 || idx >= this.length) throw this.#unknownRun(String(run))
    return typeof run === 'number' ? runName(idx) : idx
  }

  get runNames(): string[] {
    return Array.from({ length: this.length }, (_, run) => runName(run))
  }

  /** From now until `finishRun`, nodes added without a `$` go below this run's group. */
  startRun(run: RunIndex): void {
    this.idx = run
    this.#isInRun = true
    this.#runStart = Date.now() / 1000
  }

  /**
   * Marks the current run as completed by hand. It started at `startRun` or at its step of `iterRuns`. The next `store`
   * writes this to the file. A run that was completed before keeps its times.
   */
  finishRun(): void {
    if (this.#isInRun) {
      const times = { startTimestamp: this.#runStart, finishTimestamp: Date.now() / 1000 }
      this.#performedRuns.set(this.#idx, times)
    }
    this.#isInRun = false
  }

  /** Runs that were completed by hand and are not stored as completed yet, with their times. */
  get performedRuns(): ReadonlyMap<RunIndex, RunTimes> {
    return this.#performedRuns
  }

  /** Called when their rows are in the file. */
  notePerformedStored(runs: Iterable<RunIndex>): void {
    for (const run of runs) this.#performedRuns.delete(run)
  }

  get isRun(): boolean {
    return this.#isInRun
  }

  /** Iterates over the runs. Each in turn is the trajectory's current run; afterwards there is none. */
  *iterRuns(start = 0, stop = this.length, step = 1): Generator<RunIndex> {
    const [before, wasInRun] = [this.#idx, this.#isInRun]
    try {
      for (let run = start; run < Math.min(stop, this.length); run += step) {
        this.startRun(run)
        yield run
      }
    } finally {
      this.#idx = before
      this.#isInRun = wasInRun
    }
  }

  /**
   * Explores parameters: one value per run. Further calls may explore other parameters with the same number of values.
   * Names may be shortcuts.
   *
   * @param given an exploration (`cartesianProduct(…)`), or lists by name, all of one length
   * @throws PypetError `PYPET_EXPLORATION_LENGTH`, `PYPET_EXPLORATION_EMPTY`, `PYPET_EXPLORATION_INVALID`,
   *   `PYPET_NODE_NOT_FOUND`, `PYPET_PARAMETER_TYPE`, `PYPET_PARAMETER_LOCKED`; then nothing changes
   */
  explore(given: Explorable<Tree>): this {
    const { parameters, runCount } = exploreParameters(this, given, this.#explored.size > 0)
    for (const { fullName } of parameters) this.#explored.add(fullName)
    this.#length = runCount
    return this
  }

  /**
   * Adds points after the existing runs. Name all explored parameters and no others. The time depends only on the new
   * points. If nothing is explored yet, this starts an exploration. A run that is already stored becomes its first point,
   * with the defaults it had.
   *
   * @throws PypetError like `explore`; then nothing changes
   */
  expand(given: Explorable<Tree>): this {
    if (this.#explored.size === 0) {
      const keptCount = this.keepsFirstRun() ? 1 : 0
      for (const { fullName } of beginExploration(this, given, keptCount)) this.#explored.add(fullName)
      this.#length = keptCount
    }
    this.#length += expandParameters(this, given, this.#explored)
    return this
  }

  /**
   * Removes the exploration. One run with the defaults remains.
   *
   * @throws PypetError `PYPET_TRAJECTORY_STORED` for a stored trajectory, unless `force` is set
   */
  shrink(options: { readonly force?: boolean } = {}): this {
    assertKnownOptions(options, ['force'], 'shrink')
    const { force = false } = options
    if (this.isStored && !force) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.name} is already stored with ${this.#length} runs`,
        {
          where: this.name,
          hint: 'Shrink a copy (loadTrajectory with asNew), or give { force: true }. The file then stays as it is, and you cannot store the shrunk trajectory in it.',
        },
      )
    }
    for (const parameter of Object.values(this.exploredParameters)) {
      parameter.unlock()
      parameter.shrink()
    }
    if (this.isStored) this.#isShrunk = true
    this.#explored.clear()
    this.#mergedRuns.clear()
    this.#performedRuns.clear()
    this.#length = 1
    this.#idx = -1
    return this
  }

  /** True if the file has other runs than memory. */
  get isShrunk(): boolean {
    return this.#isShrunk
  }

  /** Explored parameters by full name. */
  get exploredParameters(): Readonly<Record<string, ParameterNode>> {
    this.refresh()
    return Object.fromEntries([...this.#explored].map((name) => [name, this.at(name) as ParameterNode]))
  }

  /**
   * Indices of the runs for which the predicate is true, ascending.
   *
   * @param names of parameters. The predicate receives their values in this order
   */
  *findIdx(
    names: string | readonly string[],
    predicate: (...values: never[]) => boolean,
  ): Generator<RunIndex> {
    yield* findRuns(this, names, predicate)
  }

  /** Information about a run, by name or index. */
  runInformation(run: string | RunIndex): RunInformation {
    const idx = typeof run === 'number' ? run : this.idxToRun(run)
    if (idx < 0 || idx >= this.length) throw this.#unknownRun(String(run))
    return this.#withPerformed(this.informationOf(idx))
  }

  isCompleted(run?: string | RunIndex): boolean {
    if (run !== undefined) return this.runInformation(run).completed
    for (let idx = 0; idx < this.length; idx += 1)
      if (!this.#withPerformed(this.informationOf(idx)).completed) return false
    return true
  }

  /**
   * One node from each run, by run.
   *
   * @param name as it was added, or a shortcut. It is found in the first run that has it, and at the same place in
   *   the others
   */
  getFromRuns<Value = unknown>(name: string, options: FromRunsOptions = {}): Record<string, Value> {
    assertKnownOptions(options, FROM_RUNS_OPTIONS, 'getFromRuns')
    return getFromRuns<Value>(this, name, options)
  }

  /** Takes over the content of another tree and its exploration. */
  adopt(tree: TrajectoryTree<Tree>): void {
    copyInto(tree, this)
    this.restoreExploration([...tree.#explored], tree.#length)
  }

  /** A copy of the whole tree in memory. The copy belongs to no file. */
  copy(): TrajectoryTree<Tree> {
    const copy = new TrajectoryTree<Tree>({ name: this.name, comment: this.comment })
    copy.timestamp = this.timestamp
    copy.adopt(this)
    return copy
  }

  /** Takes over the exploration from a file. */
  restoreExploration(explored: readonly string[], length: number): void {
    this.#explored.clear()
    for (const name of explored) this.#explored.add(name)
    this.#length = length
    this.#isShrunk = false
  }

  protected informationOf(run: RunIndex): RunInformation {
    const merged = this.#mergedRuns.get(run)?.information
    if (merged !== undefined) return merged
    return {
      idx: run,
      name: runName(run),
      completed: false,
      failed: false,
      startTimestamp: 0,
      finishTimestamp: 0,
      runtime: 0,
      parameterSummary: '',
      environmentHexsha: '',
    }
  }

  /** Whether the single run, before anything is explored, is completed and must stay as it is. */
  protected keepsFirstRun(): boolean {
    return this.#withPerformed(this.informationOf(0)).completed
  }

  /** A run that is completed in the file keeps its information from there. */
  #withPerformed(information: RunInformation): RunInformation {
    const times = this.#performedRuns.get(information.idx)
    if (times === undefined || information.completed) return information
    const runtime = times.finishTimestamp - times.startTimestamp
    return { ...information, ...times, runtime, completed: true, failed: false }
  }

  /** Information about a run from another trajectory, until the file has it. */
  mergedRun(run: RunIndex): MergedRun | undefined {
    return this.#mergedRuns.get(run)
  }

  noteMergedRun(run: RunIndex, merged: MergedRun): void {
    this.#mergedRuns.set(run, merged)
  }

  /** Why a run failed; undefined if it did not fail or nothing is known about it. */
  failureOf(run: RunIndex): RunFailureText | undefined {
    return this.#mergedRuns.get(run)?.failure
  }

  /** The value of the leaf with this full name, without making nodes if possible; undefined if there is none. */
  valueAt(fullName: string, fastAccess: boolean): unknown {
    const node = this.at(fullName)
    return node === undefined || !fastAccess ? node : onlyValue(node)
  }

  /** Only a file has columns. */
  columnAt(_template: string): ((run: RunIndex) => unknown) | undefined {
    return undefined
  }

  #view(branch: string): Readonly<Record<string, unknown>> {
    return valueView(this.child(branch) as GroupNode) as Readonly<Record<string, unknown>>
  }

  #unknownRun(run: string): PypetError {
    return new PypetError('PYPET_RUN_UNKNOWN', `${this.name} has no run ${run}`, {
      where: run,
      hint: `Its runs are 0 to ${this.#length - 1}. Use -1 for none.`,
    })
  }

  // What the nodes use of their root.

  /**
   * Checks that a node, its comment or its annotations may be changed. Only a job restricts this.
   *
   * @throws PypetError `PYPET_PARAMETER_LOCKED`, `PYPET_RUN_ENDED`
   */
  assertChangeable(_node: TreeNode, _attempt: string): void {}

  /** Called when a link of a group is removed. @throws like `assertChangeable` */
  forgetLink(_group: GroupNode, _name: string): void {}

  get hasSource(): boolean {
    return this.source !== undefined
  }

  entriesOf(group: GroupNode): readonly SourceEntry[] | undefined {
    return this.source?.entries(group.fullName)
  }

  /** Makes a node from the file. */
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

  /** Whether someone else has deleted from the file a node that is unchanged in memory. */
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

  /** From now on, this class restores its instances. */
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

  /** Reports once that a value is shown as it was stored, because its class is not known. */
  missClass(name: string, fullName: string): void {
    if (this.#missedClasses.has(name)) return
    this.#missedClasses.add(name)
    this.onMissingClass(name, fullName)
  }

  protected onMissingClass(_name: string, _fullName: string): void {}

  /** The preset for a parameter that is being added. Each preset is used once. */
  takePreset(fullName: string, value: ParameterValue): unknown {
    if (!this.#presets.has(fullName)) return value
    const preset = this.#presets.get(fullName)
    this.#presets.delete(fullName)
    return preset
  }

  /** Removes the links to a node and to everything below it. */
  forgetLinksTo(node: TreeNode): void {
    const { fullName } = node
    for (const [group, name, target] of [...this.allLinks()]) {
      if (target === fullName || target.startsWith(`${fullName}.`)) group.removeLink(name)
    }
  }

  /** The node with this full name; undefined if there is none. */
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
   * Sets the value that a parameter gets when it is added.
   *
   * @throws PypetError `PYPET_NAME_TAKEN` if it has already been added
   */
  presetParameter(name: string, value: unknown): void {
    this.#preset('parameters', name, value)
  }

  presetConfig(name: string, value: unknown): void {
    this.#preset('config', name, value)
  }

  /** @throws PypetError `PYPET_PRESET_UNUSED` if a preset parameter was never added */
  assertPresetsUsed(): void {
    const [unused] = this.#presets.keys()
    if (unused === undefined) return
    throw new PypetError('PYPET_PRESET_UNUSED', `${unused} was preset but never added`, {
      where: unused,
      hint: 'Add it, or remove the preset. Its name may be mistyped.',
    })
  }

  #preset(branch: string, name: string, value: unknown): void {
    const fullName = `${branch}.${name}`
    assertLegalName(fullName, fullName)
    if (this.at(fullName) !== undefined) throw taken(fullName, 'it has already been added')
    this.#presets.set(fullName, value)
  }
}
