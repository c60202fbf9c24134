/** The operators and functions of expressions, with their operand types. */
import { nearestHint } from '../values/nearest-name.ts'
import type { Scalar } from '../values/stored-value.ts'
import type { Point } from './exploration.ts'
import type { Refuse } from './expression-syntax.ts'

export type TermType = 'number' | 'text' | 'truth'

/** A part of an expression that can be computed for a point. */
export interface Term {
  readonly at: number
  readonly type: TermType
  readonly read: (point: Point) => Scalar
}

export function typeWord(type: TermType): string {
  return { number: 'a number', text: 'a text', truth: 'true or false' }[type]
}

export const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
}

const ORDER: Readonly<Record<string, (a: Scalar, b: Scalar) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

const EQUALITY: Readonly<Record<string, (a: Scalar, b: Scalar) => boolean>> = {
  '==': (a, b) => a === b,
  '===': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '!==': (a, b) => a !== b,
}

const LOGIC = ['&&', '||']

/**
 * An operator with one, two or three operands (`?:`).
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` for operands of the wrong type
 */
export function compileOperator(operator: string, at: number, terms: readonly Term[], refuse: Refuse): Term {
  const [first, second, third] = terms as [Term, Term, Term]
  if (terms.length === 1) return unary(operator, at, first, refuse)
  if (terms.length === 3) {
    expectType(first, 'truth', '?', refuse)
    expectType(third, second.type, ':', refuse)
    return {
      at,
      type: second.type,
      read: (point) => (first.read(point) ? second.read(point) : third.read(point)),
    }
  }
  if (operator === '+' && first.type === 'text') return joined(at, first, second, refuse)
  const arithmetic = ARITHMETIC[operator]
  if (arithmetic !== undefined) {
    expectType(first, 'number', operator, refuse)
    expectType(second, 'number', operator, refuse)
    return {
      at,
      type: 'number',
      read: (point) => arithmetic(first.read(point) as number, second.read(point) as number),
    }
  }
  if (LOGIC.includes(operator)) {
    expectType(first, 'truth', operator, refuse)
    expectType(second, 'truth', operator, refuse)
    return operator === '&&'
      ? { at, type: 'truth', read: (point) => first.read(point) && second.read(point) }
      : { at, type: 'truth', read: (point) => first.read(point) || second.read(point) }
  }
  return comparison(operator, at, first, second, refuse)
}

/** @throws PypetError `PYPET_EXPLORATION_INVALID` if an element has another type */
export function compileIn(at: number, value: Term, elements: readonly Term[], refuse: Refuse): Term {
  for (const element of elements) expectType(element, value.type, 'in', refuse)
  return {
    at,
    type: 'truth',
    read: (point) => {
      const wanted = value.read(point)
      return elements.some((element) => element.read(point) === wanted)
    },
  }
}

function comparison(operator: string, at: number, left: Term, right: Term, refuse: Refuse): Term {
  const order = ORDER[operator]
  const compare = order ?? EQUALITY[operator]
  if (compare === undefined) {
    throw refuse(
      `the operator ${operator} is not supported,`,
      at,
      'Use + - * / % **, < <= > >= == !=, && || and !.',
    )
  }
  if (order !== undefined && left.type === 'truth') {
    throw refuse(
      `found true or false before ${operator},`,
      left.at,
      'For a value between two bounds, write 0 < x && x < 1.',
    )
  }
  expectType(right, left.type, operator, refuse)
  return { at, type: 'truth', read: (point) => compare(left.read(point), right.read(point)) }
}

function unary(operator: string, at: number, operand: Term, refuse: Refuse): Term {
  switch (operator) {
    case '!':
      expectType(operand, 'truth', operator, refuse)
      return { at, type: 'truth', read: (point) => !operand.read(point) }
    case '-':
      expectType(operand, 'number', operator, refuse)
      return { at, type: 'number', read: (point) => -(operand.read(point) as number) }
    case '+':
      expectType(operand, 'number', operator, refuse)
      return operand
    default:
      throw refuse(`the operator ${operator} is not supported,`, at, 'Use - or !.')
  }
}

function joined(at: number, left: Term, right: Term, refuse: Refuse): Term {
  expectType(right, 'text', '+', refuse)
  return { at, type: 'text', read: (point) => `${left.read(point)}${right.read(point)}` }
}

function expectType(term: Term, type: TermType, beside: string, refuse: Refuse): void {
  if (term.type === type) return
  const hint =
    type === 'truth' ? 'Compare, as in x != 0.' : `Give ${typeWord(type)}, or compare with another parameter.`
  throw refuse(`${beside} takes ${typeWord(type)} here, found ${typeWord(term.type)}`, term.at, hint)
}

/** Functions take one number unless an arity is given. `Infinity` means one or more. */
const FUNCTIONS: Readonly<
  Record<string, { readonly arity: number; readonly call: (...numbers: number[]) => number }>
> = {
  ...Object.fromEntries(
    (
      [
        'abs',
        'ceil',
        'floor',
        'round',
        'trunc',
        'sign',
        'sqrt',
        'exp',
        'log',
        'log2',
        'log10',
        'sin',
        'cos',
        'tan',
      ] as const
    ).map((name) => [name, { arity: 1, call: Math[name] }]),
  ),
  pow: { arity: 2, call: Math.pow },
  min: { arity: Number.POSITIVE_INFINITY, call: Math.min },
  max: { arity: Number.POSITIVE_INFINITY, call: Math.max },
}

/**
 * The function of numbers with a name.
 *
 * @param count number of operands
 * @param others names of functions that the caller knows besides
 * @throws what `refuse` makes, for unknown names and for another number of operands
 */
export function numberFunction(
  name: string,
  at: number,
  count: number,
  refuse: Refuse,
  others: readonly string[] = [],
): (...numbers: number[]) => number {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (found === undefined) {
    const names = [...new Set([...Object.keys(FUNCTIONS), ...others])]
    throw refuse(`there is no function ${name}`, at, nearestHint(name, names))
  }
  const { arity, call } = found
  const isRight = arity === Number.POSITIVE_INFINITY ? count > 0 : count === arity
  if (isRight) return call
  const expected =
    arity === Number.POSITIVE_INFINITY ? 'numbers' : arity === 1 ? 'one number' : `${arity} numbers`
  throw refuse(`${name} takes ${expected}, found ${count}`, at, 'Separate them with commas.')
}

/** Whether there is a function of numbers with this name. */
export function isNumberFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name)
}

/** @throws PypetError `PYPET_EXPLORATION_INVALID` for unknown names and for operands that are not numbers */
export function compileCall(name: string, at: number, operands: readonly Term[], refuse: Refuse): Term {
  const call = numberFunction(name, at, operands.length, refuse)
  for (const operand of operands) expectType(operand, 'number', name, refuse)
  return {
    at,
    type: 'number',
    read: (point) => call(...operands.map((operand) => operand.read(point) as number)),
  }
}
