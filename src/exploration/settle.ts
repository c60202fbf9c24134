import { assertNever } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { settleDerive } from './derive.ts'
import type { Column, ExplorationDraft, ExplorationSpec, Factor } from './exploration.ts'
import { checkBounds } from './explored-parameter.ts'
import { settleOnlyIf } from './only-if.ts'
import { renumbered } from './renumber.ts'
import type { SampledColumn } from './sample-reader.ts'
import { isUnsettled, type Settling, settleRange } from './settle-range.ts'
import { settleWhere } from './where.ts'

type Draft<Kind extends ExplorationDraft['kind']> = Extract<ExplorationDraft, { readonly kind: Kind }>

/**
 * The exploration as data. Conditions and formulas are called once for each point, in order, and their results are
 * kept. Lists and arrays go into their pools. An exploration that is already data is returned as it is.
 *
 * @param where names the exploration in messages, like `explore`
 * @throws PypetError `PYPET_EXPLORATION_EMPTY` if a filter leaves no point, `PYPET_EXPLORATION_INVALID`,
 *   `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`
 */
export function settle(draft: ExplorationDraft, settling: Settling, where: string): ExplorationSpec {
  switch (draft.kind) {
    case 'concat':
      return settleConcat(draft, settling, where)
    case 'repeat': {
      const of = settle(draft.of, settling, where)
      return of === draft.of ? (draft as ExplorationSpec) : { ...draft, of }
    }
    case 'sampler':
      return settleSampler(draft, settling, where)
    case 'where':
      return settleWhere(settle(draft.of, settling, where), draft.condition, settling)
    case 'only-if':
      return settleOnlyIf(settle(draft.of, settling, where), draft.conditions, settling)
    case 'derive':
      return settleDerive(settle(draft.of, settling, where), draft.formulas, settling)
    case 'product':
      return settleProduct(draft, settling, where)
    case 'zip':
    case 'points': {
      const columns = settleColumns(draft.columns, settling, (name, index) =>
        draft.kind === 'zip' ? `${where}.${name}[${index}]` : `${where}[${index}].${name}`,
      )
      return columns === draft.columns ? draft : { ...draft, columns }
    }
    case 'pooled':
      return settlePooled(draft, settling, where)
    case 'sample':
    case 'select':
    case 'partial':
    case 'derived':
      return draft
    default:
      return assertNever(draft)
  }
}

function settleConcat(draft: Draft<'concat'>, settling: Settling, where: string): ExplorationSpec {
  const parts = draft.parts.map((part, index) => settle(part, settling, `${where}[${index}]`))
  const isSettled = parts.every((part, index) => part === draft.parts[index])
  return isSettled ? (draft as ExplorationSpec) : { kind: 'concat', parts }
}

function settleProduct(draft: Draft<'product'>, settling: Settling, where: string): ExplorationSpec {
  const at = (name: string, index: number) => `${where}.${name}[${index}]`
  const factors = draft.factors.map((factor) => settleColumns(factor, settling, at))
  const isSettled = factors.every((factor, index) => factor === draft.factors[index])
  return isSettled ? draft : { kind: 'product', factors }
}

function settleColumns(
  columns: Factor,
  settling: Settling,
  at: (name: string, index: number) => string,
): Factor {
  if (!columns.some(({ name, range }) => isUnsettled(name, range, settling))) return columns
  return columns.map(
    ({ name, range }): Column => ({
      name,
      range: settleRange(name, range, settling, (index) => at(name, index)),
    }),
  )
}

/** An exploration that was settled before. Its pools may differ from the current ones. */
function settlePooled(draft: Draft<'pooled'>, settling: Settling, where: string): ExplorationSpec {
  const changed = new Map<string, Uint32Array>()
  for (const [name, { first, values }] of Object.entries(draft.pools)) {
    const pool = settling.pools.of(name)
    if (pool.values.length === first) {
      for (const value of values) pool.append(value)
      continue
    }
    const numbers = values.map((value) => {
      if (typeof value === 'string') throw new Error(`${where}.${name}: ${value} is not read`)
      return pool.numberOf(value)
    })
    changed.set(name, Uint32Array.from(numbers))
  }
  return renumbered(settle(draft.of, settling, where), changed)
}

function settleSampler(draft: Draft<'sampler'>, settling: Settling, where: string): ExplorationSpec {
  const { method, count, seed } = draft
  const columns = draft.columns.map(({ name, range }): SampledColumn => {
    if (range.kind === 'choice') {
      const chosen = settleRange(name, range.range, settling, (index) => `${where}.${name}[${index}]`)
      return { name, range: { ...range, range: chosen } }
    }
    const parameter: Parameter | undefined = settling.parameterOf(name)
    const isWhole = parameter !== undefined && checkBounds(range, parameter, `${where}.${name}`)
    return { name, range: { ...range, isWhole } }
  })
  return { kind: 'sample', method, count, seed, columns }
}
