/**
 * A trajectory as its layout sees it. It comes from the plan of a running experiment (`planShape`), or from a tree that
 * a script stores (`treeShape` in `tree-layout`). Both share one layout.
 */
import { exploredColumn, exploredTableText, runSummary } from '../exploration/plan.ts'
import type { ExplorationPlan, ExploredParameter } from '../exploration/run-point.ts'
import type { OpenRequest } from '../protocol.ts'
import { parameterBranch, parameterLocation, type RunIndex } from '../values/path.ts'
import { elementBytes, type RawField, type RawNumbers } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import type { RunRowFacts } from './overview-tables.ts'
import type { RangeShape } from './range-layout.ts'

export interface TrajectoryShape {
  readonly name: string
  readonly comment: string
  readonly annotations: readonly RawField[]
  /** Seconds since 1970. */
  readonly timestamp: number
  /** Of pypet-ts and of Node.js, which write the file. */
  readonly version: string
  readonly runtimeVersion: string
  readonly runCount: number
  /** In the exploration's order. */
  readonly explored: readonly ExploredShape[]
  /** The leaves listed in the overview of a branch. */
  leaves(branch: 'config' | 'parameters'): Iterable<ParameterShape>
  /** pypet's `parameter_summary` of a run. */
  summary(run: RunIndex): string
  /** The other columns of a run's row, before the run is performed here. */
  facts(run: RunIndex): Omit<RunRowFacts, 'parameterSummary'>
}

export interface ParameterShape {
  readonly fullName: string
  /** Undefined if it was not loaded. */
  readonly stored: StoredValue | undefined
  readonly comment: string
}

export interface ExploredShape extends ParameterShape {
  /** False for a leaf that is still to be written, with its range. */
  readonly isStored: boolean
  /** How its value in a run is shown in tables. */
  text(run: RunIndex, lengthMax: number): string
  range(): RangeShape
}

export function planShape(
  { trajectory, config, parameters, continuation }: OpenRequest,
  plan: ExplorationPlan,
): TrajectoryShape {
  const { name, comment, timestamp, version, runtimeVersion } = trajectory
  const notRun = {
    environmentHexsha: continuation.environment?.hexsha ?? trajectory.environmentHexsha,
    startTimestamp: 0,
    finishTimestamp: 0,
    completed: false,
  }
  const leaves = {
    config: () => config.map((leaf) => ({ ...leaf, fullName: `config.${leaf.name}` })),
    // Derived parameters have a separate table.
    parameters: () =>
      parameters
        .filter((leaf) => parameterBranch(leaf.name) === 'parameters')
        .map((leaf) => ({ ...leaf, fullName: parameterLocation(leaf.name) })),
  }
  return {
    name,
    comment,
    annotations: [],
    timestamp,
    version,
    runtimeVersion,
    runCount: plan.runCount,
    explored: plan.explored.map((explored) => ({
      fullName: parameterLocation(explored.name),
      stored: explored.parameter.stored,
      comment: explored.parameter.comment,
      isStored: true,
      text: (run, lengthMax) => exploredTableText(plan, explored, run, lengthMax),
      range: () => plannedRange(plan, explored),
    })),
    leaves: (branch) => leaves[branch](),
    summary: (run) => runSummary(plan, run),
    facts: () => notRun,
  }
}

function plannedRange(plan: ExplorationPlan, explored: ExploredParameter): RangeShape {
  const { name, dtype, pool, textBytesMax } = explored
  const { stored: preset } = explored.parameter
  const { runCount: length } = plan
  const numbers = (first: RunIndex, end: RunIndex) => exploredColumn(plan, name, first, end) as Float64Array
  if (dtype !== 'object') {
    const cells = (first: RunIndex, end: RunIndex) => exploredColumn(plan, name, first, end)
    return { kind: 'cells', length, dtype, textBytesMax, cells }
  }
  if (preset.form !== 'scalar') return { kind: 'numbers', length, preset, values: pool, numbers }
  const numberDtype = preset.dtype as RawNumbers['dtype']
  const size = elementBytes(numberDtype)
  const elements = (first: RunIndex, end: RunIndex): RawNumbers => {
    const bytes = new Uint8Array((end - first) * size)
    for (const [index, number] of numbers(first, end).entries())
      bytes.set((pool[number] as RawNumbers).bytes, index * size)
    return { form: 'list', dtype: numberDtype, shape: [end - first], bytes }
  }
  return { kind: 'elements', length, elements }
}
