/** Renumbers the lists and arrays of an exploration, to join two pools or to remove unused values. */
import { type Column, type ExplorationSpec, explorationLength, explorationReader } from './exploration.ts'
import { ValuePool, type ValuePools } from './value-pool.ts'

/** By parameter: the new number for each old one. */
export type Renumbering = ReadonlyMap<string, Uint32Array>

export function renumbered(spec: ExplorationSpec, numbers: Renumbering): ExplorationSpec {
  if (numbers.size === 0) return spec
  const change = (column: Column): Column => {
    const { name, range } = column
    const changed = numbers.get(name)
    if (changed === undefined || range.kind !== 'numbers') return column
    return {
      name,
      range: { kind: 'numbers', numbers: range.numbers.map((number) => changed[number] as number) },
    }
  }
  switch (spec.kind) {
    case 'product':
      return { ...spec, factors: spec.factors.map((factor) => factor.map(change)) }
    case 'zip':
    case 'points':
      return { ...spec, columns: spec.columns.map(change) }
    case 'concat':
      return { ...spec, parts: spec.parts.map((part) => renumbered(part, numbers)) }
    case 'sample':
      return {
        ...spec,
        columns: spec.columns.map((column) => {
          if (column.range.kind !== 'choice') return column
          const { range } = change({ name: column.name, range: column.range.range })
          return { ...column, range: { ...column.range, range } }
        }),
      }
    case 'repeat':
    case 'select':
    case 'pooled':
      return { ...spec, of: renumbered(spec.of, numbers) }
    case 'derived':
      return { ...spec, of: renumbered(spec.of, numbers), columns: spec.columns.map(change) }
    case 'partial':
      return {
        ...spec,
        of: renumbered(spec.of, numbers),
        columns: spec.columns.map((column) => {
          const changed = numbers.get(column.name)
          return changed === undefined
            ? column
            : { ...column, otherwise: changed[column.otherwise as number] as number }
        }),
      }
  }
}

/**
 * Removes values without a point from the pools. Filters, conditions and samples may leave some values unused. Only the
 * named pools change.
 */
export function withoutUnused(
  spec: ExplorationSpec,
  pools: ValuePools,
  names: readonly string[],
): ExplorationSpec {
  const numbers = new Map<string, Uint32Array>()
  for (const name of names) {
    const { values } = pools.of(name)
    const isUsed = usedNumbers(spec, name, values.length)
    if (isUsed === undefined) continue
    const pool = new ValuePool()
    const changed = new Uint32Array(values.length)
    for (const [number, value] of values.entries()) {
      if (isUsed[number] !== 1) continue
      changed[number] = pool.values.length
      pool.append(value)
    }
    pools.set(name, pool)
    numbers.set(name, changed)
  }
  return renumbered(spec, numbers)
}

/** Undefined if all are used. */
function usedNumbers(spec: ExplorationSpec, name: string, count: number): Uint8Array | undefined {
  const isUsed = new Uint8Array(count)
  const read = explorationReader(spec, name)
  const length = explorationLength(spec)
  let usedCount = 0
  for (let run = 0; run < length; run += 1) {
    const number = read(run) as number
    if (isUsed[number] === 1) continue
    isUsed[number] = 1
    usedCount += 1
    if (usedCount === count) return undefined
  }
  return isUsed
}
