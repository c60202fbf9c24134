/** Merges trajectories in memory (pypet `f_merge`): copies the other's nodes under the names of its new runs. */
import { breathe } from '../breath.ts'
import { runName, runSetName } from '../names.ts'
import { copyInto, copyNode, groupAbove, groupOf } from '../tree/copy.ts'
import type { LeftOut } from '../tree/merge-content.ts'
import { renamedInMerge } from '../tree/merge-plan.ts'
import { GroupNode, type TreeNode } from '../tree/nodes.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import { assertMergeOptions, type MergedInput, type MergeOptions, Merging } from './merge-others.ts'

export async function mergeInMemory(
  tree: TrajectoryTree,
  other: TrajectoryTree,
  options: MergeOptions,
): Promise<MergedInput> {
  assertMergeOptions(options)
  const file = 'filename' in other ? String(other.filename) : other.name
  const merging = new Merging(tree, options)
  const { plan, content, places, first, runOf, leadsTo } = await merging.plan(file, other)
  const leftOut: LeftOut[] = []
  const retarget = (run: number) => (target: string, name: string) => {
    const renamed = leadsTo(target, run)
    if (renamed === undefined) leftOut.push({ name, reason: `it leads to ${target}, which is not copied` })
    return renamed
  }
  for (const { kind, fullName } of content.carried) {
    if (kind === 'link') continue
    copyNode(other.at(fullName) as TreeNode, groupAbove(tree, fullName))
  }
  for (const [index, run] of plan.runs.entries()) {
    options.onProgress?.({ phase: 'copying', file, done: index, total: plan.runs.length })
    await breathe()
    const to = first + index
    const own = new Map([
      [runName(run), runName(to)],
      [runSetName(run), runSetName(to)],
    ])
    for (const place of places) {
      const group = other.at(`${place}.${runName(run)}`)
      if (!(group instanceof GroupNode)) continue
      const above = groupOf(tree, renamedInMerge(place, runOf, to) as string)
      const copy = copyNode(group, above, runName(to)) as GroupNode
      copyInto(group, copy, { nameChild: (name) => own.get(name) ?? name, retarget: retarget(to) })
    }
  }
  for (const each of content.carried) {
    if (each.kind !== 'link') continue
    const name = each.fullName.slice(each.fullName.lastIndexOf('.') + 1)
    groupAbove(tree, each.fullName).attachLink(name, each.target)
  }
  const merged = merging.merged[0] as MergedInput
  return { ...merged, leftOut: [...merged.leftOut, ...leftOut] }
}
