/**
 * Tables as NetCDF-4, which is HDF5 with dimension scales. If the runs are a full product, the explored parameters are
 * the dimensions; otherwise the only one is `run`.
 *
 * Follows the NetCDF-4 file format (https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html) and
 * what xarray decodes: texts are characters with `_Encoding`, booleans bytes with `dtype`, missing numbers `_FillValue`.
 */
import { PypetError } from '../errors.ts'
import { elementType } from '../hdf5/element-type.ts'
import type { Hdf5Operation, Hdf5Type } from '../hdf5/operation.ts'
import { type ColumnType, cellReader, takeRows } from '../results/block.ts'
import type { ColumnBlock } from '../results/column.ts'
import { type ResultTable, rowsPerBlock, type TableColumn } from '../results/query.ts'
import { elementBytes, elementCount, indicesAt } from '../values/raw-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../values/typed-array.ts'
import { flatTable } from './flat-columns.ts'
import { type Product, productOf } from './product.ts'

export interface NetcdfPlan {
  /** Names and sizes of the dimensions of runs, in order. */
  readonly dimensions: readonly (readonly [name: string, size: number])[]
  /** Why the explored parameters are no dimensions. Undefined if they are, or if there are none. */
  readonly reason: string | undefined
  /** Columns that have no form in NetCDF: they differ in shape or type from run to run. */
  readonly leftOut: readonly string[]
  /** Everything that makes the file. Values are read meanwhile. */
  readonly operations: () => Generator<Hdf5Operation>
}

const ROOT = '/'
const CHARACTER: Hdf5Type = { kind: 'string', bytes: 1, charset: 'ascii' }
/** What NetCDF writes as the name of a dimension without values. */
const NO_VARIABLE = 'This is a netCDF dimension but not a netCDF variable.'

interface Dimension {
  readonly name: string
  readonly size: number
}

/**
 * @param attributes texts about the file: its title, its source
 * @param exploredNames of all explored parameters, also of those that the table does not have
 * @throws PypetError `PYPET_USAGE` for an expression without a name that NetCDF takes
 */
export function netcdfPlan(
  table: ResultTable,
  attributes: Readonly<Record<string, string>>,
  exploredNames: readonly string[],
): NetcdfPlan {
  const { columns, length } = flatTable(table)
  const refused = columns.find(({ name }) => name.includes('/'))
  if (refused !== undefined) {
    throw new PypetError('PYPET_USAGE', `a variable of NetCDF cannot have the name ${refused.name}`, {
      where: refused.name,
      hint: `Give it one without /, as in ratio = ${refused.name}.`,
    })
  }
  const writable = columns.filter((column) => hasForm(column.type()))
  const explored = table.columns.filter(({ column }) => column?.isExplored === true)
  const unselected = exploredNames.filter((name) => !explored.some(({ column }) => column?.name === name))
  const unfit = explored.filter((column) => !writable.includes(column) || column.type().shape?.length !== 0)
  const product =
    unselected.length === 0 && unfit.length === 0
      ? productOf(
          explored.map((column) => column.read(0, length)),
          length,
        )
      : undefined
  const dimensions: Dimension[] =
    product === undefined
      ? [{ name: 'run', size: length }]
      : [
          ...explored.map(({ name }, at) => ({ name, size: product.axes[at]?.rows.length ?? 0 })),
          ...(product.repeats > 1 ? [{ name: freeName('repeat', columns), size: product.repeats }] : []),
        ]
  return {
    dimensions: dimensions.map(({ name, size }) => [name, size]),
    reason:
      product !== undefined || exploredNames.length === 0 || length === 0
        ? undefined
        : unselected.length > 0
          ? `not all explored parameters are among the columns: ${unselected.join(', ')}`
          : unfit.length > 0
            ? `not all explored parameters have single values: ${unfit.map(({ name }) => name).join(', ')}`
            : 'the rows are no full product of the explored parameters',
    leftOut: columns.filter((column) => !writable.includes(column)).map(({ name }) => name),
    operations: () =>
      new NetcdfWriter({ table: { ...table, columns: writable }, product, explored, dimensions }).write(
        attributes,
      ),
  }
}

/** A name that no column has. */
function freeName(name: string, columns: readonly TableColumn[]): string {
  return columns.some((column) => column.name === name) ? freeName(`${name}_`, columns) : name
}

function hasForm({ dtype, shape }: ColumnType): boolean {
  if (shape === undefined || dtype === 'mixed' || dtype === 'bytes') return false
  return dtype === 'str' ? shape.length === 0 : elementCount(shape) > 0
}

class NetcdfWriter {
  readonly #table: ResultTable
  readonly #product: Product | undefined
  readonly #explored: readonly TableColumn[]
  readonly #dimensions: readonly Dimension[]
  /** Numbers of the dimensions that exist. */
  readonly #made = new Map<string, number>()

