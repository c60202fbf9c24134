/** Wraps jsep: parses the text of a condition or a formula into a tree with positions. */
import jsep from 'jsep'
import { PypetError } from '../errors.ts'

/** `at` counts characters from 0. */
export type ExpressionNode = { readonly at: number } /** Whole numbers beyond 2^53 are bigints. */ & (
  | { readonly kind: 'literal'; readonly value: number | bigint | string | boolean | null }
  /** The dotted name of a parameter or a column. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: ExpressionNode }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: ExpressionNode
      readonly right: ExpressionNode
    }
  | {
      readonly kind: 'ternary'
      readonly test: ExpressionNode
      readonly yes: ExpressionNode
      readonly no: ExpressionNode
    }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly ExpressionNode[] }
  | { readonly kind: 'list'; readonly elements: readonly ExpressionNode[] }
  | { readonly kind: 'index'; readonly of: ExpressionNode; readonly index: ExpressionNode }
)

/** Makes the error for something found at a position. */
export type Refuse = (found: string, at: number, hint: string) => PypetError

/** @param where names the text in messages, like `--where x < y` */
export function refusalOf(where: string): Refuse {
  return (found, at, hint) =>
    new PypetError('PYPET_EXPLORATION_INVALID', `${where}: ${found} at position ${at + 1}`, { where, hint })
}

// Once for all expressions. Conditions of explorations refuse it.
jsep.addBinaryOp('in', 7)

/**
 * Parses numbers, texts in quotes, `true`, `false` and `null`, dotted names, operators, calls, lists, elements in brackets
 * and parentheses. A name that contains `-` is written in backquotes.
 *
 * @throws PypetError `PYPET_EXPLORATION_INVALID` with the position of the error
 */
export function parseExpression(text: string, refuse: Refuse): ExpressionNode {
  if (text.trim() === '') throw refuse('the expression is empty', 0, 'Write one, like x < y.')
  return converted(parsed(text, refuse), refuse)
}

type Parsed = jsep.Expression & { start?: number }

interface Parser {
  index: number
  readonly expr: string
  gobbleSpaces(): void
  gobbleToken(): Parsed | false
  throwError(message: string): never
  parse(): Parsed
}

/** jsep exports this class, but its declared types do not. */
const { Jsep } = jsep as unknown as { readonly Jsep: new (text: string) => Parser }

/** jsep's nodes have no positions, so this class records where each one starts. */
class PlacedParser extends Jsep {
  override gobbleToken(): Parsed | false {
    this.gobbleSpaces()
    const start = this.index
    const node = this.expr[start] === '`' ? this.#quotedName(start) : super.gobbleToken()
    if (node === false) return node
    if (node.type === 'UnaryExpression' && this.expr[start] !== '(') this.#refusePower(node, start)
    node.start ??= start
    return node
  }

  /** jsep reads `-x ** 2` as (-x) ** 2, mathematics as -(x ** 2). Like JavaScript, refuse it. */
  #refusePower({ operator }: Parsed, start: number): void {
    const end = this.index
    this.gobbleSpaces()
    if (!this.expr.startsWith('**', this.index)) return
    const operand = this.expr.slice(start + String(operator).length, end).trim()
    throw new AmbiguousPower(String(operator), operand, this.index)
  }

  #quotedName(start: number): Parsed {
    const close = this.expr.indexOf('`', start + 1)
    if (close < 0) this.throwError('Unclosed `')
    this.index = close + 1
    return { type: 'Identifier', name: this.expr.slice(start + 1, close) }
  }
}

class AmbiguousPower extends Error {
  readonly hint: string
  readonly index: number

  constructor(operator: string, operand: string, index: number) {
    super(`${operator}${operand} ** is ambiguous`)
    this.hint = `Write ${operator}(${operand} ** …) or (${operator}${operand}) ** …`
    this.index = index
  }
}

function parsed(text: string, refuse: Refuse): Parsed {
  try {
    return new PlacedParser(text).parse()
  } catch (error) {
    if (error instanceof AmbiguousPower) throw refuse(error.message, error.index, error.hint)
    const { description, index } = error as { readonly description?: string; readonly index?: number }
    if (description === undefined) throw error
    const found = description.charAt(0).toLowerCase() + description.slice(1)
    throw refuse(found, Math.min(index ?? 0, text.length), hintFor(text))
  }
}

