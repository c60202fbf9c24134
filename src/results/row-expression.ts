/**
 * Expressions over columns: `x > 3 && (mean(trace) < 10 || status == "failed")`. The language is that of `--where` in `run`,
 * with texts, lists, missing values and arrays. An expression becomes a closure over blocks of columns. No code is executed.
 *
 * A comparison with a missing value is false, and arithmetic with one is missing. `z == null` tests for it.
 */
import { PypetError } from '../errors.ts'
import { type ExpressionNode, parseExpression, type Refuse } from '../exploration/expression-syntax.ts'
import { ARITHMETIC, isNumberFunction, numberFunction } from '../exploration/expression-term.ts'
import { nearestHint } from '../values/nearest-name.ts'
import { elementCount } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { ARRAY_TYPES } from '../values/typed-array.ts'
import { ARRAY_REDUCTIONS, type Elements } from './array-reductions.ts'
import { type ColumnType, cellReader } from './block.ts'
import type { Cell, Column, ColumnBlock } from './column.ts'
import type { RunData } from './run-data.ts'

/** `any`: of mixed columns, known only by row. */
type ValueType = 'number' | 'text' | 'truth' | 'array' | 'null' | 'any'

type RowValue = Cell

type ReadRow = (row: number) => RowValue

interface RowTerm {
  readonly at: number
  readonly type: ValueType
  /** Complex numbers have no order, and no form in expressions. */
  readonly isComplex?: boolean
  /** The reader of rows of these blocks. */
  readonly bind: (blockOf: (column: Column) => ColumnBlock) => ReadRow
}

export interface RowExpression {
  readonly type: ValueType
  /** The columns that it reads. */
  readonly columns: readonly Column[]
  /** Values by row of the blocks. */
  readonly bind: (blockOf: (column: Column) => ColumnBlock) => ReadRow
}

export interface ExpressionPlace {
  /** Names the text in messages: `--where x > 3`. */
  readonly where: string
  /** Position of the text in a longer one. */
  readonly offset?: number
}

/** @throws PypetError `PYPET_EXPRESSION_INVALID` with the position, `PYPET_COLUMN_UNKNOWN` */
export function rowExpression(text: string, data: RunData, place: ExpressionPlace): RowExpression {
  return compileNode(parseExpression(text, rowRefusal(place)), data, place)
}

/** @throws PypetError as `rowExpression`, also if it is not true or false */
export function rowCondition(text: string, data: RunData, place: ExpressionPlace): RowExpression {
  const expression = rowExpression(text, data, place)
  if (expression.type === 'truth' || expression.type === 'any') return expression
  throw rowRefusal(place)(
    `found ${typeWord(expression.type)} where a condition is expected,`,
    0,
    'Compare, as in x < 2.',
  )
}

/** The same for a text that is parsed already. */
export function compileNode(node: ExpressionNode, data: RunData, place: ExpressionPlace): RowExpression {
  const columns = new Set<Column>()
  const term = compile(node, { data, columns, refuse: rowRefusal(place) })
  return { type: term.type, columns: [...columns], bind: term.bind }
}

export function rowRefusal({ where, offset = 0 }: ExpressionPlace): Refuse {
  return (found, at, hint) =>
    new PypetError('PYPET_EXPRESSION_INVALID', `${where}: ${found} at position ${at + offset + 1}`, {
      where,
      hint: hint.replace('names of parameters', 'names of columns'),
    })
}

interface Context {
  readonly data: RunData
  readonly columns: Set<Column>
  readonly refuse: Refuse
}

function compile(node: ExpressionNode, context: Context): RowTerm {
  const { refuse } = context
  const { at } = node
  const inner = (operand: ExpressionNode) => compile(operand, context)
  switch (node.kind) {
    case 'literal': {
      const { value } = node
      return constant(at, value === null ? 'null' : TYPES[typeof value as 'number'], value)
    }
    case 'name':
      return nameTerm(node.name, at, context)
    case 'unary':
      return unary(node.operator, at, inner(node.operand), refuse)
    case 'binary':
      if (node.operator === 'in') return membership(node, context)
      return binary(node.operator, at, inner(node.left), inner(node.right), refuse)
    case 'ternary': {
      const [test, yes, no] = [inner(node.test), inner(node.yes), inner(node.no)]
      expectType(test, 'truth', '?', refuse)
      const type = yes.type === no.type ? yes.type : 'any'
      return { at, type, bind: (of) => choice(test.bind(of), yes.bind(of), no.bind(of)) }
    }
    case 'call':
      return call(node.name, at, node.operands.map(inner), refuse)
    case 'index':
      return element(at, inner(node.of), inner(node.index), refuse)
    case 'list':
      throw refuse('a list is not expected', at, 'Write x in [1, 2].')
  }
}

