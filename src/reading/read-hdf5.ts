import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError } from '../errors.ts'
import { fileChanging } from '../hdf5/read-errors.ts'
import { type Hdf5Reader, openHdf5Reader } from './reader.ts'

/** Pages are overwritten at most a few times a second, so one of these attempts succeeds. */
const ATTEMPTS_MAX = 8
/** Before the second attempt. Doubled for each further one. */
const REST_MS = 5

/**
 * Reads from a file that may be written at the same time: `read` sees only one commit. If the writer has moved on
 * meanwhile, which happens if locks do not work, `read` is called again. So it should have no side effects.
 *
 * @throws as `openHdf5Reader` and `read`. PypetError `PYPET_FILE_CHANGING` if the writer is always faster.
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
 * The same if `read` opens the file itself, and may keep it open. It is called again after `PYPET_FILE_CHANGING`.
 *
 * @throws what `read` throws, in the end also `PYPET_FILE_CHANGING`
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
 * The same for synchronous callers that keep the file open. The whole thread sleeps between two attempts.
 *
 * @param file.hasChanged whether the data or the error may come from a mixture of commits. Then it is dropped.
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

/** Nobody notifies it. */
const REST = new Int32Array(new SharedArrayBuffer(4))

/** Undefined if the file has changed meanwhile. */
async function readOnce<Value>(
  file: string,
  read: (reader: Hdf5Reader) => Value,
): Promise<(() => Value) | undefined> {
  try {
    using reader = await openHdf5Reader(file)
    const outcome = outcomeOf(() => read(reader))
    // Checked at the end, also after an error, which may come from a mixture of commits.
    return reader.hasChanged ? undefined : outcome
  } catch (error) {
    if (isPypetError(error, 'PYPET_FILE_CHANGING')) return undefined
    throw error
  }
}

/** What a function returns or throws, for later. */
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
