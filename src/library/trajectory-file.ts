/**
 * The file of a trajectory: opened for reading, and written in turns, alone or while an experiment writes it. What the tree
 * asks of it, `Trajectory` passes on.
 */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { addsNothing } from '../environment/postprocessing.ts'
import { PypetError } from '../errors.ts'
import type { Column, ExplorationSpec } from '../exploration/exploration.ts'
import { Hdf5File } from '../hdf5/file.ts'
import { loadH5wasm } from '../hdf5/h5wasm.ts'
import { takeTurn } from '../journal/file-turn.ts'
import { holdReader } from '../journal/open-readers.ts'
import { dropBegunExpansion } from '../journal/unfinished.ts'
import { deletedNodes } from '../layout/deleted-nodes.ts'
import { overviewPath } from '../names.ts'
import type { Extension } from '../protocol.ts'
import { readHdf5, whileUnchangedNow } from '../reading/read-hdf5.ts'
import { type Hdf5Reader, openHdf5Reader, openHdf5ReaderNow } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import { formatCount, formatRuns } from '../reporting/quantity.ts'
import { changedNodes } from '../storage/edit/changed-nodes.ts'
import { compactFile } from '../storage/edit/compact-file.ts'
import { editHdf5File, type FileEditor, warn } from '../storage/edit/edit-file.ts'
import { readExploration, type StoredExploration } from '../storage/edit/grown-trajectory.ts'
import { changed } from '../storage/expand-trajectory.ts'
import { EVERY_ITEM, type NodeSource } from '../tree/node-source.ts'
import { GroupNode, type TreeNode } from '../tree/nodes.ts'
import type { RunInformation } from '../tree/run-information.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { readInfo } from './trajectory-info.ts'
import { type TreeExtension, treeExtension } from './tree-extension.ts'

export interface FileOptions {
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

const LOCK_WAIT_MS = 60_000

/** An experiment that writes the file. */
interface Experiment {
  readonly extend: (extension: Extension) => Promise<void>
  /** Nobody else writes meanwhile. */
  readonly isQuiet: boolean
  /** False where a storage service of the user's own has the runs: nothing can be read here. */
  readonly hasFile: boolean
}

/** What writes a file, or a copy of it. */
export type Writer = Pick<FileEditor, 'isNewFile' | 'apply'>

export class TrajectoryFile {
  readonly tree: TrajectoryTree
  path: string
  readonly complevel: number
  readonly #lockWaitMs: number
  readonly #overwrites: boolean
  #source: Hdf5Source | undefined
  #endHold: (() => void) | undefined
  #isOpen = false
  #isStale = false
  /** Runs that the file has, as far as is known here. */
  storedLength = 0
  #experiment: Experiment | undefined
  /** Points that the exploration has gained while an experiment runs. */
  readonly #added: ExplorationSpec[] = []

  constructor(tree: TrajectoryTree, options: FileOptions) {
    this.tree = tree
    this.path = resolve(options.filename ?? `${tree.name}.h5`)
    this.complevel = options.complevel ?? 0
    this.#lockWaitMs = options.lockWaitMs ?? LOCK_WAIT_MS
    this.#overwrites = options.overwrite === true
  }

  /** The file is replaced when it is stored first. */
  get overwrites(): boolean {
    return this.#overwrites && !this.tree.isStored
  }

  /** Gives the file free. What is in memory stays. */
  close(): void {
    this.#letGo()
    this.#isOpen = false
    this.tree.source = undefined
  }

  /** Whoever else in this process changes the file has it let go; it is opened again when something is asked of it. */
  release(): void {
    this.#letGo()
    this.#isStale = true
    this.tree.relistAll()
  }

  #letGo(): void {
    this.#endHold?.()
    this.#endHold = undefined
    this.#source?.reader.close()
    this.#source = undefined
  }

