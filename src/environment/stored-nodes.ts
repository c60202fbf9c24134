/** What a file holds of a trajectory besides parameters and runs. Jobs of `expand` and `verify` see it. */
import { isRunName } from '../names.ts'
import type { Extension } from '../protocol.ts'
import { exploredNames } from '../reading/explored-names.ts'
import { type Hdf5Reader, openHdf5Reader } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import type { RawGroup, RawLeaf } from '../run/run-frame.ts'
import type { LinkRecord } from '../run/run-record.ts'
import type { NodeHead } from '../tree/node-source.ts'
import { rawValue } from '../values/raw-value.ts'
import type { StoredField } from '../values/stored-value.ts'

type StoredNodes = Pick<Extension, 'groups' | 'leaves' | 'links'>

/**
 * Values are sent to every worker, needed or not. A leaf that would exceed this limit is listed without a value, so
 * that an experiment does not need more memory because its file holds large results.
 */
const BYTES_MAX = 268_435_456

/** @throws PypetError as `openHdf5Reader` */
export async function storedNodes(
  file: string,
  trajectory: string,
  {
    bytesMax = BYTES_MAX,
    shows = () => true,
  }: { readonly bytesMax?: number; readonly shows?: (location: string) => boolean } = {},
): Promise<StoredNodes> {
  using reader = await openHdf5Reader(file)
  const walk = new NodeWalk(reader, trajectory, { bytesMax, shows })
  walk.visit('')
  return walk
}

class NodeWalk implements StoredNodes {
  readonly groups: RawGroup[] = []
  readonly leaves: RawLeaf[] = []
  readonly links: LinkRecord[] = []
  readonly #reader: Hdf5Reader
  readonly #source: Hdf5Source
  readonly #root: string
  /** Full names. */
  readonly #explored: ReadonlySet<string>
  /** How many bytes of values may still be added. */
  #bytesLeft: number
  readonly #shows: (location: string) => boolean

  constructor(
    reader: Hdf5Reader,
    trajectory: string,
    given: { readonly bytesMax: number; readonly shows: (location: string) => boolean },
  ) {
    this.#bytesLeft = given.bytesMax
    this.#shows = given.shows
    this.#reader = reader
    this.#source = new Hdf5Source(reader, trajectory)
    this.#root = `/${trajectory}`
    this.#explored = new Set(exploredNames(reader, trajectory))
  }

  visit(group: string): void {
    for (const { name, target } of this.#source.entries(group) ?? []) {
      // Results of one run are not visible to others.
      if (isRunName(name)) continue
      const location = group === '' ? name : `${group}.${name}`
      if (target !== undefined) {
        const isOfRun = target.split('.').some((part) => isRunName(part))
        if (!isOfRun && this.#shows(location)) this.links.push({ location, target })
        continue
      }
      const head = this.#source.head(location)
      if (head === undefined) continue
      if (head.kind === 'leaf') {
        // Parameters, and what they explore, have already been read.
        const isParameter = location.startsWith('parameters.') || this.#explored.has(location)
        if (!isParameter && this.#shows(location)) this.leaves.push(this.#leaf(location, head))
      } else {
        if (this.#shows(location)) {
          this.groups.push({ location, comment: head.comment, annotations: rawFields(head.annotations) })
        }
        this.visit(location)
      }
    }
  }

  #leaf(location: string, head: NodeHead): RawLeaf {
    const isParameter = head.className.endsWith('Parameter')
    return {
      location,
      kind: isParameter ? 'parameter' : 'result',
      comment: head.comment,
      annotations: rawFields(head.annotations),
      ...(head.userClass !== undefined && { userClass: head.userClass }),
      items: rawFields(this.#items(location, head.className, isParameter)),
    }
  }

  #items(location: string, className: string, isParameter: boolean): readonly StoredField[] {
    const bytes = bytesBelow(this.#reader, `${this.#root}/${location.replaceAll('.', '/')}`)
    if (bytes > this.#bytesLeft) return []
    this.#bytesLeft -= bytes
    if (!isParameter) return this.#source.items(location, className, () => true)
    const { value } = this.#source.parameter(location, className)
    return value === undefined ? [] : [{ name: 'data', value }]
  }
}

/** Values that are only described, such as pickles, cannot be sent. */
function rawFields(fields: readonly StoredField[]): RawLeaf['items'] {
  return fields
    .filter(({ value }) => value.form !== 'unread')
    .map(({ name, value }) => ({ name, value: rawValue(value) }))
}

function bytesBelow(reader: Hdf5Reader, path: string): number {
  let sum = 0
  for (const child of reader.children(path)) {
    const inner = `${path}/${child}`
    const kind = reader.kind(inner)
    if (kind === 'group') sum += bytesBelow(reader, inner)
    else if (kind === 'dataset') {
      const { type, shape } = reader.form(inner)
      sum += (shape ?? [0]).reduce((count, size) => count * size, type.bytes)
    }
  }
  return sum
}
