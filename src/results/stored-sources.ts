/** The files of a job that an environment has stored. */
import { type ConfigLeaves, textIn } from './config-leaves.ts'

export interface StoredSource {
  /** Relative to the repository, or to the folder of the job. */
  readonly path: string
  readonly text: string
}

/** The key of the module of the job, whatever its path. */
const JOB = ''

/**
 * The source and config files of the job by their paths, and the job itself. Empty if there are none, or if they are
 * damaged.
 */
export function storedSources(leaves: ConfigLeaves): ReadonlyMap<string, StoredSource> {
  const sources = new Map<string, StoredSource>()
  const job = textIn(leaves, 'provenance.job')
  const contents = bytesIn(leaves, 'provenance.contents')
  // Files do not overlap. A list of many that do would fill the memory.
  let room = contents.length
  for (const { kind, path, offset, bytes } of entriesIn(textIn(leaves, 'provenance.files') ?? '')) {
    if (kind === 'untracked' || typeof path !== 'string') continue
    if (!isPosition(offset) || !isPosition(bytes) || offset + bytes > contents.length) continue
    room -= bytes
    if (room < 0) break
    const text = Buffer.from(contents.subarray(offset, offset + bytes)).toString()
    const name = Buffer.from(path, 'base64').toString()
    sources.set(name === job ? JOB : name, { path: name, text })
  }
  return sources
}

/** The list is text from a file that may come from anyone. */
function entriesIn(json: string): Readonly<Record<string, unknown>>[] {
  try {
    const entries: unknown = JSON.parse(json)
    if (!Array.isArray(entries)) return []
    return entries.filter((entry) => typeof entry === 'object' && entry !== null)
  } catch {
    return []
  }
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function bytesIn(leaves: ConfigLeaves, name: string): Uint8Array {
  const value = leaves.get(name)
  return value?.form === 'ndarray' && value.data instanceof Uint8Array ? value.data : new Uint8Array()
}