  constructor(given: {
    readonly table: ResultTable
    readonly product: Product | undefined
    readonly explored: readonly TableColumn[]
    readonly dimensions: readonly Dimension[]
  }) {
    this.#table = given.table
    this.#product = given.product
    this.#explored = given.explored
    this.#dimensions = given.dimensions
  }

  *write(attributes: Readonly<Record<string, string>>): Generator<Hdf5Operation> {
    for (const [name, value] of Object.entries(attributes)) yield text(ROOT, name, value)
    const { length } = this.#table
    const rows = Array.from({ length: this.#dimensions.length }, (_, axis) => this.#rowsOf(axis))
    for (const [axis, dimension] of this.#dimensions.entries()) {
      const column = this.#coordinateOf(axis)
      if (column === undefined) yield* this.#counted(dimension)
      else yield* this.#coordinate(dimension, column, rows[axis] as Uint32Array)
    }
    const isCoordinate = (column: TableColumn) =>
      this.#product === undefined ? column.name === 'run' : this.#explored.includes(column)
    for (const column of this.#table.columns) if (!isCoordinate(column)) yield* this.#variable(column, length)
  }

  /** The column with the values of a dimension. Undefined for repeats, which are counted. */
  #coordinateOf(axis: number): TableColumn | undefined {
    if (this.#product !== undefined) return this.#explored[axis]
    return this.#table.columns.find(({ name }) => name === 'run')
  }

  #rowsOf(axis: number): Uint32Array {
    const all = () => Uint32Array.from({ length: this.#table.length }, (_, row) => row)
    return this.#product === undefined ? all() : (this.#product.axes[axis]?.rows ?? new Uint32Array(0))
  }

  *#coordinate({ name, size }: Dimension, column: TableColumn, rows: Uint32Array): Generator<Hdf5Operation> {
    const block = takeRows(column.read(0, this.#table.length), rows)
    const path = `/${name}`
    if (block.form === 'text') {
      const { width, bytes } = charactersOf(block, rows.length, (row) => row)
      const inner = yield* this.#nameless(freeName(`string${width}`, this.#table.columns), width)
      yield { type: 'create-dataset', path, elementType: CHARACTER, shape: [size, width], bytes }
      yield* this.#scale(name, name)
      // A scale has no scales: its own dimensions are numbers of dimensions.
      yield integers(path, '_Netcdf4Coordinates', [this.#made.get(name) as number, inner])
      yield text(path, '_Encoding', 'utf-8')
      yield* described(path, column)
      return
    }
    const { dtype, values } = numbersOf(block)
    yield {
      type: 'create-dataset',
      path,
      elementType: elementType(dtype),
      shape: [size],
      bytes: bytesOf(values),
    }
    yield* this.#scale(name, name)
    yield* described(path, column)
    if (block.form === 'bool') yield text(path, 'dtype', 'bool')
  }

  *#counted({ name, size }: Dimension): Generator<Hdf5Operation> {
    const path = `/${name}`
    const values = Int32Array.from({ length: size }, (_, at) => at)
    yield {
      type: 'create-dataset',
      path,
      elementType: elementType('int32'),
      shape: [size],
      bytes: bytesOf(values),
    }
    yield* this.#scale(name, name)
  }

  /** A dimension that has a size, and no values. Returns its number. */
  *#nameless(name: string, size: number): Generator<Hdf5Operation, number> {
    const known = this.#made.get(name)
    if (known !== undefined) return known
    const path = `/${name}`
    yield {
      type: 'create-dataset',
      path,
      elementType: elementType('float32'),
      shape: [size],
      bytes: new Uint8Array(4 * size),
    }
    return yield* this.#scale(name, `${NO_VARIABLE}${String(size).padStart(10)}`)
  }

  *#scale(dimension: string, name: string): Generator<Hdf5Operation, number> {
    const number = this.#made.size
    this.#made.set(dimension, number)
    const path = `/${dimension}`
    yield { type: 'make-scale', path, name }
    const bytes = bytesOf(Int32Array.of(number))
    yield {
      type: 'create-raw-attribute',
      path,
      name: '_Netcdf4Dimid',
      elementType: elementType('int32'),
      shape: [],
      bytes,
    }
    return number
  }

  *#variable(column: TableColumn, length: number): Generator<Hdf5Operation> {
    const { dtype, shape = [] } = column.type()
    const path = `/${column.name}`
    if (dtype === 'str') {
      yield* this.#characters(path, column.read(0, length), length)
      yield* described(path, column)
      return
    }
    const inner: Dimension[] = []
    for (const [axis, size] of shape.entries()) {
      const name = freeName(`${column.name}_${axis}`, this.#table.columns)
      yield* this.#nameless(name, size)
      inner.push({ name, size })
    }
    yield* this.#numbers(path, column, inner)
    yield* this.#scaled(path, [...this.#dimensions, ...inner])
    yield* described(path, column)
  }

  *#numbers(path: string, column: TableColumn, inner: readonly Dimension[]): Generator<Hdf5Operation> {
    const { length } = this.#table
    const type = column.type()
    const isBool = type.dtype === 'bool'
    const stored = isBool ? 'int8' : (type.dtype as NumericDtype)
    const isLarge =
      length * elementCount(inner.map(({ size }) => size)) * elementBytes(stored) > WHOLE_BYTES_MAX
    const step = rowsPerBlock(type)
    const isInteger = !isBool && !/^float/.test(stored)
    const kept = isInteger && !isLarge ? [...blocksOf(column, length, step)] : undefined
    const blocks = () => kept ?? blocksOf(column, length, step)
    const { dtype, fill } = isInteger
      ? integerFilling(stored, blocks())
      : { dtype: stored, fill: fillOf(stored) }
    const rowShape = inner.map(({ size }) => size)
    const rowElements = elementCount(rowShape)
    const outer = this.#dimensions.map(({ size }) => size)
    let hasMissing = false
    const all = isLarge ? undefined : (new ARRAY_TYPES[dtype](length * rowElements) as TypedArray)
    const create = {
      type: 'create-dataset',
      path,
      elementType: elementType(dtype),
      shape: [...outer, ...rowShape],
    } as const
    if (all === undefined)
      yield {
        ...create,
        chunks: [...outer.map(() => 1), ...rowShape],
      }
    for (const { start, end, block } of blocks()) {
      const values = filled(block, end - start, rowElements, dtype, fill)
      hasMissing ||= block.present !== undefined
      for (let row = start; row < end; row += 1) {
        const place = this.#product?.placeOf[row] ?? row
        const cells = values.subarray((row - start) * rowElements, (row - start + 1) * rowElements)
        if (all !== undefined) all.set(cells as never, place * rowElements)
        else
          yield {
            type: 'write-box',
            path,
            offset: [...indicesAt(place, outer), ...rowShape.map(() => 0)],
            count: [...outer.map(() => 1), ...rowShape],
            bytes: bytesOf(cells),
          }
      }
    }
    if (all !== undefined) yield { ...create, bytes: bytesOf(all) }
    if (isBool && !hasMissing) yield text(path, 'dtype', 'bool')
    if (hasMissing || /^float/.test(dtype)) {
      const bytes = bytesOf(ARRAY_TYPES[dtype].of(fill as never))
      yield {
        type: 'create-raw-attribute',
        path,
        name: '_FillValue',
        elementType: elementType(dtype),
        shape: [1],
        bytes,
      }
    }
  }

  /** Texts as characters, in a dimension for their longest. */
  *#characters(path: string, block: ColumnBlock, count: number): Generator<Hdf5Operation> {
    const dimensions = this.#dimensions
    const { width, bytes } = charactersOf(block, count, (row) => this.#product?.placeOf[row] ?? row)
    const name = freeName(`string${width}`, this.#table.columns)
    yield* this.#nameless(name, width)
    const shape = [...dimensions.map(({ size }) => size), width]
    yield { type: 'create-dataset', path, elementType: CHARACTER, shape, bytes }
    yield* this.#scaled(path, [...dimensions, { name, size: width }])
    yield text(path, '_Encoding', 'utf-8')
  }

  *#scaled(path: string, dimensions: readonly Dimension[]): Generator<Hdf5Operation> {
    for (const [axis, { name }] of dimensions.entries())
      yield { type: 'attach-scale', path, axis, scale: `/${name}` }
  }
}

/** UTF-8 texts in rows of equal width, padded with NUL. */
function charactersOf(
  block: ColumnBlock,
  count: number,
  placeOf: (row: number) => number,
): { readonly width: number; readonly bytes: Uint8Array } {
  const read = cellReader(block)
  const encoded = Array.from({ length: count }, (_, row) => Buffer.from(String(read(row) ?? '')))
  const width = encoded.reduce((most, { byteLength }) => Math.max(most, byteLength), 1)
  const bytes = new Uint8Array(count * width)
  for (const [row, each] of encoded.entries()) bytes.set(each, placeOf(row) * width)
  return { width, bytes }
}

function integers(path: string, name: string, values: readonly number[]): Hdf5Operation {
  const bytes = bytesOf(Int32Array.from(values))
  return {
    type: 'create-raw-attribute',
    path,
    name,
    elementType: elementType('int32'),
    shape: [values.length],
    bytes,
  }
}

/** Larger variables are written row by row. */
const WHOLE_BYTES_MAX = 2 ** 28

interface RowBlock {
  readonly start: number
  readonly end: number
  readonly block: ColumnBlock
}

function* blocksOf(column: TableColumn, length: number, step: number): Generator<RowBlock> {
  for (let start = 0; start < length; start += step) {
    const end = Math.min(length, start + step)
    yield { start, end, block: column.read(start, end) }
  }
}

/** Neighbours of the usual fill value that can replace it. */
const FILLS = 65_536
/** Readers compare 64-bit integers as float64, which are so far apart there. */
const BIG_STRIDE = 2048

const WIDER: Readonly<Partial<Record<NumericDtype, NumericDtype>>> = {
  int8: 'int16',
  uint8: 'int16',
  int16: 'int32',
  uint16: 'int32',
  int32: 'int64',
  uint32: 'int64',
}

/** A fill value that is the value of no run, in a larger type if all values of this one occur. */
function integerFilling(
  dtype: NumericDtype,
  blocks: Iterable<RowBlock>,
): { readonly dtype: NumericDtype; readonly fill: number | bigint } {
  const usual = fillOf(dtype)
  const stride = typeof usual === 'bigint' ? BIG_STRIDE : 1
  const used = new Uint8Array(Math.min(FILLS, 2 ** (8 * elementBytes(dtype))))
  let hasMissing = false
  for (const { start, end, block } of blocks) {
    const { present } = block
    hasMissing ||= present !== undefined
    if (block.form !== 'number' && block.form !== 'array') continue
    const rowElements = block.values.length / (end - start)
    for (const [at, value] of block.values.entries()) {
      if (present?.[Math.floor(at / rowElements)] === 0) continue
      const above = typeof usual === 'bigint' ? BigInt(value) - usual : Number(value) - usual
      const distance = Math.abs(Number(above)) / stride
      if (distance >= used.length) continue
      used[Math.floor(distance)] = 1
      used[Math.ceil(distance)] = 1
    }
  }
  const free = hasMissing ? used.indexOf(0) : 0
  const wider = WIDER[dtype]
  if (free < 0 && wider !== undefined) return { dtype: wider, fill: fillOf(wider) }
  const distance = free * stride * (dtype.startsWith('u') ? -1 : 1)
  return { dtype, fill: typeof usual === 'bigint' ? usual + BigInt(distance) : usual + distance }
}

/** The numbers of rows, with the fill value where there are none. */
function filled(
  block: ColumnBlock,
  count: number,
  rowElements: number,
  dtype: NumericDtype,
  fill: number | bigint,
): TypedArray {
  const { present } = block
  const isNumeric = block.form === 'number' || block.form === 'array' || block.form === 'bool'
  const given = isNumeric ? (block.values as TypedArray) : undefined
  const values = new ARRAY_TYPES[dtype](count * rowElements) as TypedArray
  if (given === undefined) values.fill(fill as never)
  else if (given.constructor === values.constructor) values.set(given as never)
  else {
    // These runs have another type than all together.
    const isBig = dtype === 'int64' || dtype === 'uint64'
    for (let at = 0; at < values.length; at += 1)
      if (present?.[Math.floor(at / rowElements)] !== 0)
        values[at] = (isBig ? BigInt(given[at] as number) : Number(given[at])) as never
  }
  for (let row = 0; present !== undefined && row < count; row += 1)
    if (present[row] === 0) values.fill(fill as never, row * rowElements, (row + 1) * rowElements)
  return values
}

function numbersOf(block: ColumnBlock): { readonly dtype: NumericDtype; readonly values: TypedArray } {
  if (block.form === 'number') return { dtype: block.dtype, values: block.values }
  if (block.form === 'bool') return { dtype: 'int8', values: Int8Array.from(block.values) }
  throw new Error(`a dimension cannot have ${block.form} values`)
}

/** Stands for a missing value. */
function fillOf(dtype: NumericDtype): number | bigint {
  switch (dtype) {
    case 'float64':
    case 'float32':
      return Number.NaN
    case 'int64':
      return -(2n ** 63n)
    case 'uint64':
      return 2n ** 64n - 1n
    default: {
      const bits = 8 * elementBytes(dtype)
      return dtype.startsWith('u') ? 2 ** bits - 1 : -(2 ** (bits - 1))
    }
  }
}

function* described(path: string, { unit, comment }: TableColumn): Generator<Hdf5Operation> {
  if (unit !== '') yield text(path, 'units', unit)
  if (comment !== '') yield text(path, 'long_name', comment)
}

function text(path: string, name: string, value: string): Hdf5Operation {
  return { type: 'create-attribute', path, name, value }
}

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