const TYPES = { number: 'number', bigint: 'number', string: 'text', boolean: 'truth' } as const

function typeWord(type: ValueType): string {
  return {
    number: 'a number',
    text: 'a text',
    truth: 'true or false',
    array: 'an array',
    null: 'null',
    any: 'a value',
  }[type]
}

function constant(at: number, type: ValueType, value: RowValue): RowTerm {
  return { at, type, bind: () => () => value }
}

function choice(test: ReadRow, yes: ReadRow, no: ReadRow): ReadRow {
  return (row) => (test(row) === true ? yes(row) : no(row))
}

const CONSTANTS: Readonly<Record<string, number>> = {
  pi: Math.PI,
  Infinity: Number.POSITIVE_INFINITY,
  NaN: Number.NaN,
}

function nameTerm(name: string, at: number, { data, columns, refuse }: Context): RowTerm {
  const known = data.findKnown(name)
  // Before every run is visited for a column of this name.
  if (known === undefined && Object.hasOwn(CONSTANTS, name))
    return constant(at, 'number', CONSTANTS[name] as number)
  const column = known ?? data.findAny(name)
  if (column === undefined) {
    const names = data.columns.map((each) => each.name)
    const found = refuse(`there is no column ${JSON.stringify(name)}`, at, '')
    throw new PypetError('PYPET_COLUMN_UNKNOWN', found.message, {
      where: found.where,
      hint: nearestHint(name, names, `Available: ${names.slice(0, 12).join(', ')}. Put texts in quotes.`),
    })
  }
  columns.add(column)
  // For single values, what one run has is no promise for the others.
  const type = column.shape?.length === 0 ? data.typeOf(column) : column
  const isComplex = type.dtype.startsWith('complex')
  return { at, type: valueType(type), isComplex, bind: (of) => cellReader(of(column)) }
}

/** Where runs differ, only rows tell. */
function valueType({ dtype, shape }: ColumnType): ValueType {
  if (dtype === 'mixed' || shape === undefined) return 'any'
  if (shape.length > 0) return 'array'
  if (dtype === 'str') return 'text'
  if (dtype === 'bool') return 'truth'
  return dtype === 'bytes' || dtype.startsWith('complex') ? 'any' : 'number'
}

function unary(operator: string, at: number, operand: RowTerm, refuse: Refuse): RowTerm {
  switch (operator) {
    case '!':
      expectType(operand, 'truth', operator, refuse)
      return { at, type: 'truth', bind: (of) => negated(operand.bind(of)) }
    case '-':
    case '+': {
      expectType(operand, 'number', operator, refuse)
      if (operator === '+') return operand
      return { at, type: 'number', bind: (of) => minus(operand.bind(of)) }
    }
    default:
      throw refuse(`the operator ${operator} is not supported,`, at, 'Use - or !.')
  }
}

function negated(read: ReadRow): ReadRow {
  return (row) => read(row) !== true
}

/** Large integers stay exact. */
function minus(read: ReadRow): ReadRow {
  return (row) => {
    const value = read(row)
    if (typeof value === 'bigint') return -value
    return typeof value === 'number' ? -value : null
  }
}

/** Null if an operand is missing. */
function computed(operands: readonly ReadRow[], compute: (...values: number[]) => number): ReadRow {
  const [first, second] = operands as [ReadRow, ReadRow | undefined]
  if (operands.length === 1) {
    return (row) => {
      const value = numberOf(first(row))
      return value === undefined ? null : compute(value)
    }
  }
  if (operands.length === 2 && second !== undefined) {
    return (row) => {
      const [one, other] = [numberOf(first(row)), numberOf(second(row))]
      return one === undefined || other === undefined ? null : compute(one, other)
    }
  }
  return (row) => {
    const values = operands.map((operand) => numberOf(operand(row)))
    return values.includes(undefined) ? null : compute(...(values as number[]))
  }
}

function numberOf(value: RowValue): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'bigint' ? Number(value) : undefined
}

type Compare = (one: RowValue, other: RowValue) => boolean

const ORDER: Readonly<Record<string, Compare>> = {
  '<': (one, other) => isComparable(one, other) && (one as number) < (other as number),
  '<=': (one, other) => isComparable(one, other) && (one as number) <= (other as number),
  '>': (one, other) => isComparable(one, other) && (one as number) > (other as number),
  '>=': (one, other) => isComparable(one, other) && (one as number) >= (other as number),
}

const EQUALITY: Readonly<Record<string, Compare>> = {
  '==': isEqual,
  '===': isEqual,
  '!=': isUnequal,
  '!==': isUnequal,
}

/** False for missing values, like every comparison. */
function isUnequal(one: RowValue, other: RowValue): boolean {
  return one !== null && other !== null && !isEqual(one, other)
}

