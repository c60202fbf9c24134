/** Compares a run that was computed again with the file: names, types, shapes and every bit. */
import { wholeLeaf } from '../journal/part-file.ts'
import { runName } from '../names.ts'
import type { Hdf5Source } from '../reading/tree-source.ts'
import type { RawRunRecord } from '../run/run-frame.ts'
import type { RunIndex } from '../values/path.ts'
import { elementBytes, elementCount, type RawField, type RawValue, rawValue } from '../values/raw-value.ts'
import type { StoredField } from '../values/stored-value.ts'
import { elementText, shortText } from './short-text.ts'

/** The first difference of a run. */
export interface RunDifference {
  /** Full name of the result or derived parameter. */
  readonly result: string
  /** Undefined if the whole result is missing or of another kind. */
  readonly item?: string
  /** Index of the first element that differs, in C order. Undefined for a single value, or if type or shape differ. */
  readonly index?: number
  /** Shortened. Undefined if it is missing. */
  readonly stored?: string
  readonly computed?: string
}

/** Undefined if both are the same. Comments are not compared, since a repeated comment is stored once. */
export function compareRun(source: Hdf5Source, record: RawRunRecord): RunDifference | undefined {
  for (const each of record.leaves) {
    const leaf = record.partFile === undefined ? each : wholeLeaf(record.partFile, each)
    const result = leaf.location
    const head = source.head(result)
    if (head?.kind !== 'leaf') return { result, computed: leaf.items.map(({ name }) => name).join(', ') }
    if ((head.userClass ?? '') !== (leaf.userClass ?? '')) {
      return { result, stored: `class ${head.userClass}`, computed: `class ${leaf.userClass}` }
    }
    const items =
      leaf.kind === 'result'
        ? source.items(result, head.className, () => true)
        : named('data', source.parameter(result, head.className).value)
    const found =
      compareFields(items, leaf.items) ??
      compareFields(head.annotations, leaf.annotations ?? [], (name) => `annotation ${name}`)
    if (found !== undefined) return { result, ...found }
  }
  return compareNames(source, record)
}

function named(name: string, value: StoredField['value'] | undefined): StoredField[] {
  return value === undefined ? [] : [{ name, value }]
}

function compareFields(
  stored: readonly StoredField[],
  computed: readonly RawField[],
  itemOf: (name: string) => string = (name) => name,
): Omit<RunDifference, 'result'> | undefined {
  for (const { name, value } of computed) {
    const item = itemOf(name)
    const before = stored.find((field) => field.name === name)
    if (before === undefined) return { item, computed: shortText(value) }
    if (before.value.form === 'unread') return { item, stored: before.value.type, computed: shortText(value) }
    const found = compareValues(rawValue(before.value), value)
    if (found !== undefined) return { item, ...found }
  }
  const more = stored.find((field) => !computed.some(({ name }) => name === field.name))
  if (more === undefined) return undefined
  const { name, value } = more
  return { item: itemOf(name), stored: value.form === 'unread' ? value.type : shortText(rawValue(value)) }
}

type ValueDifference = Pick<RunDifference, 'index' | 'stored' | 'computed'>

function compareValues(stored: RawValue, computed: RawValue): ValueDifference | undefined {
  const whole = () => ({ stored: shortText(stored), computed: shortText(computed) })
  if (stored.form !== computed.form) return whole()
  switch (stored.form) {
    case 'null':
      return undefined
    case 'date':
      return stored.time === (computed as typeof stored).time ? undefined : whole()
    case 'record':
      return compareLists(stored.fields, (computed as typeof stored).fields, whole)
    case 'table':
      return compareLists(stored.columns, (computed as typeof stored).columns, whole)
    case 'sparse': {
      const other = computed as typeof stored
      if (stored.format !== other.format || stored.shape.join() !== other.shape.join()) return whole()
      const parts = ['indptr', 'indices', 'data'] as const
      return parts
        .map((part) => compareValues(stored[part], other[part]))
        .find((found) => found !== undefined)
    }
    default: {
      const other = computed as typeof stored
      if (stored.dtype !== other.dtype || stored.shape.join() !== other.shape.join()) return whole()
      const index = firstDifference(stored, other)
      if (index === undefined) return undefined
      if (stored.form === 'scalar') return whole()
      return { index, stored: elementText(stored, index), computed: elementText(other, index) }
    }
  }
}

