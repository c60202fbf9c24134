import type { FailedRun } from '../journal/cnt-record.ts'
import type { RunFailure } from '../protocol.ts'

/** Length of an error's name and message in the `.cnt` file. The full texts are in the HDF5 file. */
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
