/**
 * Files that scripts of this process keep open for reading. Whoever changes one is not kept waiting by them, and what
 * they remember of it would be wrong afterwards: so they are asked to let it go, and open it again when it is read next.
 */
import { identityAt } from './file-identity.ts'
import { realFileOf } from './real-file.ts'

/** Whoever keeps a file open, and can do without. */
export interface IdleReader {
  /** Lets the file go. Called while nothing is being read. */
  release(): void
}

interface Held {
  readonly real: string
  readonly identity: string | undefined
  readonly reader: IdleReader
}

const held = new Set<Held>()
/** Real files that an experiment of this process is writing, and how many do. */
const written = new Map<string, number>()

/** Call it when a file has been opened; what it gives, when it is closed. */
export function holdReader(file: string, reader: IdleReader): () => void {
  const real = realFileOf(file)
  const entry: Held = { real, identity: identityAt(real), reader }
  held.add(entry)
  // Its writer would wait for it at the end.
  if (written.has(real)) setImmediate(() => void (held.has(entry) && reader.release()))
  return () => void held.delete(entry)
}

/** Before this process changes a file, and after it has, whatever the file is called. */
export function releaseReaders(file: string): void {
  if (held.size === 0) return
  const real = realFileOf(file)
  const identity = identityAt(real)
  for (const entry of [...held]) {
    const isSame = entry.real === real || (identity !== undefined && entry.identity === identity)
    if (isSame) entry.reader.release()
  }
}

/** For as long as an experiment of this process writes a file, readers keep it open for a moment only. */
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