function hintFor(text: string): string {
  if (/(^|[^=!<>])=([^=]|$)/.test(text)) return 'To compare, write ==.'
  return 'Write numbers, "texts", names of parameters, + - * / % **, < <= > >= == !=, && || !, and ( ).'
}

function converted(node: Parsed, refuse: Refuse): ExpressionNode {
  const at = placeOf(node)
  const child = (name: string) => converted(node[name] as Parsed, refuse)
  switch (node.type) {
    case 'Literal':
      return { at, kind: 'literal', value: literalValue(node, refuse) }
    case 'Identifier':
      return { at, kind: 'name', name: String(node.name) }
    case 'MemberExpression':
      return node.computed === true
        ? { at, kind: 'index', of: child('object'), index: child('property') }
        : { at, kind: 'name', name: dottedName(node, refuse) }
    case 'ArrayExpression': {
      const elements = (node.elements as Parsed[]).map((element) => converted(element, refuse))
      return { at, kind: 'list', elements }
    }
    case 'UnaryExpression':
      return { at, kind: 'unary', operator: String(node.operator), operand: child('argument') }
    case 'BinaryExpression':
    case 'LogicalExpression':
      return {
        at,
        kind: 'binary',
        operator: String(node.operator),
        left: child('left'),
        right: child('right'),
      }
    case 'ConditionalExpression':
      return { at, kind: 'ternary', test: child('test'), yes: child('consequent'), no: child('alternate') }
    case 'CallExpression': {
      const callee = node.callee as Parsed
      const operands = (node.arguments as Parsed[]).map((operand) => converted(operand, refuse))
      if (callee.type === 'Identifier') return { at, kind: 'call', name: String(callee.name), operands }
      throw refuse('a method call', at, 'Call functions by name, like abs(x).')
    }
    case 'Compound': {
      const second = (node.body as Parsed[])[1]
      const found = second === undefined ? 'the expression is empty' : 'a second expression begins'
      throw refuse(found, second === undefined ? at : placeOf(second), joinHint(second))
    }
    default:
      throw refuse(`${DESCRIPTIONS[node.type] ?? node.type} is not supported`, at, 'Remove it.')
  }
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  SequenceExpression: 'a comma',
  ThisExpression: '"this"',
}

/** For users who write the operators of Python or SQL. */
function joinHint(second: Parsed | undefined): string {
  const word = second?.type === 'Identifier' ? String(second.name).toLowerCase() : ''
  const operator = { and: '&&', or: '||', not: '!', is: '==' }[word]
  return operator === undefined ? 'Join two conditions with && or ||.' : `Write ${operator} for ${word}.`
}

function placeOf(node: Parsed): number {
  if (node.start !== undefined) return node.start
  const first = node.left ?? node.test ?? node.object ?? node.callee
  return first === undefined ? 0 : placeOf(first as Parsed)
}

function literalValue(
  { value, raw, start = 0 }: Parsed,
  refuse: Refuse,
): number | bigint | string | boolean | null {
  if (value === null) return null
  if (typeof value === 'number') {
    const isLarge = !Number.isSafeInteger(value) && /^\d+$/.test(String(raw))
    return isLarge ? BigInt(String(raw)) : value
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  throw refuse(
    `${String(raw)} cannot be the value of a parameter`,
    start,
    'Compare with a number, a "text", true or false.',
  )
}

/** `neuron.tau` is the name of a parameter. Dots have no other use. */
function dottedName(node: Parsed, refuse: Refuse): string {
  const { object, property, computed } = node as unknown as jsep.MemberExpression
  const isName = object.type === 'Identifier' || object.type === 'MemberExpression'
  if (computed || !isName) {
    throw refuse('a member in brackets', placeOf(node), 'Write parameter names with dots, like neuron.tau.')
  }
  const group = object.type === 'Identifier' ? String(object.name) : dottedName(object as Parsed, refuse)
  return `${group}.${String((property as Parsed).name)}`
}
