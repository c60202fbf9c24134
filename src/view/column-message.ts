/** The rows of columns as a message to the page. */

import type { Column, ColumnBlock } from '../results/column.ts'
import type { RunData } from '../results/run-data.ts'
import { type StoredValue, typeName } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { valueText } from './value-text.ts'
import type { ColumnPart } from './view-protocol.ts'

export interface EncodedParts {
  readonly parts: readonly ColumnPart[]
  readonly arrays: readonly TypedArray[]
}

/** Ranges closer than this are read as one: each read has a price. */
const GAP_MAX = 256

/**
 * Rows of columns.
 *
 * @param runs half-open ranges
 */
export function encodeColumns(
  data: RunData,
  columns: readonly Column[],
  runs: readonly number[],
): EncodedParts {
  const parts: ColumnPart[] = []
  const arrays: TypedArray[] = []
  for (const column of columns) {
    for (const { start, end } of joined(runs)) {
      const block = encodeBlock(data.read(column, { start, end }), end - start)
      const hasFlags = block.flags !== undefined
      parts.push({ name: column.name, start, count: end - start, hasFlags, values: block.values })
      if (block.flags !== undefined) arrays.push(block.flags)
      arrays.push(...block.arrays)
    }
  }
  return { parts, arrays }
}

function joined(runs: readonly number[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  for (let index = 0; index < runs.length; index += 2) {
    const [start = 0, end = 0] = runs.slice(index, index + 2)
    const last = ranges.at(-1)
    if (last !== undefined && start - last.end <= GAP_MAX) last.end = end
    else ranges.push({ start, end })
  }
  return ranges
}

interface EncodedBlock {
  readonly flags: Uint8Array | undefined
  readonly values: ColumnPart['values']
  readonly arrays: readonly TypedArray[]
}

function encodeBlock(block: ColumnBlock, rowCount: number): EncodedBlock {
  const flags = block.present
  switch (block.form) {
    case 'number':
      return {
        flags,
        values: { form: 'number', dtype: block.dtype },
        arrays: [block.values],
      }
    case 'bool':
      return { flags, values: { form: 'bool' }, arrays: [block.values] }
    case 'complex':
      return { flags, values: { form: 'complex' }, arrays: [Float64Array.from(block.values)] }
    case 'text': {
      const { texts, codes } = dictionary(block.values)
      return { flags, values: { form: 'text', texts }, arrays: [codes] }
    }
    case 'mixed': {
      const { texts, codes } = dictionary(
        block.values.map((value) => (value === undefined ? '' : valueText(value))),
      )
      const numbers = Float64Array.from(block.values, numberOf)
      return { flags, values: { form: 'mixed', texts }, arrays: [codes, numbers] }
    }
    case 'array': {
      const text = typeName({ form: 'ndarray', dtype: block.dtype, shape: block.shape, data: [] })
      return { flags, values: { form: 'text', texts: [text] }, arrays: [new Uint32Array(rowCount)] }
    }
  }
}

function dictionary(values: readonly string[]): {
  readonly texts: readonly string[]
  readonly codes: Uint32Array
} {
  const known = new Map<string, number>()
  const codes = new Uint32Array(values.length)
  for (const [row, text] of values.entries()) {
    let code = known.get(text)
    if (code === undefined) {
      code = known.size
      known.set(text, code)
    }
    codes[row] = code
  }
  return { texts: [...known.keys()], codes }
}

function numberOf(value: StoredValue | undefined): number {
  if (value?.form !== 'scalar') return Number.NaN
  return typeof value.value === 'number' || typeof value.value === 'bigint' ? Number(value.value) : Number.NaN
}
