import { type ErrorCode, isPypetError } from '../errors.ts'
import { ExitCode } from './exit-codes.ts'

export { ExitCode }

/** The exit code for an error: by its code for errors of pypet-ts, `FAILED` for anything else. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isPypetError(error)) return ExitCode.FAILED
  if (error.code === 'PYPET_SYSTEM_FAILED' && isOfPath(error.cause)) return ExitCode.WRONG
  // A record from another process may have a code that this version does not know.
  return EXIT_CODES[error.code] ?? ExitCode.FAILED
}

/** The path that the user named does not exist, or this user may not access it. */
function isOfPath(cause: unknown): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  return ['EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENOTDIR', 'EISDIR'].includes(code ?? '')
}

/** Lists every code, so that a new one does not compile until someone decides. */
const EXIT_CODES: Readonly<Record<ErrorCode, ExitCode>> = {
  PYPET_JOB_NOT_FOUND: ExitCode.WRONG,
  PYPET_JOB_NOT_LOADABLE: ExitCode.WRONG,
  PYPET_JOB_NO_FUNCTION: ExitCode.WRONG,
  PYPET_JOB_CHANGED: ExitCode.WRONG,
  PYPET_USAGE: ExitCode.WRONG,
  PYPET_CONFIG_NOT_FOUND: ExitCode.WRONG,
  PYPET_CONFIG_NOT_LOADABLE: ExitCode.WRONG,
  PYPET_CONFIG_UNKNOWN_KEY: ExitCode.WRONG,
  PYPET_CONFIG_INVALID: ExitCode.WRONG,
  PYPET_PARAMETER_UNKNOWN: ExitCode.WRONG,
  PYPET_PARAMETER_TYPE: ExitCode.WRONG,
  PYPET_EXPLORATION_LENGTH: ExitCode.WRONG,
  PYPET_EXPLORATION_EMPTY: ExitCode.WRONG,
  PYPET_EXPLORATION_INVALID: ExitCode.WRONG,
  PYPET_NAME_ILLEGAL: ExitCode.WRONG,
  PYPET_NAME_AMBIGUOUS: ExitCode.WRONG,
  PYPET_NODE_NOT_FOUND: ExitCode.WRONG,
  PYPET_ITEM_NOT_FOUND: ExitCode.WRONG,
  PYPET_GROUP_NOT_EMPTY: ExitCode.WRONG,
  PYPET_DATA_NOT_STORED: ExitCode.WRONG,
  PYPET_CLASS_UNKNOWN: ExitCode.WRONG,
  PYPET_DATA_NOT_LOADED: ExitCode.WRONG,
  PYPET_PARAMETER_LOCKED: ExitCode.WRONG,
  PYPET_PRESET_UNUSED: ExitCode.WRONG,
  PYPET_RUN_UNKNOWN: ExitCode.WRONG,
  PYPET_WILDCARD_UNKNOWN: ExitCode.WRONG,
  PYPET_TRAJECTORY_STORED: ExitCode.WRONG,
  PYPET_TRAJECTORY_NEWER: ExitCode.WRONG,
  PYPET_MERGE_IMPOSSIBLE: ExitCode.WRONG,
  PYPET_NAME_TAKEN: ExitCode.WRONG,
  PYPET_VALUE_UNSUPPORTED: ExitCode.WRONG,
  PYPET_FILE_NOT_FOUND: ExitCode.WRONG,
  PYPET_FILE_NOT_WRITABLE: ExitCode.WRONG,
  PYPET_FILE_NOT_HDF5: ExitCode.WRONG,
  PYPET_FILE_NO_TRAJECTORY: ExitCode.WRONG,
  PYPET_TRAJECTORY_EXISTS: ExitCode.WRONG,
  PYPET_TRAJECTORY_NOT_FOUND: ExitCode.WRONG,
  PYPET_COLUMN_UNKNOWN: ExitCode.WRONG,
  PYPET_EXPRESSION_INVALID: ExitCode.WRONG,
  PYPET_TRAJECTORY_CHANGED: ExitCode.WRONG,
  PYPET_CNT_NOT_FOUND: ExitCode.WRONG,
  PYPET_CNT_SEVERAL: ExitCode.WRONG,
  PYPET_CNT_EXISTS: ExitCode.WRONG,
  PYPET_CNT_NOT_CNT: ExitCode.WRONG,
  PYPET_CNT_NEWER: ExitCode.WRONG,
  PYPET_CNT_DAMAGED: ExitCode.WRONG,
  PYPET_CNT_FILE_MISMATCH: ExitCode.WRONG,
  PYPET_FILE_LOCKED: ExitCode.WRONG,
  PYPET_FILE_LOCKED_ELSEWHERE: ExitCode.WRONG,
  PYPET_GIT_DIRTY: ExitCode.WRONG,
  PYPET_PROVENANCE_NONE: ExitCode.WRONG,
  PYPET_RESTORE_REFUSED: ExitCode.WRONG,
  PYPET_RUN_ENDED: ExitCode.RUNS_FAILED,
  PYPET_POSTPROCESSING_FAILED: ExitCode.RUNS_FAILED,
  PYPET_MEMORY_LIMIT: ExitCode.RUNS_FAILED,
  PYPET_STORAGE_FAILED: ExitCode.FAILED,
  PYPET_SYSTEM_FAILED: ExitCode.FAILED,
  PYPET_STORAGE_SERVICE_FAILED: ExitCode.FAILED,
  PYPET_LOG_TRANSPORT_FAILED: ExitCode.FAILED,
  PYPET_FILE_CHANGING: ExitCode.FAILED,
  PYPET_FILE_MOVED: ExitCode.FAILED,
  PYPET_WRITER_DIED: ExitCode.FAILED,
  PYPET_EXECUTOR_FAILED: ExitCode.FAILED,
}
