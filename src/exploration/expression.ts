/** Conditions and formulas as text: `x < y && mode == "fast"`. They have the types of the parameters. No code is executed. */
import { PypetError } from '../errors.ts'
import type { Parameter } from '../run/parameter.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { parameterName } from '../values/path.ts'
import { dtypeOf, isBasicDtype, type Scalar } from '../values/stored-value.ts'
import type { Point } from './exploration.ts'
import { type ExpressionNode, parseExpression, type Refuse, refusalOf } from './expression-syntax.ts'
import {
  compileCall,
  compileIn,
  compileOperator,
  type Term,
  type TermType,
  typeWord,
} from './expression-term.ts'

export interface ExpressionContext {
  readonly parameters: readonly Parameter[]
  /** Names whose values a point has. Other parameters have their preset or default. */
  readonly explored: readonly string[]
  /** Names that cannot be used, such as the one being defined. */
  readonly hidden: readonly string[]
  /** Names the text in messages, like `--where x < y`. */
  readonly where: string
}

/** What a text computes from a point, and which names it reads. */
export interface Evaluation {
  readonly call: (point: Point) => Scalar
  readonly reads: readonly string[]
}

/**
 * A condition that can be computed for a point. Its results are true and false.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` with the position, `PYPET_PARAMETER_UNKNOWN` with the nearest name.
 *   The returned function throws for integers that are too large to compute with
 */
export function conditionFromText(text: string, context: ExpressionContext): Evaluation {
  const refuse = refusalOf(context.where)
  const node = parseExpression(text, refuse)
  const term = compile(node, context, refuse)
  if (term.type !== 'truth') {
    throw refuse(`found ${typeWord(term.type)} where a condition is expected,`, 0, 'Compare, as in x < 2.')
  }
  return { call: term.read, reads: namesIn(node) }
}

/**
 * A formula for a parameter, which can be computed for a point.
 *
 * @throws PypetError like `conditionFromText`, `PYPET_PARAMETER_TYPE` if the formula gives another type
 */
export function formulaFromText(text: string, parameter: Parameter, context: ExpressionContext): Evaluation {
  const refuse = refusalOf(context.where)
  const node = parseExpression(text, refuse)
  const term = compile(node, context, refuse)
  if (term.type === termTypeOf(parameter)) return { call: term.read, reads: namesIn(node) }
  throw new PypetError(
    'PYPET_PARAMETER_TYPE',
    `${context.where}: ${parameter.name} is a ${dtypeOf(parameter.stored)}, but the formula gives ${typeWord(term.type)}`,
    { where: context.where, hint: `Change the formula or the default of ${parameter.name}.` },
  )
}

function compile(node: ExpressionNode, context: ExpressionContext, refuse: Refuse): Term {
  const inner = (operand: ExpressionNode) => compile(operand, context, refuse)
  switch (node.kind) {
    case 'literal':
      return literalTerm(node.value, node.at, refuse)
    case 'name':
      return nameTerm(node.name, node.at, context, refuse)
    case 'unary':
      return compileOperator(node.operator, node.at, [inner(node.operand)], refuse)
    case 'binary': {
      if (node.operator !== 'in') {
        return compileOperator(node.operator, node.at, [inner(node.left), inner(node.right)], refuse)
      }
      if (node.right.kind !== 'list') throw refuse('in takes a list', node.right.at, 'Write x in [1, 2].')
      return compileIn(node.at, inner(node.left), node.right.elements.map(inner), refuse)
    }
    case 'ternary':
      return compileOperator('?:', node.at, [inner(node.test), inner(node.yes), inner(node.no)], refuse)
    case 'call':
      return compileCall(node.name, node.at, node.operands.map(inner), refuse)
    case 'list':
      throw refuse('a list is not supported', node.at, 'Remove it, or write x in [1, 2].')
    case 'index':
      throw refuse('a member in brackets', node.at, 'Write parameter names with dots, like neuron.tau.')
  }
}

function literalTerm(
  value: (ExpressionNode & { kind: 'literal' })['value'],
  at: number,
  refuse: Refuse,
): Term {
  if (value === null) {
    throw refuse(
      'null cannot be the value of a parameter',
      at,
      'Compare with a number, a "text", true or false.',
    )
  }
  const known = typeof value === 'bigint' ? Number(value) : value
  return { at, type: LITERAL_TYPES[typeof known as 'number'], read: () => known }
}

function namesIn(node: ExpressionNode): readonly string[] {
  switch (node.kind) {
    case 'literal':
      return []
    case 'name':
      return [parameterName(node.name)]
    case 'unary':
      return namesIn(node.operand)
    case 'binary':
      return [...namesIn(node.left), ...namesIn(node.right)]
    case 'ternary':
      return [node.test, node.yes, node.no].flatMap(namesIn)
    case 'call':
      return node.operands.flatMap(namesIn)
    case 'list':
      return node.elements.flatMap(namesIn)
    case 'index':
      return [...namesIn(node.of), ...namesIn(node.index)]
  }
}

const LITERAL_TYPES = { number: 'number', string: 'text', boolean: 'truth' } as const

const CONSTANTS: Readonly<Record<string, number>> = {
  pi: Math.PI,
  Infinity: Number.POSITIVE_INFINITY,
  NaN: Number.NaN,
}

function nameTerm(written: string, at: number, context: ExpressionContext, refuse: Refuse): Term {
  const name = parameterName(written)
  const parameter = context.parameters.find((candidate) => candidate.name === name)
  if (parameter === undefined) {
    if (Object.hasOwn(CONSTANTS, name)) return { at, type: 'number', read: () => CONSTANTS[name] as number }
    throw unknownName(name, at, context)
  }
  if (context.hidden.includes(name)) {
    throw refuse(
      `${name} is not known here yet:`,
      at,
      'Use other parameters. One that has its own expression must come first.',
    )
  }
  const type = termTypeOf(parameter)
  if (type === undefined) {
    throw refuse(`${name} is not a single value`, at, 'Compare numbers, texts and booleans.')
  }
  const { value } = parameter
  const read = context.explored.includes(name)
    ? (point: Point) => point[name] as Scalar
    : () => value as Scalar
  return { at, type, read: type === 'number' ? numberReader(read, name, context.where) : read }
}

/** Numbers are computed as doubles. A bigint that a double cannot represent is refused rather than rounded. */
function numberReader(read: (point: Point) => Scalar, name: string, where: string): (point: Point) => Scalar {
  return (point) => {
    const value = read(point)
    if (typeof value !== 'bigint') return value
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw new PypetError(
      'PYPET_EXPLORATION_INVALID',
      `${where}: ${name} is ${value}, too large to compute with`,
      {
        where,
        hint: 'Write a function in the job instead: it gets the value as a bigint.',
      },
    )
  }
}

function termTypeOf({ stored }: Parameter): TermType | undefined {
  const dtype = dtypeOf(stored)
  if (stored.form !== 'scalar' || dtype === undefined || !isBasicDtype(dtype)) return undefined
  if (dtype === 'bool') return 'truth'
  return dtype === 'str' ? 'text' : 'number'
}

function unknownName(name: string, at: number, { parameters, where }: ExpressionContext): PypetError {
  const names = parameters.map((parameter) => parameter.name)
  const found = `${where}: there is no parameter ${name} at position ${at + 1}`
  const hint =
    names.length === 0
      ? 'The experiment declares no parameters.'
      : `Available: ${names.slice(0, 8).join(', ')}.`
  return new PypetError('PYPET_PARAMETER_UNKNOWN', found, {
    where,
    hint: nearestHint(name, names, `${hint} Put texts in quotes.`),
  })
}
