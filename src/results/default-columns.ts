/** The columns of a table if none are selected. */
import type { Column } from './column.ts'
import type { RunData } from './run-data.ts'

export interface DefaultColumns {
  /** Facts also if they say nothing: programs that read the table expect them. */
  readonly withFacts: boolean
  /** Also arrays, lists, records and other values that are not single. */
  readonly withArrays?: boolean
  /** Also parameters that have the same value in all runs. */
  readonly withConstants?: boolean
}

/**
 * The run, what was explored, what came out, and how the run ended. `status` and `runtime` only with facts, or if runs are
 * not stored; `failure` if runs failed.
 */
export function defaultColumns(
  data: RunData,
  { withFacts, withArrays = false, withConstants = false }: DefaultColumns,
): Column[] {
  const { failed, missing } = data.counts
  const isShown = (column: Column) => withArrays || column.shape?.length === 0
  const inKind = (...kinds: Column['kind'][]) =>
    data.columns.filter((column) => kinds.includes(column.kind) && isShown(column))
  const fact = (name: string) =>
    data.columns.filter((column) => column.kind === 'fact' && column.name === name)
  return [
    ...fact('run'),
    ...inKind('parameter', 'derived parameter').filter(({ isExplored }) => isExplored),
    ...inKind('derived parameter').filter(({ isExplored }) => !isExplored),
    ...inKind('result'),
    ...(withConstants ? inKind('parameter').filter(({ isExplored }) => !isExplored) : []),
    ...(withFacts || failed + missing > 0 ? fact('status') : []),
    ...(withFacts ? fact('runtime') : []),
    ...(failed > 0 ? fact('failure') : []),
  ]
}
