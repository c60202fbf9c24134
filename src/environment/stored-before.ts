/** What a job asks main for: leaves that the file held when the runs began, and that were too large to be sent to every worker. */
import { toErrorRecord } from '../errors.ts'
import type { Settings } from '../experiment/options.ts'
import { encodeRunFrame } from '../run/run-frame.ts'
import type { StoredBefore } from '../run/stored-items.ts'

/** Answers with frames, so that workers need not know HDF5. The file is opened for an answer only. */
export function storedBefore({
  filename,
  name,
  useHdf5,
}: Pick<Settings, 'filename' | 'name' | 'useHdf5'>): StoredBefore {
  return useHdf5 ? storedInFile(filename, name) : async () => undefined
}

export function storedInFile(file: string, trajectory: string): StoredBefore {
  return async (fullName) => {
    try {
      const { readStoredLeaf } = await import('../reading/stored-leaf-record.ts')
      const leaf = await readStoredLeaf(file, trajectory, fullName)
      if (leaf === undefined) return undefined
      const pieces = encodeRunFrame({ run: 0, startTimestamp: 0, finishTimestamp: 0, leaves: [leaf] })
      // One buffer of its own: it is sent away.
      return { frame: new Uint8Array(Buffer.concat(pieces)) }
    } catch (error) {
      return { error: toErrorRecord(error) }
    }
  }
}
