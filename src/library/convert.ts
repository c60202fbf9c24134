/** Copies a file into another layout. */
import { statSync } from 'node:fs'
import { breathe } from '../breath.ts'
import { PypetError } from '../errors.ts'
import { Hdf5File } from '../hdf5/file.ts'
import { fileChanging } from '../hdf5/read-errors.ts'
import { FILES } from '../journal/disk.ts'
import { realFileOf } from '../journal/real-file.ts'
import { LayoutMemory } from '../layout/layout-memory.ts'
import { assertNoColumns, RunColumns, type RunFacts } from '../layout/run-columns.ts'
import {
  columnsGroup,
  type Layout,
  overviewPath,
  presenceGroup,
  RUN_BRANCHES,
  RUN_STATUS,
  runName,
} from '../names.ts'
import { whileUnchanged } from '../reading/read-hdf5.ts'
import { type Hdf5Reader, openHdf5Reader } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import { cannotCopy } from '../storage/edit/compact-file.ts'
import { readSetting } from '../storage/edit/grown-trajectory.ts'
import { copyAttributes, copyOperations } from '../storage/edit/hdf5-copy.ts'
import { hasLinks, leavesToMerge } from '../storage/edit/merged-columns.ts'
import { MergedComments } from '../storage/edit/merged-comments.ts'
import { withoutEmptyGroups } from '../storage/edit/merged-runs.ts'
import { assertKnownOptions } from '../values/nearest-name.ts'
import type { RunIndex } from '../values/path.ts'
import { trajectoryNames } from './trajectory-info.ts'
import { checkNewFile, writeBeside } from './write-beside.ts'

export interface ConvertOptions {
  /** Where results are in the new file: below their runs (`tree`), or in columns where they fit (`columns`). */
  readonly layout: Layout
  /** Replace an existing file when the new one is complete. */
  readonly overwrite?: boolean
}

export interface ConvertReport {
  readonly file: string
  readonly layout: Layout
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly trajectories: readonly ConvertedTrajectory[]
}

export interface ConvertedTrajectory {
  readonly name: string
  readonly runCount: number
  /** Leaves of runs that are in columns only. */
  readonly leavesInColumns: number
  /** Leaves of runs that are below their runs. */
  readonly leavesInTree: number
}

/** So many runs share a write to the columns. */
const COLUMN_RUNS = 1000

/**
 * Writes everything in a file into a new one with another layout. The source does not change, and may be open or
 * unfinished: its last commit is converted. The new file appears when it is complete and durable.
 *
 * @throws PypetError `PYPET_USAGE` for another layout, `PYPET_FILE_NOT_WRITABLE` if the target exists or cannot be
 *   written, `PYPET_NAME_TAKEN` if a node is where the columns would be, `PYPET_STORAGE_FAILED` if something cannot be
 *   copied, and as `openHdf5Reader`
 */
export async function convertFile(
  source: string,
  target: string,
  options: ConvertOptions,
): Promise<ConvertReport> {
  assertKnownOptions(options, ['layout', 'overwrite'] satisfies (keyof ConvertOptions)[], 'convertFile')
  const { layout, overwrite = false } = options
  if (layout !== 'tree' && layout !== 'columns') {
    throw new PypetError('PYPET_USAGE', `${JSON.stringify(layout)} is not a layout`, {
      where: 'layout',
      hint: 'Use tree or columns (--layout).',
    })
  }
  const real = realFileOf(target)
  const check = () =>
    checkNewFile(real, [source], {
      overwrite,
      isInput: 'is the source file itself',
      hint: 'Give another name, or replace it with --overwrite.',
    })
  // A source that cannot be read is reported first.
  ;(await openHdf5Reader(source)).close()
  check()
  return await writeBeside(target, real, 'convert', async (temporary) => {
    check()
    const trajectories = await whileUnchanged(() => convertInto(source, temporary, layout))
    const disk = FILES.open(temporary, 'write')
    disk.sync()
    disk.close()
    return {
      file: target,
      layout,
      bytesBefore: statSync(source).size,
      bytesAfter: statSync(temporary).size,
      trajectories,
    }
  })
}

async function convertInto(
  source: string,
  temporary: string,
  layout: Layout,
): Promise<ConvertedTrajectory[]> {
  using reader = await openHdf5Reader(source)
  const uncopied: string[] = []
  const onUncopied = (path: string, reason: string) => uncopied.push(`${path}: ${reason}`)
  const file = await Hdf5File.open(temporary, 'create')
  try {
    file.apply(copyAttributes(reader, '/', '/', { onUncopied }))
    const converted: ConvertedTrajectory[] = []
    const names = trajectoryNames(reader)
    for (const name of reader.children('/')) {
      if (names.includes(name))
        converted.push(await new Conversion(reader, file, name, layout, onUncopied).write())
      else
        for (const operations of copyOperations(reader, `/${name}`, `/${name}`, { onUncopied }))
          file.apply(operations)
    }
    if (uncopied.length > 0) throw cannotCopy(source, uncopied)
    if (reader.hasChanged) throw fileChanging(source)
    file.flush()
    return converted
  } finally {
    file.close()
  }
}

