/** The content of a trajectory when its runs begin, as data. It is sent to workers once and read there as a tree. */
import type { Parameter } from '../run/parameter.ts'
import type { ParameterRange } from '../run/parameter-range.ts'
import type { RawGroup, RawLeaf } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import { receivedValue } from '../values/exact-integer.ts'
import { parameterLocation } from '../values/path.ts'
import { rawValue } from '../values/raw-value.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import type { NodeHead, NodeSource, SourceEntry } from './node-source.ts'

/** The values are views of the memory that holds them. */
export interface RunNodes {
  /** Groups with a comment or annotations, and empty ones. */
  readonly groups: readonly RawGroup[]
  /** Leaves other than the parameters of the experiment. */
  readonly leaves: readonly RawLeaf[]
  readonly links: readonly LinkRecord[]
  /** Parameters with a comment or annotations, by name. Their values are sent separately. */
  readonly described: readonly RawGroup[]
  /** Adding an existing node returns the existing one. */
  readonly noClobber?: boolean
  readonly shortcuts?: boolean
  readonly maxDepth?: number
}

/** A parameter as a worker receives it. */
export type SentParameter = Pick<Parameter, 'name' | 'stored' | 'userClass'>

/** The part of a parameter that a worker needs. */
export function sentParameter({
  name,
  value,
  stored,
  userClass,
}: Omit<Parameter, 'comment'>): SentParameter & Pick<Parameter, 'value'> {
  return { name, value, stored, ...(userClass !== undefined && { userClass }) }
}

/** The node at a full name. */
type Sent =
  | { readonly kind: 'group'; readonly described: RawGroup | undefined }
  | { readonly kind: 'leaf'; readonly leaf: RawLeaf }
  | {
      readonly kind: 'parameter'
      readonly stored: StoredValue
      readonly userClass: string | undefined
      readonly described: RawGroup | undefined
    }

/** The leaves of `config`, as nodes. */
export function configLeaves(config: readonly Omit<Parameter, 'value'>[]): RawLeaf[] {
  return config.map((parameter) => rawParameter(`config.${parameter.name}`, parameter))
}

/** A parameter as a leaf. */
export function rawParameter(
  location: string,
  { comment, stored, annotations = [], userClass }: Omit<Parameter, 'name' | 'value'>,
): RawLeaf {
  return {
    location,
    kind: 'parameter',
    comment,
    ...(annotations.length > 0 && {
      annotations: annotations.map((field) => ({ name: field.name, value: rawValue(field.value) })),
    }),
    ...(userClass !== undefined && { userClass }),
    items: [{ name: 'data', value: rawValue(stored) }],
  }
}

/** Parameters with more than a value. */
export function describedParameters(parameters: readonly Omit<Parameter, 'value'>[]): RawGroup[] {
  return parameters
    .filter(({ comment, annotations = [] }) => comment !== '' || annotations.length > 0)
    .map(({ name, comment, annotations = [] }) => ({
      location: name,
      comment,
      annotations: annotations.map((field) => ({ name: field.name, value: rawValue(field.value) })),
    }))
}

/**
 * Reads what was sent. Nodes, items and annotations come in alphabetical order, like in files, so a job that runs later
 * from the file finds the same order. Each read returns new values: changes that a run makes to an array stay in the run.
 */
export class SentNodes implements NodeSource {
  readonly #sent = new Map<string, Sent>()
  readonly #entries = new Map<string, SourceEntry[]>([['', []]])

  constructor(parameters: readonly SentParameter[], nodes: RunNodes) {
    for (const branch of ['config', 'parameters', 'derived_parameters', 'results']) this.#group(branch)
    for (const described of nodes.groups) {
      this.#group(described.location)
      this.#sent.set(described.location, { kind: 'group', described })
    }
    const descriptions = new Map(nodes.described.map((described) => [described.location, described]))
    for (const { name, stored, userClass } of parameters) {
      const described = descriptions.get(name)
      this.#put(parameterLocation(name), { kind: 'parameter', stored, userClass, described })
    }
    for (const leaf of nodes.leaves) this.#put(leaf.location, { kind: 'leaf', leaf })
    for (const { location, target } of nodes.links) this.#enter(location, target)
    for (const entries of this.#entries.values()) entries.sort(byName)
  }

  entries(fullName: string): readonly SourceEntry[] | undefined {
    return this.#entries.get(fullName)
  }

  head(fullName: string): NodeHead | undefined {
    const sent = this.#sent.get(fullName)
    if (sent === undefined) return undefined
    const described = sent.kind === 'leaf' ? sent.leaf : sent.described
    return {
      kind: sent.kind === 'group' ? 'group' : 'leaf',
      comment: described?.comment ?? '',
      className: classNameOf(sent),
      userClass:
        sent.kind === 'group' ? undefined : sent.kind === 'leaf' ? sent.leaf.userClass : sent.userClass,
      annotations: storedFields(described?.annotations ?? []),
    }
  }

  items(fullName: string, _className: string, wants: (item: string) => boolean): readonly StoredField[] {
    const sent = this.#sent.get(fullName)
    return sent?.kind === 'leaf' ? storedFields(sent.leaf.items.filter(({ name }) => wants(name))) : []
  }

  parameter(fullName: string): {
    readonly value: StoredValue | undefined
    readonly range: ParameterRange | undefined
  } {
    const sent = this.#sent.get(fullName)
    if (sent?.kind === 'parameter') return { value: ownCopy(sent.stored), range: undefined }
    const [data] = this.items(fullName, '', () => true)
    return { value: data?.value, range: undefined }
  }

  /** A leaf with its data. Undefined for a parameter, or if the data was too large to send. */
  leaf(fullName: string): RawLeaf | undefined {
    const sent = this.#sent.get(fullName)
    return sent?.kind === 'leaf' && sent.leaf.items.length > 0 ? sent.leaf : undefined
  }

  #put(fullName: string, sent: Sent): void {
    if (!this.#sent.has(fullName)) this.#enter(fullName, undefined)
    this.#sent.set(fullName, sent)
  }

  #group(fullName: string): void {
    if (this.#sent.has(fullName)) return
    this.#put(fullName, { kind: 'group', described: undefined })
    this.#entries.set(fullName, [])
  }

  /** Adds an entry to the group above, which is made if necessary. */
  #enter(fullName: string, target: string | undefined): void {
    const dot = fullName.lastIndexOf('.')
    const above = fullName.slice(0, Math.max(0, dot))
    if (above !== '') this.#group(above)
    this.#entries.get(above)?.push({ name: fullName.slice(dot + 1), target })
  }
}

function classNameOf(sent: Sent): string {
  if (sent.kind === 'group') return ''
  if (sent.kind === 'parameter' || sent.leaf.kind === 'parameter') return 'Parameter'
  return sent.leaf.items.some(({ value }) => value.form === 'sparse') ? 'SparseResult' : 'Result'
}

function storedFields(fields: RawLeaf['items']): StoredField[] {
  return fields.map(({ name, value }) => ({ name, value: receivedValue(value) })).sort(byName)
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

/** Copies the value, since all runs of a worker share one description of a parameter. */
function ownCopy(stored: StoredValue): StoredValue {
  return stored.form === 'scalar' ? stored : structuredClone(stored)
}
