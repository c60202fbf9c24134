/** A tree and the file it is read from: alone, or while an experiment writes the file. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import type { ExplorationSpec } from '../exploration/exploration.ts'
import { loadH5wasm } from '../hdf5/h5wasm.ts'
import { holdReader } from '../journal/open-readers.ts'
import { overviewPath } from '../names.ts'
import type { Extension } from '../protocol.ts'
import { whileUnchangedNow } from '../reading/read-hdf5.ts'
import { type Hdf5Reader, openHdf5Reader, openHdf5ReaderNow } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import type { ParameterTree } from '../run/parameter.ts'
import { changedNodes } from '../storage/edit/changed-nodes.ts'
import type { Explorable } from '../tree/explored-columns.ts'
import { EVERY_ITEM, type NodeSource } from '../tree/node-source.ts'
import { GroupNode, type TreeNode } from '../tree/nodes.ts'
import { TrajectoryTree, type TrajectoryTreeOptions } from '../tree/trajectory-tree.ts'
import { assertKnownOptions } from '../values/known-options.ts'
import { nearestName } from '../values/nearest-name.ts'
import { pointColumns } from './point-columns.ts'
import { readInfo } from './trajectory-info.ts'
import { type TreeExtension, treeExtension } from './tree-extension.ts'

export interface TrajectoryOptions<Tree> extends TrajectoryTreeOptions<Tree> {
  /** The HDF5 file; `<name>.h5` in the current folder unless given. It may hold other trajectories. */
  readonly filename?: string
  /** Deflate level of arrays, 0 for none. */
  readonly complevel?: number
  /** The first `store`, or the first run, replaces the whole file with all its trajectories, as `run --overwrite` does. */
  readonly overwrite?: boolean
  /**
   * Storing, deleting and compacting wait so long, in ms, while another process writes the file; 60,000 unless given. 0 refuses at
   * once. What the others have stored is known then.
   */
  readonly lockWaitMs?: number
}

const TREE_OPTIONS = [
  'name',
  'addTime',
  'comment',
  'parameters',
  'wildcards',
  'dynamicImports',
  'shortcuts',
  'maxDepth',
  'noClobber',
  'autoLoad',
  'filename',
  'complevel',
  'overwrite',
  'lockWaitMs',
] as const satisfies (keyof TrajectoryOptions<unknown>)[]

const LOCK_WAIT_MS = 60_000

export abstract class OpenTree<Tree = ParameterTree> extends TrajectoryTree<Tree> {
  protected file: string
  protected readonly complevel: number
  protected readonly lockWaitMs: number
  protected reader: Hdf5Reader | undefined
  protected hdf5: Hdf5Source | undefined

  constructor(options: TrajectoryOptions<Tree> = {}) {
    assertKnownOptions(options, TREE_OPTIONS, 'new Trajectory')
    super(options)
    this.#overwrites = options.overwrite === true
    this.file = resolve(options.filename ?? `${this.name}.h5`)
    this.complevel = options.complevel ?? 0
    this.lockWaitMs = options.lockWaitMs ?? LOCK_WAIT_MS
  }

  readonly #overwrites: boolean

  /** The file is replaced when it is stored first. */
  get overwrites(): boolean {
    return this.#overwrites && !this.isStored
  }

  /** Gives the file free. What is in memory stays. */
  close(): void {
    this.#letGo()
    this.#isOpen = false
    this.source = undefined
  }

  /** Whoever else in this process changes the file has it let go; it is opened again when something is asked of it. */
  protected release(): void {
    this.#letGo()
    this.#isStale = true
    this.relistAll()
  }

