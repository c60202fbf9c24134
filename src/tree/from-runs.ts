/** The same node from every run (pypet `f_get_from_runs`). */
import { runName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import { type FromRunsOptions, GroupNode, type LeafNode, ResultNode, type TreeNode } from './nodes.ts'
import type { Wildcards } from './wildcards.ts'

/** What this file uses of the trajectory. */
interface TreeOfRuns {
  idx: RunIndex
  readonly length: number
  readonly wildcards: Wildcards
  at(fullName: string): TreeNode | undefined
  valueAt(fullName: string, fastAccess: boolean): unknown
  /** The values of a leaf in all runs, if they are in a column. Undefined where a run has none there. */
  columnAt(template: string): ((run: RunIndex) => unknown) | undefined
  getAll(name: string): TreeNode[]
}

export const FROM_RUNS_OPTIONS = [
  'fastAccess',
  'useIndices',
  'includeDefaultRun',
] satisfies (keyof FromRunsOptions)[]

/**
 * One node from each run, by run.
 *
 * @param name as it was added, or a shortcut. It is found in the first run that has it, and at the same place in the
 *   others
 * @param options `fastAccess`: values instead of nodes; `useIndices`: indices as keys; `includeDefaultRun`: nodes below
 *   `run_ALL` count for runs without their own
 */
export function getFromRuns<Value = unknown>(
  tree: TreeOfRuns,
  name: string,
  options: FromRunsOptions = {},
): Record<string, Value> {
  const { fastAccess = true, useIndices = false, includeDefaultRun = true } = options
  const found: Record<string, Value> = {}
  const before = tree.idx
  let template: string | undefined
  let column: ((run: RunIndex) => unknown) | undefined
  // Found only if it is needed: it takes a listing of all runs.
  let preset: TreeNode | null | undefined
  const presetNode = (): TreeNode | undefined => {
    preset ??= (includeDefaultRun ? inRun(tree, name, -1) : undefined) ?? null
    return preset ?? undefined
  }
  // If the first run has it there, so may the others. The very first one may be in memory.
  const usual = `results.runs.$.${name}`
  if (fastAccess && !name.includes('$')) column = tree.columnAt(usual)
  if ((column?.(0) ?? column?.(1)) === undefined) column = undefined
  else template = usual
  try {
    for (let run = 0; run < tree.length; run += 1) {
      let value = column?.(run)
      if (value !== undefined) {
        found[useIndices ? String(run) : runName(run)] = value as Value
        continue
      }
      tree.idx = run
      if (template !== undefined) value = tree.valueAt(template.replaceAll('$', runName(run)), fastAccess)
      if (value === undefined) {
        const own = inRun(tree, name, run)
        const node = own ?? presetNode()
        if (node === undefined) {
          value = itemInRun(tree, name, run)
          if (value === undefined) continue
        } else {
          const place = own?.fullName.replaceAll(runName(run), '$')
          if (place !== undefined && place !== template) {
            template = place
            column = fastAccess ? tree.columnAt(template) : undefined
          }
          value = fastAccess ? onlyValue(node) : node
        }
      }
      found[useIndices ? String(run) : runName(run)] = value as Value
    }
  } finally {
    tree.idx = before
  }
  return found
}

/** `walk.end` means the item `end` of the result `walk`. */
function itemInRun(tree: TreeOfRuns, name: string, run: RunIndex): unknown {
  const dot = name.lastIndexOf('.')
  const result = dot < 0 ? undefined : inRun(tree, name.slice(0, dot), run)
  const item = name.slice(dot + 1)
  return result instanceof ResultNode && result.has(item) ? result.get(item) : undefined
}

/** The value of a parameter or of a result with one item; otherwise the node. */
export function onlyValue(node: TreeNode): unknown {
  if (node instanceof GroupNode) return node
  if (node instanceof ResultNode && node.itemNames.length !== 1) return node
  return (node as LeafNode).get()
}

function inRun(tree: TreeOfRuns, name: string, run: RunIndex): TreeNode | undefined {
  const runPart = run < 0 ? 'run_ALL' : runName(run)
  if (name.includes('$')) return tree.at(tree.wildcards.replace(name, run))
  for (const branch of ['results', 'derived_parameters']) {
    const group = tree.at(`${branch}.runs.${runPart}`)
    if (group instanceof GroupNode && group.contains(name)) return group.get(name)
  }
  if (run < 0) return undefined
  return tree.getAll(name).find((node) => node.fullName.includes(runPart))
}
