/** Turns declared parameters and an exploration into the plan of all runs, which `run-point` reads run by run. */
import { assertNever, PypetError } from '../errors.ts'
import { RUNS_MAX } from '../names.ts'
import type { Parameter } from '../run/parameter.ts'
import { parameterLocation, type RunIndex } from '../values/path.ts'
import { pythonRepr } from '../values/python-repr.ts'
import { type BasicDtype, dtypeOf } from '../values/stored-value.ts'
import { longestUtf8Bytes, PADDED_TEXTS_BYTES_MAX } from '../values/utf8.ts'
import {
  type Column,
  type ExplorationDraft,
  type ExplorationSpec,
  explorationLength,
  explorationNames,
  explorationReader,
  type Pools,
} from './exploration.ts'
import { checkRange, requireParameter } from './explored-parameter.ts'
import { parameterSummary } from './parameter-summary.ts'
import { arange } from './range.ts'
import { withoutUnused } from './renumber.ts'
import { type ExplorationPlan, type ExploredParameter, jobValue } from './run-point.ts'
import { settle } from './settle.ts'
import { pooledText, ValuePools } from './value-pool.ts'

/** A part of an explored parameter's values, as it is written to the file; for objects, their numbers. */
export type ExploredColumn = Float64Array | BigInt64Array | Int8Array | string[]

export interface ExpandOptions {
  readonly parameters: readonly Parameter[]
  readonly exploration: ExplorationDraft | undefined
  /** The prefix of names in messages. `explore` by default. */
  readonly where?: string
}

/**
 * Settles an exploration and checks it against the declared parameters. The time is linear in the lengths of the
 * ranges, whatever the number of points. Only functions are called for each point.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`, `PYPET_VALUE_UNSUPPORTED`,
 *   `PYPET_EXPLORATION_INVALID` for more runs than a file can number, or too long texts for so many, and like `settle`
 */
