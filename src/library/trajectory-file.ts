/**
 * The file of a trajectory. It is open for reading, and written in turns, even while an experiment writes it.
 * `Trajectory` passes on what the tree needs of it.
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
  /** The HDF5 file. Default: `<name>.h5` in the current folder. It may contain other trajectories. */
  readonly filename?: string
  /** Compression level of arrays (deflate); 0 for none. */
  readonly complevel?: number
  /** The first `store` or run replaces the whole file with all its trajectories, like `run --overwrite`. */
  readonly overwrite?: boolean
  /**
   * How long storing, deleting and compacting wait while another process writes the file, in ms. Default: 60,000. With 0,
   * they fail at once. After the wait, the content that the others stored is known.
   */
  readonly lockWaitMs?: number
}

const LOCK_WAIT_MS = 60_000

/** An experiment that writes the file. */
interface Experiment {
  readonly extend: (extension: Extension) => Promise<void>
  /** True if no one else writes at the same time. */
  readonly isQuiet: boolean
  /** False if the user's own storage service has the runs. Then nothing can be read here. */
  readonly hasFile: boolean
}

/** Writes a file or a copy of it. */
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
  /** Number of runs in the file, as far as known here. */
  storedLength = 0
  #experiment: Experiment | undefined
  /** Points added to the exploration while an experiment runs. */
  readonly #added: ExplorationSpec[] = []

  constructor(tree: TrajectoryTree, options: FileOptions) {
    this.tree = tree
    this.path = resolve(options.filename ?? `${tree.name}.h5`)
    this.complevel = options.complevel ?? 0
    this.#lockWaitMs = options.lockWaitMs ?? LOCK_WAIT_MS
    this.#overwrites = options.overwrite === true
  }

  /** Whether the first store replaces the file. */
  get overwrites(): boolean {
    return this.#overwrites && !this.tree.isStored
  }

  /** Closes the file. Data in memory stays. */
  close(): void {
    this.#letGo()
    this.#isOpen = false
    this.tree.source = undefined
  }

  /** Called when someone else in this process changes the file. It is opened again on the next access. */
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
   * From now on an experiment writes the file. Stores go through it, and reads show its last commit.
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

  /** If others also write, the file is read under its lock. */
  async #readAnew({ isQuiet, hasFile }: Experiment): Promise<void> {
    if (!hasFile) return
    if (isQuiet) this.#readLazily()
    else await this.reopen()
  }

  /** The content of the file; undefined while it is closed or does not exist. */
  #stored(): Hdf5Source | undefined {
    if (this.#source !== undefined) return this.#source
    if (this.#experiment !== undefined) {
      if (!this.#experiment.hasFile) return undefined
      this.#source = new Hdf5Source(openHdf5ReaderNow(this.path), this.tree.name)
    } else if (this.#isOpen) this.#whileUnchanged(() => this.#takeNow())
    return this.#source
  }

  /** The content of the open file. */
  get source(): Hdf5Source {
    const source = this.#stored()
    if (source === undefined) throw new Error(`${this.path} is not open`)
    return source
  }

  /** Reads the current content of the file. */
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

  /** Reads content other than nodes; undefined while the file is closed or does not exist. */
  read<Value>(read: (source: Hdf5Source) => Value): Value | undefined {
    return this.#stored() === undefined ? undefined : this.#read(read)
  }

  /** The table of runs, like `read`. */
  runs(): readonly RunInformation[] | undefined {
    return this.#source?.knownRuns ?? this.read((source) => source.runs())
  }

  #takeNow(): void {
    if (this.#source === undefined) this.#take(openHdf5ReaderNow(this.path))
  }

  /** Repeats the read if someone has written the file since it was opened. */
  #whileUnchanged<Value>(read: () => Value): Value {
    const file = {
      path: this.path,
      hasChanged: () => this.#source?.reader.isOverwritten === true,
      letGo: () => this.#letGo(),
    }
    return whileUnchangedNow(file, read)
  }

  /** Most rounds of a search need only the return values of the jobs, so the file is opened on first access. */
  #readLazily(): void {
    this.close()
    this.tree.source = this.#lazySource
    // Runs add only to these branches.
    for (const branch of ['results', 'derived_parameters']) {
      const group = this.tree.inMemory.find(({ name }) => name === branch)
      if (group instanceof GroupNode) group.relistAll()
    }
  }

  /** Called after an experiment has written everything in memory. */
  noteStored(): void {
    for (const node of inMemoryNodes(this.tree)) node.isStored = true
    for (const [group, name] of this.tree.allLinks()) group.noteLinkStored(name)
    this.tree.isStored = true
    this.storedLength = this.tree.length
  }

  /** Reads the file again after an experiment has written it, and keeps it open for reading. */
  async reopen(): Promise<void> {
    this.close()
    await this.open()
    this.tree.relistAll()
  }

  /** Sets the file to store to. For a stored trajectory, it cannot change. */
  moveTo(file: string): void {
    if (this.tree.isStored && this.path !== file) {
      throw new PypetError(
        'PYPET_TRAJECTORY_STORED',
        `${this.tree.name} is stored in ${this.path}, not in ${file}`,
        {
          where: file,
          hint: 'Leave out the filename, or copy the trajectory there: await traj.migrate({ filename }).',
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

  /** Notes added points, which run while an experiment writes the file. */
  notePoints(columns: readonly Column[]): void {
    this.#added.push({ kind: 'points', columns })
  }

  /** Like that of the tree, even if the file is closed. */
  keepsFirstRun(): boolean {
    if (this.#experiment !== undefined) return true
    if (!this.tree.isStored) return false
    // The user's own storage service has the run.
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

  /** Called before reading state that others may have changed. */
  refresh(): void {
    if (this.#isStale && this.#isOpen) this.#stored()
  }

  /** Takes over nodes and points that others in this process have stored, unless this trajectory has its own new points. */
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
   * Reads and writes the file while no one else writes it. The file is closed before and after, because others who hold the
   * lock would wait for its readers.
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

  /** The exploration in the file, before a change. */
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
        hint: 'Give it another name (addTime) or another file, or load the existing one.',
        details: { file: this.path, trajectory: this.tree.name },
      },
    )
  }

  /**
   * Rewrites the file without some of its objects, and with what `write` adds. The new file replaces the old one, or the old
   * one stays as it was.
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

  /** @param before the exploration that the edit assumes. The edit is refused if it has changed */
  async edit(edit: (editor: FileEditor) => void | Promise<void>, before?: StoredExploration): Promise<void> {
    // HDF5 cannot open a file for writing while it is open for reading.
    this.close()
    const check = async () => {
      if (!this.tree.isStored) {
        if (!this.overwrites) await this.assertNameIsFree()
      } else if (before !== undefined) await this.#assertUnchanged(before)
    }
    await editHdf5File(this.path, { trajectory: this.tree.name, check, overwrite: this.overwrites }, edit)
    await this.open()
  }

  /** Rewrites the file without deleted nodes, like `compactFile`. */
  async compact(): Promise<{ readonly bytesBefore: number; readonly bytesAfter: number }> {
    return await this.inTurn(async () => {
      this.close()
      const result = await compactFile(this.path)
      if (this.tree.isStored) await this.open()
      return result
    })
  }

  /** Full names of deleted nodes whose objects still exist. */
  deleted(): readonly string[] {
    return deletedNodes(this.source.reader, `/${this.tree.name}`)
  }

  notStored(name: string): PypetError {
    return new PypetError(
      'PYPET_DATA_NOT_STORED',
      `${this.path} does not hold ${name} of ${this.tree.name}`,
      { where: name, hint: 'Store it first. It may have been deleted.' },
    )
  }

  /** Another process may have changed the file between reading and writing. */
  async #assertUnchanged(before: StoredExploration): Promise<void> {
    const now = await this.readExploration()
    this.close()
    if (isDeepStrictEqual(now, before)) return
    const found = `it now has ${formatRuns(now.runCount)}, before ${formatCount(before.runCount)}`
    throw changed(this.path, this.tree.name, found)
  }
}

/** An experiment only adds to the file, and does not change existing content. */
function isBeingWritten(node: TreeNode): PypetError {
  const name = node.fullName || node.name
  return new PypetError(
    'PYPET_TRAJECTORY_STORED',
    `${name} is stored and cannot be changed while the experiment runs: ${whatChanged(node)}`,
    { where: name, hint: 'Add new nodes under another name, or change it after the experiment.' },
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