  #letGo(): void {
    this.#endHold?.()
    this.#endHold = undefined
    this.reader?.close()
    this.reader = undefined
    this.hdf5 = undefined
  }

  /**
   * From now on an experiment writes the file: what is stored goes through it, and what is read is as of its last commit.
   */
  async beginExtending(
    extend: (extension: Extension) => Promise<void>,
    { isQuiet, hasFile }: { readonly isQuiet: boolean; readonly hasFile: boolean },
  ): Promise<void> {
    this.#extend = extend
    this.#isQuiet = isQuiet
    this.#hasFile = hasFile
    if (hasFile) await loadH5wasm()
    await this.readAnew()
  }

  /** While others write as well, the file is read under its lock. */
  protected async readAnew(): Promise<void> {
    // A storage service of the user's own has the runs: nothing can be read here.
    if (!this.#hasFile) return
    if (this.#isQuiet) this.#readLazily()
    else await this.reopen()
  }

  /** What the file holds; undefined while it is closed, or there is none. */
  protected stored(): Hdf5Source | undefined {
    if (this.hdf5 !== undefined) return this.hdf5
    if (this.#extend !== undefined) {
      if (!this.#hasFile) return undefined
      this.reader = openHdf5ReaderNow(this.file)
      this.hdf5 = new Hdf5Source(this.reader, this.name)
    } else if (this.#isOpen) this.#whileUnchanged(() => this.#takeNow())
    return this.hdf5
  }

  /** Reads from the file as it is by now. */
  readonly #lazySource: NodeSource = {
    entries: (fullName) => this.#read((source) => source.entries(fullName)),
    head: (fullName) => this.#read((source) => source.head(fullName)),
    items: (fullName, className, wants) => this.#read((source) => source.items(fullName, className, wants)),
    parameter: (fullName, className) => this.#read((source) => source.parameter(fullName, className)),
  }

  #read<Value>(read: (source: Hdf5Source) => Value): Value {
    if (this.#extend !== undefined) return read(this.stored() as Hdf5Source)
    return this.#whileUnchanged(() => {
      this.#takeNow()
      return read(this.hdf5 as Hdf5Source)
    })
  }

  /** Reads what the file has besides nodes; undefined while it is closed, or there is none. */
  protected readStored<Value>(read: (source: Hdf5Source) => Value): Value | undefined {
    return this.stored() === undefined ? undefined : this.#read(read)
  }

  #takeNow(): void {
    if (this.reader === undefined) this.#take(openHdf5ReaderNow(this.file))
  }

  /** Again, where somebody has written the file since it was opened. */
  #whileUnchanged<Value>(read: () => Value): Value {
    const file = {
      path: this.file,
      hasChanged: () => this.reader?.isOverwritten === true,
      letGo: () => this.#letGo(),
    }
    return whileUnchangedNow(file, read)
  }

  /** Most rounds of a search need only what the jobs returned: the file is opened when it is first asked. */
  #readLazily(): void {
    this.close()
    this.source = this.#lazySource
    // What runs add to; the others are as they were.
    for (const branch of ['results', 'derived_parameters']) {
      const group = this.inMemory.find(({ name }) => name === branch)
      if (group instanceof GroupNode) group.relistAll()
    }
  }

  /** An experiment has written everything that is in memory. */
  noteStored(): void {
    for (const node of inMemoryNodes(this)) node.isStored = true
    for (const [group, name] of this.allLinks()) group.noteLinkStored(name)
    this.isStored = true
    this.storedLength = this.length
  }

  /** Looks into the file anew, and keeps it open for reading: an experiment has written it. */
  async reopen(): Promise<void> {
    this.close()
    await this.open()
    this.relistAll()
  }

  /** Where it will be stored; of what is stored already, that is decided. */
  moveTo(file: string): void {
    if (this.isStored && this.file !== file) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.name} is stored in ${this.file}, not in ${file}`,
        {
          where: file,
          hint: 'Leave the filename out, or copy the trajectory there: await traj.migrate({ filename }).',
        },
      )
    }
    this.file = file
  }

  endExtending(): void {
    this.#extend = undefined
    this.close()
  }

  /** Everything that the file does not have, while an experiment writes it. */
  takeExtension(nodes: readonly TreeNode[] = [this as TreeNode]): TreeExtension {
    const [changedNode] = changedNodes(nodes, Number.POSITIVE_INFINITY)
    if (changedNode !== undefined) throw isBeingWritten(changedNode)
    const { extension, markStored } = treeExtension(this.asTree, nodes, { added: this.#addedPoints() })
    return {
      extension,
      markStored: () => {
        this.#added.length = 0
        markStored()
      },
    }
  }

  /**
   * As that of the tree. While an experiment writes the file, the points are performed.
   */
  override expand(given: Explorable<Tree>): this {
    if (this.#extend === undefined) return super.expand(given)
    const columns = pointColumns(this.asTree, given)
    super.expand(given)
    this.#added.push({ kind: 'points', columns })
    return this
  }

  /**
   * As that of the tree.
   *
   * @throws PypetError as there, and `PYPET_TRAJECTORY_STORED` where nothing is explored and the run there is has been performed
   */
  override explore(given: Explorable<Tree>): this {
    if (Object.keys(this.exploredParameters).length > 0 || !this.keepsFirstRun()) return super.explore(given)
    throw new PypetError('PYPET_TRAJECTORY_STORED', `the run of ${this.name} has been performed already`, {
      where: 'explore',
      hint: 'Add points behind it, which keeps it with the defaults that it had: expand(points).',
    })
  }

  /** Whatever of the file is open. */
  protected override keepsFirstRun(): boolean {
    if (this.#extend !== undefined) return true
    if (!this.isStored) return false
    // A storage service of the user's own has the run.
    if (!existsSync(this.file)) return true
    if (this.hdf5 !== undefined) return this.hdf5.runs()[0]?.completed === true
    using reader = openHdf5ReaderNow(this.file)
    return new Hdf5Source(reader, this.name).runs()[0]?.completed === true
  }

  readonly #added: ExplorationSpec[] = []
  #isQuiet = true
  #hasFile = true
  #extend: ((extension: Extension) => Promise<void>) | undefined

  /** What writes while an experiment runs; undefined when none does. */
  protected get extender(): ((extension: Extension) => Promise<void>) | undefined {
    return this.#extend
  }

  #addedPoints(): ExplorationSpec | undefined {
    const parts = this.#added
    return parts.length < 2 ? parts[0] : { kind: 'concat', parts: [...parts] }
  }

  protected async open(): Promise<void> {
    if (this.reader === undefined) this.#take(await openHdf5Reader(this.file))
  }

  /** @throws PypetError `PYPET_TRAJECTORY_NOT_FOUND`; then the file is not open */
  #take(reader: Hdf5Reader): void {
    this.reader = reader
    try {
      if (reader.kind(overviewPath(`/${this.name}`, 'info')) !== 'dataset') {
        throw trajectoryNotFound(this.file, this.name, reader.children('/'))
      }
      this.hdf5 = new Hdf5Source(reader, this.name)
      this.source = this.#lazySource
      this.#isOpen = true
      if (this.#extend === undefined) {
        this.#endHold = holdReader(this.file, { release: () => this.release() })
      }
      if (this.isStored) this.#catchUp(reader)
      this.#isStale = false
    } catch (error) {
      this.#letGo()
      throw error
    }
  }

  protected override refresh(): void {
    if (this.#isStale && this.#isOpen && this.reader === undefined) this.stored()
  }

  /** Others of this process may have stored nodes and points meanwhile. Points of its own are not given up for theirs. */
  #catchUp(reader: Hdf5Reader): void {
    this.relistAll()
    const { length, explored } = readInfo(reader, this.name, true)
    if (length <= this.length || this.length !== this.storedLength) return
    this.restoreExploration(explored, length)
    this.storedLength = length
    for (const parameter of Object.values(this.exploredParameters)) {
      if (!parameter.isEmpty) this.loadLeaf(parameter, EVERY_ITEM, true)
    }
  }

  /** Runs that the file has, as far as is known here. */
  protected storedLength = 0
  #isOpen = false
  #isStale = false
  #endHold: (() => void) | undefined

  protected openReader(): Hdf5Reader {
    if (this.stored() === undefined || this.reader === undefined) throw new Error(`${this.file} is not open`)
    return this.reader
  }
}

/** An experiment adds to the file, and changes nothing that is in it. */
function isBeingWritten(node: TreeNode): PypetError {
  const name = node.fullName || node.name
  return new PypetError(
    'PYPET_TRAJECTORY_STORED',
    `${name} is stored, and cannot be changed while the experiment runs: ${whatChanged(node)}`,
    { where: name, hint: 'Add what is new under another name, or change it when the experiment has ended.' },
  )
}

function whatChanged({ changes }: TreeNode): string {
  const words = [...changes].map((change) =>
    change
      .replace(/^\./, 'item ')
      .replace(/^@/, 'annotation ')
      .replace(/^(?:value|comment)$/, 'its $&'),
  )
  return words.join(', ')
}

export function trajectoryNotFound(filename: string, name: string, names: readonly string[]): PypetError {
  const nearest = nearestName(name, names)
  return new PypetError(
    'PYPET_TRAJECTORY_NOT_FOUND',
    `${filename} holds no trajectory ${JSON.stringify(name)}`,
    {
      where: filename,
      hint: nearest === undefined ? `It holds ${names.join(', ') || 'none'}.` : `Did you mean ${nearest}?`,
    },
  )
}

function* inMemoryNodes(group: GroupNode): Generator<TreeNode> {
  for (const child of group.inMemory) {
    yield child
    if (child instanceof GroupNode) yield* inMemoryNodes(child)
  }
}