export function planRuns({
  parameters,
  exploration: draft,
  where = 'explore',
}: ExpandOptions): ExplorationPlan {
  if (draft === undefined)
    return Object.freeze({ runCount: 1, exploration: undefined, explored: Object.freeze([]) })
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const parameterOf = (name: string) =>
    byName.get(name) ?? requireParameter(parameters, name, `${where}.${name}`)
  const pools = new ValuePools()
  const settled = settle(draft, { parameterOf, pools }, where)
  const exploration = pools.names.length === 0 ? settled : withPools(settled, pools, draft)
  const isNumbered = (name: string) => pools.get(name) !== undefined
  const textBytesMax = new Map<string, number>()
  for (const { column, at } of locatedColumns(exploration, where, isNumbered)) {
    const parameter = parameterOf(column.name)
    checkRange(column.range, parameter, at)
    textBytesMax.set(column.name, Math.max(textBytesMax.get(column.name) ?? 0, longestText(column)))
  }
  const runCount = explorationLength(exploration)
  if (runCount > RUNS_MAX) {
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where} has ${runCount} points; a file can hold at most ${RUNS_MAX}`,
      {
        where,
        hint: 'Explore fewer values, or split the exploration over several trajectories.',
      },
    )
  }
  const explored = explorationNames(exploration).map((name): ExploredParameter => {
    const parameter = parameterOf(name)
    const bytesMax = textBytesMax.get(name) ?? 0
    const values = pools.get(name)?.values
    if (values !== undefined) return { name, parameter, dtype: 'object', textBytesMax: 0, pool: values }
    if (runCount * bytesMax > PADDED_TEXTS_BYTES_MAX) throw tooLong(`${where}.${name}`, runCount, bytesMax)
    return {
      name,
      parameter,
      dtype: dtypeOf(parameter.stored) as BasicDtype | 'object',
      textBytesMax: bytesMax,
      pool: [],
    }
  })
  return Object.freeze({ runCount, exploration, explored: Object.freeze(explored) })
}

/** Pools of a draft keep their numbers, since the file has them. From the others, values without a point are removed. */
function withPools(settled: ExplorationSpec, pools: ValuePools, draft: ExplorationDraft): ExplorationSpec {
  const given = draft.kind === 'pooled' ? draft.pools : {}
  const isSame = draft.kind === 'pooled' && draft.of === settled
  if (isSame && pools.names.every((name) => given[name]?.values.length === pools.get(name)?.values.length))
    return draft
  const isPartial = hasUnused(settled)
  const fresh = isPartial ? pools.names.filter((name) => given[name] === undefined) : []
  const of = withoutUnused(settled, pools, fresh)
  const parts: [string, Pools[string]][] = pools.names.map((name) => [
    name,
    { first: 0, values: pools.of(name).values },
  ])
  return { kind: 'pooled', of, pools: Object.fromEntries(parts) }
}

/** Whether some values of the ranges may occur in no point. */
function hasUnused(spec: ExplorationSpec): boolean {
  if (spec.kind === 'concat') return spec.parts.some(hasUnused)
  if (spec.kind === 'sample' || spec.kind === 'select' || spec.kind === 'partial') return true
  return 'of' in spec && hasUnused(spec.of)
}

function tooLong(where: string, runCount: number, bytesMax: number): PypetError {
  const found = `each of ${runCount} runs would take the ${bytesMax} bytes of the longest text`
  return new PypetError(
    'PYPET_EXPLORATION_INVALID',
    `${where}: ${found}; a range of texts may take at most ${PADDED_TEXTS_BYTES_MAX}`,
    { where, hint: 'Explore a short name and look up the long text in the job.' },
  )
}

/** Whether some explored lists and arrays are only in the HDF5 file. */
export function lacksValues({ explored }: ExplorationPlan): boolean {
  return explored.some(({ pool }) => pool.some((value) => typeof value === 'string'))
}

/** The text of an explored value in the tables of the file: `1.0`, `[10.0, 5.0]`, `float64 array [1000]`. */
export function exploredTableText(
  plan: ExplorationPlan,
  explored: ExploredParameter,
  run: RunIndex,
  lengthMax: number,
): string {
  const { dtype, pool } = explored
  const value = jobValue(plan, explored, run)
  if (dtype === 'object') return pooledText(pool[value as number] ?? '')
  return pythonRepr({ form: 'scalar', dtype, value }, lengthMax)
}

/**
 * The values of one explored parameter in the runs from `start` to `end` (exclusive): bool as int8 0 and 1,
 * int64 as `BigInt64Array`.
 *
 * @throws PypetError `PYPET_PARAMETER_UNKNOWN` if the name is not explored
 */
export function exploredColumn(
  plan: ExplorationPlan,
  name: string,
  start: RunIndex,
  end: RunIndex,
): ExploredColumn {
  const explored = plan.explored.find((candidate) => candidate.name === name)
  if (explored === undefined || plan.exploration === undefined) {
    throw new PypetError('PYPET_PARAMETER_UNKNOWN', `${name} is not explored`, { where: name })
  }
  const read = explorationReader(plan.exploration, name)
  const length = end - start
  switch (explored.dtype) {
    case 'float64':
      return Float64Array.from({ length }, (_, index) => read(start + index) as number)
    case 'int64':
      return BigInt64Array.from({ length }, (_, index) => BigInt(read(start + index)))
    case 'bool':
      return Int8Array.from({ length }, (_, index) => Number(read(start + index)))
    case 'str':
      return Array.from({ length }, (_, index) => read(start + index) as string)
    case 'object':
      return Float64Array.from({ length }, (_, index) => read(start + index) as number)
  }
}

/** pypet's `parameter_summary` of a run. */
export function runSummary(plan: ExplorationPlan, run: RunIndex): string {
  let summary = summaries.get(plan)
  if (summary === undefined) {
    summary = parameterSummary(
      plan.explored.map((explored) => ({
        fullName: parameterLocation(explored.name),
        text: (each, lengthMax) => exploredTableText(plan, explored, each, lengthMax),
      })),
    )
    summaries.set(plan, summary)
  }
  return summary(run)
}

/** The labels are the same in every run, so they are sorted only once. */
const summaries = new WeakMap<ExplorationPlan, (run: RunIndex) => string>()

/** Every range, with the place of its values in messages. Defaults with a number in a pool need no check. */
function* locatedColumns(
  spec: ExplorationSpec,
  where: string,
  isNumbered: (name: string) => boolean,
): Generator<{ column: Column; at: (index: number) => string }> {
  const at = (name: string) => (index: number) => `${where}.${name}[${index}]`
  switch (spec.kind) {
    case 'concat':
      for (const [part, inner] of spec.parts.entries())
        yield* locatedColumns(inner, `${where}[${part}]`, isNumbered)
      return
    case 'product':
      for (const column of spec.factors.flat()) yield { column, at: at(column.name) }
      return
    case 'zip':
    case 'derived':
      if (spec.kind === 'derived') yield* locatedColumns(spec.of, where, isNumbered)
      for (const column of spec.columns) yield { column, at: at(column.name) }
      return
    case 'points':
      for (const column of spec.columns) yield { column, at: (index) => `${where}[${index}].${column.name}` }
      return
    case 'sample':
      for (const { name, range } of spec.columns) {
        if (range.kind === 'choice') yield { column: { name, range: range.range }, at: at(name) }
      }
      return
    case 'repeat':
      yield* locatedColumns(spec.of, where, isNumbered)
      yield { column: { name: spec.name, range: arange(spec.count) }, at: () => `${where}.${spec.name}` }
      return
    case 'select':
    case 'pooled':
      yield* locatedColumns(spec.of, where, isNumbered)
      return
    case 'partial':
      yield* locatedColumns(spec.of, where, isNumbered)
      for (const { name, otherwise } of spec.columns) {
        if (isNumbered(name)) continue
        yield {
          column: { name, range: { kind: 'values', values: [otherwise] } },
          at: () => `${where}.${name}`,
        }
      }
      return
    default:
      assertNever(spec)
  }
}

function longestText({ range }: Column): number {
  // Already checked: the values of a range have one type.
  if (range.kind !== 'values' || typeof range.values[0] !== 'string') return 0
  return longestUtf8Bytes(range.values as readonly string[])
}
