/** Whether runs explore every combination of their parameters, equally often: then these are dimensions. */
import { cellReader } from '../results/block.ts'
import type { Cell, ColumnBlock } from '../results/column.ts'

/** A dimension of a product: the different values of a parameter, in order of appearance. */
interface ProductAxis {
  /** A row for each value that has it. */
  readonly rows: Uint32Array
}

export interface Product {
  readonly axes: readonly ProductAxis[]
  /** How often each combination occurs. */
  readonly repeats: number
  /** The place of each row in the product, in C order, repeats last. */
  readonly placeOf: Uint32Array
}

/** Undefined if a value or a combination is missing, or if a combination occurs more often than others. */
export function productOf(parameters: readonly ColumnBlock[], length: number): Product | undefined {
  if (parameters.length === 0 || length === 0) return undefined
  if (parameters.some(({ present }) => present !== undefined)) return undefined
  const axes = parameters.map((block) => axisOf(block, length))
  const count = axes.reduce((product, { rows }) => product * rows.length, 1)
  if (count > length || length % count !== 0) return undefined
  const repeats = length / count
  const seen = new Uint32Array(count)
  const placeOf = new Uint32Array(length)
  for (let row = 0; row < length; row += 1) {
    let place = 0
    for (const { rows, numberOf } of axes) place = place * rows.length + (numberOf[row] as number)
    const repeat = seen[place] as number
    if (repeat === repeats) return undefined
    seen[place] = repeat + 1
    placeOf[row] = place * repeats + repeat
  }
  return { axes, repeats, placeOf }
}

/** The different values, and the number of the value of each row. */
function axisOf(block: ColumnBlock, length: number): ProductAxis & { readonly numberOf: Uint32Array } {
  const read = cellReader(block)
  const known = new Map<Cell, number>()
  const numberOf = new Uint32Array(length)
  const rows: number[] = []
  for (let row = 0; row < length; row += 1) {
    const value = read(row)
    let number = known.get(value)
    if (number === undefined) {
      number = rows.length
      known.set(value, number)
      rows.push(row)
    }
    numberOf[row] = number
  }
  return { rows: Uint32Array.from(rows), numberOf }
}
