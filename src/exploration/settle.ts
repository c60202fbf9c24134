import { assertNever } from '../errors.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import { settleDerive } from './derive.ts'
import type { ExplorationDraft, ExplorationSpec } from './exploration.ts'
import { checkBounds } from './explored-parameter.ts'
import { settleOnlyIf } from './only-if.ts'
import type { ParameterOf } from './point-reader.ts'
import type { SampledColumn } from './sample-reader.ts'
import { settleWhere } from './where.ts'

type Draft<Kind extends ExplorationDraft['kind']> = Extract<ExplorationDraft, { readonly kind: Kind }>

/**
 * The exploration as data: conditions and formulas are called once for each point, in order, and what they said is
 * kept. What is data already is returned as it is.
 *
 * @param parameterOf the declared parameters; types decide what is drawn, and defaults stand where nothing is explored
 * @param where names the exploration in messages, like `explore`
 * @throws PypetError `PYPET_EXPLORATION_EMPTY` when a filter leaves nothing, `PYPET_EXPLORATION_INVALID`,
 *   `PYPET_PARAMETER_UNKNOWN`, `PYPET_PARAMETER_TYPE`
 */
export function settle(draft: ExplorationDraft, parameterOf: ParameterOf, where: string): ExplorationSpec {
  switch (draft.kind) {
    case 'concat':
      return settleConcat(draft, parameterOf, where)
    case 'repeat': {
      const of = settle(draft.of, parameterOf, where)
      return of === draft.of ? (draft as ExplorationSpec) : { ...draft, of }
    }
    case 'sampler':
      return settleSampler(draft, parameterOf, where)
    case 'where':
      return settleWhere(settle(draft.of, parameterOf, where), draft.condition, parameterOf)
    case 'only-if':
      return settleOnlyIf(settle(draft.of, parameterOf, where), draft.conditions, parameterOf)
    case 'derive':
      return settleDerive(settle(draft.of, parameterOf, where), draft.formulas, parameterOf)
    case 'product':
    case 'zip':
    case 'points':
    case 'sample':
    case 'select':
    case 'partial':
    case 'derived':
      return draft
    default:
      return assertNever(draft)
  }
}

function settleConcat(draft: Draft<'concat'>, parameterOf: ParameterOf, where: string): ExplorationSpec {
  const parts = draft.parts.map((part, index) => settle(part, parameterOf, `${where}[${index}]`))
  const isSettled = parts.every((part, index) => part === draft.parts[index])
  return isSettled ? (draft as ExplorationSpec) : { kind: 'concat', parts }
}

function settleSampler(draft: Draft<'sampler'>, parameterOf: ParameterOf, where: string): ExplorationSpec {
  const { method, count, seed } = draft
  const columns = draft.columns.map(({ name, range }): SampledColumn => {
    if (range.kind === 'choice') return { name, range }
    const parameter: Parameter | undefined = parameterOf(name)
    const isWhole = parameter !== undefined && checkBounds(range, parameter, `${where}.${name}`)
    return { name, range: { ...range, isWhole } }
  })
  return { kind: 'sample', method, count, seed, columns }
}
