/**
 * What the trajectory holds when the runs begin, packed for workers: a text that says what there is, and the bytes of all
 * numbers. Threads share the bytes, so that what a script has added is in memory twice, however many threads there are.
 * Processes find them in a file.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { NodesInFile, PackedNodes } from '../protocol.ts'
import { decodeValue, type EncodedValue, encodeValue } from '../run/run-frame.ts'
import type { RunNodes } from '../tree/run-nodes.ts'
import type { RawField } from '../values/raw-value.ts'

/** @param isShared for threads; a process gets bytes of its own */
export function packNodes(nodes: RunNodes, { isShared }: { readonly isShared: boolean }): PackedNodes {
  const pieces: Uint8Array[] = []
  const fields = (given: readonly RawField[] = []) =>
    given.map(({ name, value }) => ({ name, value: encodeValue(value, pieces) }))
  const { groups, leaves, links, described, ...settings } = nodes
  const text = JSON.stringify({
    ...settings,
    links,
    groups: groups.map((group) => ({ ...group, annotations: fields(group.annotations) })),
    described: described.map((group) => ({ ...group, annotations: fields(group.annotations) })),
    leaves: leaves.map(({ annotations, items, ...leaf }) => ({
      ...leaf,
      annotations: fields(annotations),
      items: fields(items),
    })),
  })
  const size = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const bytes = new Uint8Array(isShared ? new SharedArrayBuffer(size) : new ArrayBuffer(size))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.byteLength
  }
  return { text, bytes, ...(nodes.noClobber !== undefined && { noClobber: nodes.noClobber }) }
}

/** @throws the system's error, unchanged */
export function writeNodes({ text, bytes, noClobber }: PackedNodes, file: string): NodesInFile {
  const head = Buffer.from(text)
  writeFileSync(file, head, { mode: 0o600 })
  appendFileSync(file, bytes)
  return { file, textBytes: head.byteLength, ...(noClobber !== undefined && { noClobber }) }
}

function readNodes({ file, textBytes }: NodesInFile): PackedNodes {
  const content = readFileSync(file)
  return { text: content.toString('utf8', 0, textBytes), bytes: content.subarray(textBytes) }
}

/** The values are views of the packed bytes, which must not be written to. */
export function unpackNodes(sent: PackedNodes | NodesInFile): RunNodes {
  const { text, bytes } = 'file' in sent ? readNodes(sent) : sent
  let offset = 0
  const take = (byteCount: number): Uint8Array => {
    const piece = bytes.subarray(offset, offset + byteCount)
    offset += byteCount
    return piece
  }
  const fields = (given: readonly EncodedField[]): RawField[] =>
    given.map(({ name, value }) => ({ name, value: decodeValue(value, take) }))
  const { groups, leaves, described, ...rest }: Packed = JSON.parse(text)
  return {
    ...rest,
    groups: groups.map((group) => ({ ...group, annotations: fields(group.annotations) })),
    described: described.map((group) => ({ ...group, annotations: fields(group.annotations) })),
    leaves: leaves.map(({ annotations, items, ...leaf }) => ({
      ...leaf,
      annotations: fields(annotations),
      items: fields(items),
    })),
  }
}

interface EncodedField {
  readonly name: string
  readonly value: EncodedValue
}

type Encoded<Node extends { readonly annotations?: unknown }> = Omit<Node, 'annotations' | 'items'> & {
  readonly annotations: readonly EncodedField[]
}

interface Packed extends Omit<RunNodes, 'groups' | 'leaves' | 'described'> {
  readonly groups: readonly Encoded<RunNodes['groups'][number]>[]
  readonly described: readonly Encoded<RunNodes['described'][number]>[]
  readonly leaves: readonly (Encoded<RunNodes['leaves'][number]> & {
    readonly items: readonly EncodedField[]
  })[]
}
