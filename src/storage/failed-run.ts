import type { FailedRun } from '../journal/cnt-record.ts'
import type { RunFailure } from '../protocol.ts'

/** Characters of an error's name and of its message that the `.cnt` file keeps; the rest is in the HDF5 file. */
const ERROR_LENGTH_MAX = 200

/** What the `.cnt` file keeps of a failure. */
export function failedRun({
  run,
  error: { name, message },
  attempts,
  startTimestamp,
  finishTimestamp,
}: RunFailure): FailedRun {
  const error = { name: name.slice(0, ERROR_LENGTH_MAX), message: message.slice(0, ERROR_LENGTH_MAX) }
  return { run, error, attempts, startTimestamp, finishTimestamp }
}