  /**
   * From now on an experiment writes the file: what is stored goes through it, and what is read is as of its last commit.
   */
  async beginExtending(experiment: Experiment): Promise<void> {
    this.#experiment = experiment
    if (experiment.hasFile) await loadH5wasm()
    await this.#readAnew(experiment)
  }

  get isExtending(): boolean {
    return this.#experiment !== undefined
  }

  /** Stores nodes through the experiment that writes the file. */
  async extend(nodes: readonly TreeNode[]): Promise<void> {
    const experiment = this.#experiment as Experiment
    const { extension, markStored } = this.takeExtension(nodes)
    if (!addsNothing(extension)) await experiment.extend(extension)
    markStored()
    await this.#readAnew(experiment)
  }

  /** While others write as well, the file is read under its lock. */
  async #readAnew({ isQuiet, hasFile }: Experiment): Promise<void> {
    if (!hasFile) return
    if (isQuiet) this.#readLazily()
    else await this.reopen()
  }

  /** What the file holds; undefined while it is closed, or there is none. */
  #stored(): Hdf5Source | undefined {
    if (this.#source !== undefined) return this.#source
    if (this.#experiment !== undefined) {
      if (!this.#experiment.hasFile) return undefined
      this.#source = new Hdf5Source(openHdf5ReaderNow(this.path), this.tree.name)
    } else if (this.#isOpen) this.#whileUnchanged(() => this.#takeNow())
    return this.#source
  }

  /** What the file holds, which is open. */
  get source(): Hdf5Source {
    const source = this.#stored()
    if (source === undefined) throw new Error(`${this.path} is not open`)
    return source
  }

  /** Reads from the file as it is by now. */
  readonly #lazySource: NodeSource = {
    entries: (fullName) => this.#read((source) => source.entries(fullName)),
    head: (fullName) => this.#read((source) => source.head(fullName)),
    items: (fullName, className, wants) => this.#read((source) => source.items(fullName, className, wants)),
    parameter: (fullName, className) => this.#read((source) => source.parameter(fullName, className)),
  }

  #read<Value>(read: (source: Hdf5Source) => Value): Value {
    if (this.#experiment !== undefined) return read(this.source)
    return this.#whileUnchanged(() => {
      this.#takeNow()
      return read(this.#source as Hdf5Source)
    })
  }

  /** Reads what the file has besides nodes; undefined while it is closed, or there is none. */
  read<Value>(read: (source: Hdf5Source) => Value): Value | undefined {
    return this.#stored() === undefined ? undefined : this.#read(read)
  }

  /** The table of runs, as `read`. */
  runs(): readonly RunInformation[] | undefined {
    return this.#source?.knownRuns ?? this.read((source) => source.runs())
  }

  #takeNow(): void {
    if (this.#source === undefined) this.#take(openHdf5ReaderNow(this.path))
  }

  /** Again, where somebody has written the file since it was opened. */
  #whileUnchanged<Value>(read: () => Value): Value {
    const file = {
      path: this.path,
      hasChanged: () => this.#source?.reader.isOverwritten === true,
      letGo: () => this.#letGo(),
    }
    return whileUnchangedNow(file, read)
  }

  /** Most rounds of a search need only what the jobs returned: the file is opened when it is first asked. */
  #readLazily(): void {
    this.close()
    this.tree.source = this.#lazySource
    // What runs add to; the others are as they were.
    for (const branch of ['results', 'derived_parameters']) {
      const group = this.tree.inMemory.find(({ name }) => name === branch)
      if (group instanceof GroupNode) group.relistAll()
    }
  }

  /** An experiment has written everything that is in memory. */
  noteStored(): void {
    for (const node of inMemoryNodes(this.tree)) node.isStored = true
    for (const [group, name] of this.tree.allLinks()) group.noteLinkStored(name)
    this.tree.isStored = true
    this.storedLength = this.tree.length
  }

  /** Looks into the file anew, and keeps it open for reading: an experiment has written it. */
  async reopen(): Promise<void> {
    this.close()
    await this.open()
    this.tree.relistAll()
  }

  /** Where it will be stored; of what is stored already, that is decided. */
  moveTo(file: string): void {
    if (this.tree.isStored && this.path !== file) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.tree.name} is stored in ${this.path}, not in ${file}`,
        {
          where: file,
          hint: 'Leave the filename out, or copy the trajectory there: await traj.migrate({ filename }).',
        },
      )
    }
    this.path = file
  }

  endExtending(): void {
    this.#experiment = undefined
    this.close()
  }

  /** Everything that the file does not have, while an experiment writes it. */
  takeExtension(nodes: readonly TreeNode[] = [this.tree as TreeNode]): TreeExtension {
    const [changedNode] = changedNodes(nodes, Number.POSITIVE_INFINITY)
    if (changedNode !== undefined) throw isBeingWritten(changedNode)
    const { extension, markStored } = treeExtension(this.tree, nodes, { added: this.#addedPoints() })
    return {
      extension,
      markStored: () => {
        this.#added.length = 0
        markStored()
      },
    }
  }

  /** While an experiment writes the file, points that have been added are performed. */
  notePoints(columns: readonly Column[]): void {
    this.#added.push({ kind: 'points', columns })
  }

  /** As of the tree, whatever of the file is open. */
  keepsFirstRun(): boolean {
    if (this.#experiment !== undefined) return true
    if (!this.tree.isStored) return false
    // A storage service of the user's own has the run.
    if (!existsSync(this.path)) return true
    if (this.#source !== undefined) return this.#source.runs()[0]?.completed === true
    using reader = openHdf5ReaderNow(this.path)
    return new Hdf5Source(reader, this.tree.name).runs()[0]?.completed === true
  }

  #addedPoints(): ExplorationSpec | undefined {
    const parts = this.#added
    return parts.length < 2 ? parts[0] : { kind: 'concat', parts: [...parts] }
  }

  async open(): Promise<void> {
    if (this.#source === undefined) this.#take(await openHdf5Reader(this.path))
  }

  /** @throws PypetError `PYPET_TRAJECTORY_NOT_FOUND`; then the file is not open */
  #take(reader: Hdf5Reader): void {
    this.#source = new Hdf5Source(reader, this.tree.name)
    try {
      if (reader.kind(overviewPath(`/${this.tree.name}`, 'info')) !== 'dataset') {
        throw trajectoryNotFound(this.path, this.tree.name, reader.children('/'))
      }
      this.tree.source = this.#lazySource
      this.#isOpen = true
      if (this.#experiment === undefined) {
        this.#endHold = holdReader(this.path, { release: () => this.release() })
      }
      if (this.tree.isStored) this.#catchUp(reader)
      this.#isStale = false
    } catch (error) {
      this.#letGo()
      throw error
    }
  }

  /** Before what others may have changed is looked at. */
  refresh(): void {
    if (this.#isStale && this.#isOpen) this.#stored()
  }

  /** Others of this process may have stored nodes and points meanwhile. Points of its own are not given up for theirs. */
  #catchUp(reader: Hdf5Reader): void {
    this.tree.relistAll()
    const { length, explored } = readInfo(reader, this.tree.name, true)
    if (length <= this.tree.length || this.tree.length !== this.storedLength) return
    this.tree.restoreExploration(explored, length)
    this.storedLength = length
    for (const parameter of Object.values(this.tree.exploredParameters)) {
      if (!parameter.isEmpty) this.tree.loadLeaf(parameter, EVERY_ITEM, true)
    }
  }

  /**
   * Reads and writes the file while nobody else writes it. It is not kept open before and after that: whoever has the lock
   * would wait for its readers.
   */
  async inTurn<Value>(action: () => Promise<Value>): Promise<Value> {
    const request = { trajectory: this.tree.name, waitMs: this.#lockWaitMs, onNotice: warn }
    if (this.tree.isStored) this.release()
    try {
      return await takeTurn(this.path, request, action)
    } finally {
      if (this.tree.isStored) this.release()
    }
  }

  /** What the file has of the exploration, before it is changed. */
  async readExploration(): Promise<StoredExploration> {
    await this.open()
    return readExploration(this.source.reader, this.tree)
  }

  async assertNameIsFree(): Promise<void> {
    if (!existsSync(this.path) || statSync(this.path).size === 0) return
    const names = await Hdf5File.rootNames(this.path)
    if (!names.includes(this.tree.name)) return
    throw new PypetError(
      'PYPET_TRAJECTORY_EXISTS',
      `${this.path} already holds a trajectory named ${this.tree.name}`,
      {
        where: this.path,
        hint: 'Give it another name (addTime), another file, or load the one that is there.',
        details: { file: this.path, trajectory: this.tree.name },
      },
    )
  }

  /**
   * Writes the file anew without some of its objects, and with what `write` adds: a file of both takes its place, or it stays
   * as it was.
   */
  async rewrite(
    drop: ReadonlySet<string>,
    write: (editor: Writer, expandedFrom: StoredExploration) => void,
  ): Promise<void> {
    this.close()
    const complete = async (copy: string) => {
      dropBegunExpansion(this.path, this.tree.name)
      const expandedFrom = await readHdf5(copy, (reader) => readExploration(reader, this.tree))
      await Hdf5File.write(copy, 'append', (file) =>
        write({ isNewFile: false, apply: (operations) => file.apply(operations) }, expandedFrom),
      )
    }
    await compactFile(this.path, { drop, complete })
    await this.open()
  }

  /** @param before what the edit takes for granted: it is refused where that is not so any more */
  async edit(edit: (editor: FileEditor) => void | Promise<void>, before?: StoredExploration): Promise<void> {
    // HDF5 does not open a file for writing that is open for reading.
    this.close()
    const check = async () => {
      if (!this.tree.isStored) {
        if (!this.overwrites) await this.assertNameIsFree()
      } else if (before !== undefined) await this.#assertUnchanged(before)
    }
    await editHdf5File(this.path, { trajectory: this.tree.name, check, overwrite: this.overwrites }, edit)
    await this.open()
  }

  /** Rewrites the file without what was deleted. As `compactFile`. */
  async compact(): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
    return await this.inTurn(async () => {
      this.close()
      const result = await compactFile(this.path)
      if (this.tree.isStored) await this.open()
      return result
    })
  }

  /** Full names of what was deleted, whose objects are still there. */
  deleted(): readonly string[] {
    return deletedNodes(this.source.reader, `/${this.tree.name}`)
  }

  notStored(name: string): PypetError {
    return new PypetError(
      'PYPET_DATA_NOT_STORED',
      `${this.path} does not hold ${name} of ${this.tree.name}`,
      { where: name, hint: 'Store it first; or it has been deleted.' },
    )
  }

  /** Between reading and writing another process may have had the file. */
  async #assertUnchanged(before: StoredExploration): Promise<void> {
    const now = await this.readExploration()
    this.close()
    if (isDeepStrictEqual(now, before)) return
    const found = `it has ${formatRuns(now.runCount)}, and had ${formatCount(before.runCount)}`
    throw changed(this.path, this.tree.name, found)
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
  return new PypetError(
    'PYPET_TRAJECTORY_NOT_FOUND',
    `${filename} holds no trajectory ${JSON.stringify(name)}`,
    {
      where: filename,
      hint: nearestHint(name, names, `It holds ${names.join(', ') || 'none'}.`),
    },
  )
}

function* inMemoryNodes(group: GroupNode): Generator<TreeNode> {
  for (const child of group.inMemory) {
    yield child
    if (child instanceof GroupNode) yield* inMemoryNodes(child)
  }
}
