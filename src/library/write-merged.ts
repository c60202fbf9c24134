/** Writes runs that a trajectory has taken into memory to its file, from the files of the others. */
import { breathe } from '../breath.ts'
import { newNodes, pathOf } from '../layout/tree-layout.ts'
import { RUN_STATUS } from '../names.ts'
import { cannotCopy, compactFile } from '../storage/edit/compact-file.ts'
import { EditedColumns } from '../storage/edit/edited-columns.ts'
import { growthOperations, outgrownTables, type StoredExploration } from '../storage/edit/grown-trajectory.ts'
import { hasLinks, leavesToMerge } from '../storage/edit/merged-columns.ts'
import { MergedComments } from '../storage/edit/merged-comments.ts'
import { type CopySource, carriedCopy, carriedLinks, runCopy } from '../storage/edit/merged-runs.ts'
import type { LeftOut } from '../tree/merge-content.ts'
import { renamedInMerge } from '../tree/merge-plan.ts'
import type { GroupNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import type { PlannedMerge } from './merge-others.ts'
import type { Trajectory } from './trajectory.ts'
import type { TrajectoryFile } from './trajectory-file.ts'
import { LIBRARY_VERSIONS } from './trajectory-info.ts'

/** A trajectory in a file whose runs this one has taken into memory, and what to copy from it. */
export interface MergedOther extends PlannedMerge {
  readonly trajectory: Trajectory
}

interface MergedWriting {
  readonly mayRewrite: boolean
  /** Called with the number of copied runs of each other. */
  readonly onRuns: (other: number, runCount: number) => void
  /** Called when everything is durable. */
  readonly onCommitted: () => void
}

/** Groups that receive its nodes. */
function groupNames({ plan, content, places, first, runOf }: MergedOther): string[] {
  const names = new Set(content.carried.map(({ fullName }) => fullName.slice(0, fullName.lastIndexOf('.'))))
  for (const place of places) {
    const runs = place.includes('run_set_') ? plan.runs : plan.runs.slice(0, 1)
    for (const [index] of runs.entries()) names.add(renamedInMerge(place, runOf, first + index) ?? place)
  }
  return [...names].flatMap((name) =>
    name.split('.').map((_, depth, parts) => parts.slice(0, depth + 1).join('.')),
  )
}

/**
 * Writes the runs of the other trajectories in one transaction.
 *
 * @param options.mayRewrite false: if a table of the file must be rewritten, nothing is done
 * @returns what could not be copied, by the number of the other; undefined if nothing was done
 */
export async function writeMerged(
  file: TrajectoryFile,
  before: StoredExploration,
  others: readonly MergedOther[],
  { mayRewrite, onRuns, onCommitted }: MergedWriting,
): Promise<LeftOut[][] | undefined> {
  const { tree, complevel } = file
  const drop = outgrownTables(tree, before)
  let expandedFrom = before
  if (drop.length > 0) {
    if (!mayRewrite) return undefined
    file.close()
    await compactFile(file.path, { drop: new Set(drop) })
    expandedFrom = await file.readExploration()
  }
  const leftOut: LeftOut[][] = others.map(() => [])
  const uncopied: string[] = []
  const made = new Set<string>()
  const comments = new MergedComments(file.source.reader, tree.name)
  const known = new Set(others.flatMap(groupNames).filter((name) => tree.at(name)?.isStored === true))
  // It reads the file, which is closed while it is written.
  const columns = EditedColumns.of(file.source.reader, tree.name)
  const realised = file.source.reader.realised([...known].map((name) => pathOf(tree, name)))
  await file.edit(async (editor) => {
    editor.apply(realised)
    for (const operations of growthOperations(tree, expandedFrom, complevel, LIBRARY_VERSIONS)) {
      editor.apply(operations)
      await breathe()
    }
    editor.apply(columns?.grow(tree.length) ?? [])
    for (const [number, other] of others.entries()) {
      await other.trajectory.file.open()
      const reader = other.trajectory.file.source.reader
      const { places, runOf, leadsTo } = other
      const source = { reader, trajectory: other.trajectory.name, places, runOf, leadsTo }
      comments.begin(reader, source.trajectory)
      const target = {
        trajectory: tree.name,
        hasGroup: (name: string) => known.has(name) || made.has(name),
        noteGroup: (name: string) => made.add(name),
        comments,
        onUncopied: (path: string, reason: string) => uncopied.push(`${path}: ${reason}`),
        onLeftOut: (left: LeftOut) => leftOut[number]?.push(left),
      }
      for (const operations of carriedCopy(source, target, other.content.carried)) editor.apply(operations)
      for (const [index, run] of other.plan.runs.entries()) {
        await breathe()
        const to = other.first + index
        const omitted = columns && mergeColumns(columns, source, comments, run, tree, to)
        for (const operations of runCopy(source, target, run, to, omitted)) editor.apply(operations)
        editor.apply(columns?.spill() ?? [])
        if (index % COLUMN_RUNS === COLUMN_RUNS - 1) editor.apply(columns?.operations() ?? [])
        onRuns(number, index + 1)
      }
      editor.apply(columns?.operations() ?? [])
      if (uncopied.length > 0) throw cannotCopy(other.trajectory.filename, uncopied)
      other.trajectory.close()
    }
    editor.apply(comments.operations())
    for (const { content } of others) editor.apply(carriedLinks(tree.name, content.carried))
    const config = tree.child('config') as GroupNode
    // Groups that were copied and also added here.
    for (const node of [config, ...config.iterNodes()]) {
      if (made.has(node.fullName)) node.isStored = true
    }
    const writing = { complevel, maxDepth: Number.POSITIVE_INFINITY, skeletonOnly: false }
    for (const { node, operations } of newNodes(tree, config, writing)) {
      editor.apply(operations)
      node.isStored = true
    }
    editor.commit()
    onCommitted()
  }, expandedFrom)
  file.storedLength = tree.length
  return leftOut
}

/** So many runs share a write to the columns. */
const COLUMN_RUNS = 1000

/** Adds the rows of a run to the columns. @returns paths of leaves in the other file that the columns hold whole */
function mergeColumns(
  columns: EditedColumns,
  { reader, trajectory }: CopySource,
  comments: MergedComments,
  from: RunIndex,
  tree: TrajectoryTree,
  to: RunIndex,
): ReadonlySet<string> {
  const { layout } = columns
  const merged = tree.mergedRun(to)
  const completed = merged?.information.completed === true
  const status = completed ? RUN_STATUS.stored : merged?.failure ? RUN_STATUS.failed : RUN_STATUS.missing
  const found = leavesToMerge(reader, trajectory, { from, to, layout }, (name) => comments.commentOf(name))
  const times = merged?.information ?? { startTimestamp: 0, finishTimestamp: 0 }
  const leaves = completed ? found.map(({ leaf }) => leaf) : []
  const attempts = reader.columns(trajectory)?.attemptsOf(from)
  const added = columns.add(to, leaves, times, { status, ...(attempts !== undefined && { attempts }) })
  const whole = added.size > 0 && hasLinks(reader, trajectory, from) ? new Set<string>() : added
  for (const { leaf } of found) if (whole.has(leaf.location)) comments.noteLeaf(leaf.location, leaf.comment)
  return new Set(found.filter(({ leaf }) => whole.has(leaf.location)).map(({ path }) => path))
}
