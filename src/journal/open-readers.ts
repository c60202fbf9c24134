/**
 * Files that scripts in this process keep open for reading. They must not delay a change of the file, and would
 * remember outdated data after it. So they are asked to release the file, and open it again at the next read.
 */
import { identityAt } from './file-identity.ts'
import { realFileOf } from './real-file.ts'

/** A reader that keeps a file open, but can release it. */
export interface IdleReader {
  /** Releases the file. Called while nothing is being read. */
  release(): void
}

interface Held {
  readonly real: string
  readonly identity: string | undefined
  readonly reader: IdleReader
}

const held = new Set<Held>()
/** Real files that experiments of this process are writing, with the number of those experiments. */
const written = new Map<string, number>()

/** Call this when a file was opened. Call the returned function when it is closed. */
export function holdReader(file: string, reader: IdleReader): () => void {
  const real = realFileOf(file)
  const entry: Held = { real, identity: identityAt(real), reader }
  held.add(entry)
  // Otherwise its writer would wait for it at the end.
  if (written.has(real)) setImmediate(() => void (held.has(entry) && reader.release()))
  return () => void held.delete(entry)
}

/** Call this before and after this process changes a file, under any of its names. */
export function releaseReaders(file: string): void {
  if (held.size === 0) return
  const real = realFileOf(file)
  const identity = identityAt(real)
  for (const entry of [...held]) {
    const isSame = entry.real === real || (identity !== undefined && entry.identity === identity)
    if (isSame) entry.reader.release()
  }
}

/** While an experiment of this process writes a file, readers only open it briefly. */
export function releaseWhileWritten(file: string): Disposable {
  const real = realFileOf(file)
  written.set(real, (written.get(real) ?? 0) + 1)
  releaseReaders(file)
  return {
    [Symbol.dispose]() {
      const count = (written.get(real) ?? 1) - 1
      if (count > 0) written.set(real, count)
      else written.delete(real)
      releaseReaders(file)
    },
  }
}