function compareLists(
  stored: readonly RawField[],
  computed: readonly RawField[],
  whole: () => ValueDifference,
): ValueDifference | undefined {
  const names = (fields: readonly RawField[]) => fields.map(({ name }) => name).sort()
  if (names(stored).join('\n') !== names(computed).join('\n')) return whole()
  for (const { name, value } of stored) {
    const other = computed.find((field) => field.name === name) as RawField
    const found = compareValues(value, other.value)
    if (found !== undefined) return found
  }
  return undefined
}

type Elements = Extract<RawValue, { readonly dtype: unknown }>

/** Index of an element; undefined if all are the same. */
function firstDifference(stored: Elements, computed: Elements): number | undefined {
  if ('texts' in stored || 'texts' in computed) {
    const [a, b] = [stored, computed].map((one) => ('texts' in one ? one.texts : []))
    const index = (a ?? []).findIndex((text, at) => text !== b?.[at])
    return index < 0 ? undefined : index
  }
  const { bytes, dtype, form } = stored
  if (Buffer.compare(bytes, computed.bytes) === 0) return undefined
  const size = elementBytes(dtype)
  for (let index = 0; index < elementCount(stored.shape); index += 1) {
    const at = (one: Uint8Array) => one.subarray(index * size, (index + 1) * size)
    if (Buffer.compare(at(bytes), at(computed.bytes)) === 0) continue
    // Single numbers do not preserve the bits of a NaN; arrays do.
    if (form !== 'ndarray' && isNaNOf(dtype, at(bytes)) && isNaNOf(dtype, at(computed.bytes))) continue
    return index
  }
  return undefined
}

function isNaNOf(dtype: string, bytes: Uint8Array): boolean {
  return dtype === 'float64' && Number.isNaN(new Float64Array(new Uint8Array(bytes).buffer)[0])
}

/** Names that only one side has, in all groups of the run. */
function compareNames(
  source: Hdf5Source,
  { run, leaves, links = [] }: RawRunRecord,
): RunDifference | undefined {
  const computed = new Map(leaves.map(({ location }) => [location, '']))
  for (const { location, target } of links) computed.set(location, target)
  const stored = new Map<string, string>()
  for (const group of runGroups(run, [...computed.keys()])) collect(source, group, stored)
  for (const { location, target } of links) {
    const before = stored.get(location)
    if (before !== target) {
      return {
        result: location,
        ...(before !== undefined && { stored: `link to ${before}` }),
        computed: `link to ${target}`,
      }
    }
  }
  const more = [...stored].find(([location]) => !computed.has(location))
  if (more === undefined) return undefined
  const [result, target] = more
  return { result, stored: target === '' ? 'a result' : `link to ${target}` }
}

function runGroups(run: RunIndex, locations: readonly string[]): ReadonlySet<string> {
  const name = runName(run)
  const groups = new Set(['results', 'derived_parameters'].map((branch) => `${branch}.runs.${name}`))
  for (const location of locations) {
    const at = `.${location}.`.indexOf(`.${name}.`)
    if (at >= 0) groups.add(location.slice(0, at + name.length))
  }
  return groups
}

/** All leaves and links below, each with its target. */
function collect(source: Hdf5Source, group: string, into: Map<string, string>): void {
  const head = source.head(group)
  if (head === undefined) return
  if (head.kind === 'leaf') {
    into.set(group, '')
    return
  }
  for (const { name, target } of source.entries(group) ?? []) {
    if (target !== undefined) into.set(`${group}.${name}`, target)
    else collect(source, `${group}.${name}`, into)
  }
}
