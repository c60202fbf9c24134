import { type ErrorCode, isPypetError } from '../errors.ts'

/** How `pypet-ts` ends; scripts rely on these. */
export const ExitCode = {
  /** Every run is stored. */
  OK: 0,
  /** pypet-ts itself, or the machine, failed. */
  FAILED: 1,
  /** The command, the config or the job is wrong; nothing was started. */
  WRONG: 2,
  /** Finished, but some runs failed, or something of the job did when its run had ended. */
  RUNS_FAILED: 3,
  /** Interrupted by Ctrl-C: 128 and the number of SIGINT, as shells have it. */
  INTERRUPTED: 130,
  /** Ended by SIGTERM. */
  TERMINATED: 143,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The exit code for an error: by its code when it is ours, `FAILED` for anything else. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isPypetError(error)) return ExitCode.FAILED
  if (error.code === 'PYPET_SYSTEM_FAILED' && isOfPath(error.cause)) return ExitCode.WRONG
  // A record from another process may carry a code that this version does not know.
  return EXIT_CODES[error.code] ?? ExitCode.FAILED
}

/** The user has named something that leads nowhere, or where this user may not go. */
function isOfPath(cause: unknown): boolean {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  return ['EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENOTDIR', 'EISDIR'].includes(code ?? '')
}

/** Names every code, so that a new one does not compile before somebody has decided. */
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