class Conversion {
  readonly #reader: Hdf5Reader
  readonly #file: Hdf5File
  readonly #name: string
  readonly #layout: Layout
  readonly #onUncopied: (path: string, reason: string) => void

  constructor(
    reader: Hdf5Reader,
    file: Hdf5File,
    name: string,
    layout: Layout,
    onUncopied: (path: string, reason: string) => void,
  ) {
    this.#reader = reader
    this.#file = file
    this.#name = name
    this.#layout = layout
    this.#onUncopied = onUncopied
  }

  async write(): Promise<ConvertedTrajectory> {
    const reader = this.#reader
    const root = `/${this.#name}`
    const runGroups = RUN_BRANCHES.map((branch) => `${root}/${branch}/runs`)
    const omitted = new Set([
      overviewPath(root, 'deleted_nodes'),
      ...RUN_BRANCHES.flatMap((branch) => [columnsGroup(root, branch, 'tree'), presenceGroup(root, branch)]),
    ])
    const nameChild = (child: string, group: string) => {
      const path = `${group}/${child}`
      if (omitted.has(path) || runGroups.includes(group)) return undefined
      assertNoColumns(path.slice(root.length + 1).replaceAll('/', '.'), this.#layout)
      return child
    }
    this.#copy(root, nameChild)
    const runs = new Hdf5Source(reader, this.#name).runs()
    const memory = new LayoutMemory()
    const columns = new RunColumns({ root, layout: this.#layout, runCount: runs.length, memory })
    this.#file.apply(columns.open())
    const factsOf = this.#facts(runs)
    const commentOf = this.#comments()
    let [leavesInColumns, leavesInTree] = [0, 0]
    for (const { idx, completed } of runs) {
      const leaves = leavesToMerge(
        reader,
        this.#name,
        { from: idx, to: idx, layout: this.#layout },
        commentOf,
      )
      columns.beginRun()
      const whole = new Set<string>()
      const staysInTree = this.#layout === 'tree' || hasLinks(reader, this.#name, idx)
      for (const { leaf, path } of leaves) {
        if (completed && columns.add(idx, leaf) && !staysInTree) whole.add(path)
      }
      columns.end(idx, factsOf(idx))
      leavesInColumns += whole.size
      leavesInTree += leaves.length - whole.size
      for (const group of runGroups) this.#copyRun(`${group}/${runName(idx)}`, whole)
      this.#file.apply(columns.spill())
      if (idx % COLUMN_RUNS === COLUMN_RUNS - 1) this.#file.apply(columns.commit())
      // For a signal, and for memory that is no longer needed.
      await breathe()
    }
    this.#file.apply(columns.commit())
    return { name: this.#name, runCount: runs.length, leavesInColumns, leavesInTree }
  }

  #copy(path: string, nameChild: (child: string, group: string) => string | undefined): void {
    for (const operations of copyOperations(this.#reader, path, path, {
      nameChild,
      onUncopied: this.#onUncopied,
    }))
      this.#file.apply(operations)
  }

  #copyRun(path: string, whole: ReadonlySet<string>): void {
    if (this.#reader.kind(path) === undefined) return
    const copying = copyOperations(this.#reader, path, path, {
      nameChild: (child, group) => (whole.has(`${group}/${child}`) ? undefined : child),
      onUncopied: this.#onUncopied,
    })
    for (const operations of this.#layout === 'columns' ? withoutEmptyGroups(copying) : copying)
      this.#file.apply(operations)
  }

  /** From the columns of the source, or from its tables. */
  #facts(runs: ReturnType<Hdf5Source['runs']>): (run: RunIndex) => RunFacts {
    const set = this.#reader.columns(this.#name)
    return (run) => {
      const { completed, failed, startTimestamp: start, runtime } = runs[run] as (typeof runs)[number]
      const status = completed ? RUN_STATUS.stored : failed ? RUN_STATUS.failed : RUN_STATUS.missing
      return {
        status,
        attempts: set?.attemptsOf(run) ?? (status === RUN_STATUS.missing ? 0 : 1),
        start,
        runtime,
      }
    }
  }

  /** Where equal comments were stored once, a leaf without one has the same as that of another run. */
  #comments(): (fullName: string) => string {
    const root = `/${this.#name}`
    if (readSetting(this.#reader, root, 'purge_duplicate_comments') !== true) return () => ''
    const comments = new MergedComments(this.#reader, this.#name)
    comments.begin(this.#reader, this.#name)
    return (fullName) => comments.commentOf(fullName)
  }
}