const IS_NULL: Readonly<Record<string, (value: RowValue) => boolean>> = {
  '==': (value) => value === null,
  '===': (value) => value === null,
  '!=': (value) => value !== null,
  '!==': (value) => value !== null,
}

function isComparable(one: RowValue, other: RowValue): boolean {
  if (typeof one === 'string') return typeof other === 'string'
  return isNumber(one) && isNumber(other)
}

function isNumber(value: RowValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Numbers and bigints are compared by value, exactly. Missing values equal nothing. */
function isEqual(one: RowValue, other: RowValue): boolean {
  if (one === null || other === null) return false
  if (typeof one === typeof other) return one === other
  return isNumber(one) && isNumber(other) && one <= other && one >= other
}

function binary(operator: string, at: number, left: RowTerm, right: RowTerm, refuse: Refuse): RowTerm {
  const arithmetic = ARITHMETIC[operator]
  if (operator === '+' && left.type === 'text') {
    expectType(right, 'text', operator, refuse)
    return { at, type: 'text', bind: (of) => joined(left.bind(of), right.bind(of)) }
  }
  if (arithmetic !== undefined) {
    for (const operand of [left, right]) expectType(operand, 'number', operator, refuse)
    return {
      at,
      type: 'number',
      bind: (of) => computed([left.bind(of), right.bind(of)], arithmetic),
    }
  }
  if (operator === '&&' || operator === '||') {
    for (const operand of [left, right]) expectType(operand, 'truth', operator, refuse)
    return { at, type: 'truth', bind: (of) => logic(operator, left.bind(of), right.bind(of)) }
  }
  const compare = ORDER[operator] ?? EQUALITY[operator]
  if (compare === undefined) {
    throw refuse(
      `the operator ${operator} is not supported,`,
      at,
      'Use + - * / % **, < <= > >= == !=, in, && || and !.',
    )
  }
  const isNull = IS_NULL[operator]
  if (isNull !== undefined && (left.type === 'null' || right.type === 'null')) {
    const operand = left.type === 'null' ? right : left
    return { at, type: 'truth', bind: (of) => tested(operand.bind(of), isNull) }
  }
  for (const operand of [left, right]) {
    if (operand.isComplex === true && operand.type !== 'array')
      throw refuse(
        'found a complex number,',
        operand.at,
        'Only z == null and z != null take complex numbers.',
      )
  }
  const takesTruth = operator in EQUALITY
  for (const [operand, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (operand.type === 'array') {
      throw refuse(
        `found an array before or after ${operator},`,
        operand.at,
        'Compare mean(…), max(…), or one element, as in trace[0].',
      )
    }
    if (!takesTruth && (operand.type === 'truth' || operand.type === 'null')) {
      const hint =
        operand.type === 'null' ? 'Write == null.' : 'For a value between two bounds, write 0 < x && x < 1.'
      throw refuse(`found ${typeWord(operand.type)} beside ${operator},`, operand.at, hint)
    }
    if (other.type !== 'null' && operand.type !== 'null')
      expectType(right, left.type === 'any' ? right.type : left.type, operator, refuse)
  }
  return {
    at,
    type: 'truth',
    bind: (of) => {
      const [one, other] = [left.bind(of), right.bind(of)]
      return (row) => compare(one(row), other(row))
    },
  }
}

function tested(read: ReadRow, test: (value: RowValue) => boolean): ReadRow {
  return (row) => test(read(row))
}

function joined(left: ReadRow, right: ReadRow): ReadRow {
  return (row) => {
    const [one, other] = [left(row), right(row)]
    return one === null || other === null ? null : `${one}${other}`
  }
}

function logic(operator: '&&' | '||', left: ReadRow, right: ReadRow): ReadRow {
  return operator === '&&'
    ? (row) => left(row) === true && right(row) === true
    : (row) => left(row) === true || right(row) === true
}

function membership(node: ExpressionNode & { kind: 'binary' }, context: Context): RowTerm {
  const { refuse } = context
  if (node.right.kind !== 'list')
    throw refuse('in takes a list', node.right.at, 'Write x in [1, 2], or mode in ["fast", "slow"].')
  const value = compile(node.left, context)
  const elements = node.right.elements.map((each) => compile(each, context))
  for (const each of elements) {
    if (each.type !== 'null' && value.type !== 'any') expectType(each, value.type, 'in', refuse)
  }
  return {
    at: node.at,
    type: 'truth',
    bind: (of) => {
      const [read, all] = [value.bind(of), elements.map((each) => each.bind(of))]
      return (row) => {
        const wanted = read(row)
        return all.some((each) => {
          const value = each(row)
          return value === null ? wanted === null : isEqual(value, wanted)
        })
      }
    },
  }
}

function call(name: string, at: number, operands: readonly RowTerm[], refuse: Refuse): RowTerm {
  const [only] = operands
  const reduction = Object.hasOwn(ARRAY_REDUCTIONS, name) ? ARRAY_REDUCTIONS[name] : undefined
  const isOfArray = operands.length === 1 && (only?.type === 'array' || only?.type === 'any')
  if (reduction !== undefined && (isOfArray || !isNumberFunction(name))) {
    if (only === undefined || operands.length !== 1) {
      throw refuse(`${name} takes one array, found ${operands.length}`, at, `Write ${name}(trace).`)
    }
    if (only.type !== 'array' && only.type !== 'any') {
      const hint = 'To reduce a column over runs, use --agg with or without --group-by.'
      throw refuse(`${name} takes an array here, found ${typeWord(only.type)}`, only.at, hint)
    }
    if (only.isComplex === true) throw refuse(`${name} takes real numbers`, only.at, 'Export complex arrays.')
    return { at, type: 'number', bind: (of) => reduced(only.bind(of), reduction) }
  }
  if (name === 'isnan' || name === 'isNaN') {
    if (only === undefined || operands.length !== 1)
      throw refuse(`${name} takes one number`, at, 'Write isnan(z).')
    expectType(only, 'number', name, refuse)
    return { at, type: 'truth', bind: (of) => isNotANumber(only.bind(of)) }
  }
  const compute = numberFunction(name, at, operands.length, refuse, [
    ...Object.keys(ARRAY_REDUCTIONS),
    'isnan',
  ])
  for (const operand of operands) expectType(operand, 'number', name, refuse)
  return {
    at,
    type: 'number',
    bind: (of) =>
      computed(
        operands.map((operand) => operand.bind(of)),
        compute,
      ),
  }
}

function isNotANumber(read: ReadRow): ReadRow {
  return (row) => {
    const value = read(row)
    return typeof value === 'number' && Number.isNaN(value)
  }
}

function reduced(read: ReadRow, reduce: (elements: Elements) => number | bigint): ReadRow {
  return (row) => {
    const elements = elementsOf(read(row))
    return elements === undefined ? null : reduce(elements)
  }
}

/** The elements of an array or a list of numbers. Undefined for every other value. */
function elementsOf(value: RowValue): Elements | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const elements = value.form === 'ndarray' ? value.data : value.form === 'list' ? value.values : undefined
  return elements === undefined || !isNumeric(value) ? undefined : (elements as Elements)
}

function isNumeric(value: StoredValue): boolean {
  return 'dtype' in value && (value.dtype in ARRAY_TYPES || value.dtype === 'bool')
}

/** An element of an array, counted from 0, negative ones from the end; or a row of an array with several axes. */
function element(at: number, array: RowTerm, index: RowTerm, refuse: Refuse): RowTerm {
  if (array.isComplex === true) throw refuse('found complex numbers before [ ],', array.at, 'Export them.')
  if (array.type !== 'array' && array.type !== 'any') {
    throw refuse(`found ${typeWord(array.type)} before [ ],`, array.at, 'Only arrays have elements.')
  }
  expectType(index, 'number', '[ ]', refuse)
  return {
    at,
    type: 'any',
    bind: (of) => {
      const [read, position] = [array.bind(of), index.bind(of)]
      return (row) => {
        const place = numberOf(position(row))
        return place === undefined ? null : elementAt(read(row), place)
      }
    },
  }
}

function elementAt(value: RowValue, position: number): RowValue {
  const elements = elementsOf(value)
  if (elements === undefined || typeof value !== 'object' || value === null) return null
  const shape = value.form === 'ndarray' ? value.shape : [elements.length]
  const [length = 0, ...inner] = shape
  const place = position < 0 ? length + position : position
  if (!Number.isInteger(place) || place < 0 || place >= length) return null
  if (inner.length === 0 || value.form !== 'ndarray') {
    const found = elements[place] ?? null
    return 'dtype' in value && value.dtype === 'bool' && found !== null ? Boolean(found) : found
  }
  const size = elementCount(inner)
  const data = value.data.slice(place * size, (place + 1) * size) as typeof value.data
  return { form: 'ndarray', dtype: value.dtype, shape: inner, data }
}

function expectType(term: RowTerm, type: ValueType, beside: string, refuse: Refuse): void {
  if (term.type === type || term.type === 'any' || type === 'any') return
  const hint =
    type === 'truth' ? 'Compare, as in x != 0.' : `Give ${typeWord(type)}, or compare with another column.`
  throw refuse(`${beside} takes ${typeWord(type)} here, found ${typeWord(term.type)}`, term.at, hint)
}
