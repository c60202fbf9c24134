import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError } from '../errors.ts'
import { fileChanging } from '../hdf5/read-errors.ts'
import { type Hdf5Reader, openHdf5Reader } from './reader.ts'

/** Pages are overwritten a few times a second at most, so one of these gets its time. */
const ATTEMPTS_MAX = 8
/** Before the second attempt; doubled for each further one. */
const REST_MS = 5

/**
 * Reads from a file that may be written at the same time: all that `read` sees is of one commit. It is called again
 * when the writer has moved on meanwhile, which happens where locks do not work; so it should do nothing but read.
 *
 * @throws as `openHdf5Reader` and `read`; PypetError `PYPET_FILE_CHANGING` when the writer is always faster
 */
export async function readHdf5<Value>(file: string, read: (reader: Hdf5Reader) => Value): Promise<Value> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const outcome = await readOnce(file, read)
    if (outcome !== undefined) return outcome()
    await delay(REST_MS * 2 ** (attempt - 1))
  }
  throw fileChanging(file)
}

/**
 * The same for what opens the file by itself, and may keep it open: it is called again after `PYPET_FILE_CHANGING`.
 *
 * @throws what `read` throws, at last also `PYPET_FILE_CHANGING`
 */
export async function whileUnchanged<Value>(read: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read()
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isPypetError(error, 'PYPET_FILE_CHANGING')) throw error
      await delay(REST_MS * 2 ** (attempt - 1))
    }
  }
}

/**
 * The same for who cannot wait, and keeps the file open: between two attempts the whole thread rests.
 *
 * @param file.hasChanged whether what was read, or the error that came of it, may be of a mixture; then it is let go
 */
export function whileUnchangedNow<Value>(
  file: { readonly path: string; readonly hasChanged: () => boolean; readonly letGo: () => void },
  read: () => Value,
): Value {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const outcome = outcomeOf(read)
    if (!file.hasChanged()) {
      try {
        return outcome()
      } catch (error) {
        if (!isPypetError(error, 'PYPET_FILE_CHANGING')) throw error
      }
    }
    file.letGo()
    Atomics.wait(REST, 0, 0, REST_MS * 2 ** (attempt - 1))
  }
  throw fileChanging(file.path)
}

/** Nobody wakes who rests on it. */
const REST = new Int32Array(new SharedArrayBuffer(4))

/** Undefined when the file has changed meanwhile. */
async function readOnce<Value>(
  file: string,
  read: (reader: Hdf5Reader) => Value,
): Promise<(() => Value) | undefined> {
  try {
    using reader = await openHdf5Reader(file)
    const outcome = outcomeOf(() => read(reader))
    // Asked at the end, also for an error, which may come from reading a mixture.
    return reader.hasChanged ? undefined : outcome
  } catch (error) {
    if (isPypetError(error, 'PYPET_FILE_CHANGING')) return undefined
    throw error
  }
}

/** What a function returns or throws, to be had later. */
function outcomeOf<Value>(work: () => Value): () => Value {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}
