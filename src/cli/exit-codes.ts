/**
 * The exit codes of commands. Separate from the code that chooses them: the first file of a command needs only these.
 */

/** How `pypet-ts` ends; scripts rely on these. */
export const ExitCode = {
  /** Every run is stored. */
  OK: 0,
  /** pypet-ts itself, or the machine, failed. */
  FAILED: 1,
  /** The command, the config or the job is wrong; nothing was started. */
  WRONG: 2,
  /** Finished, but some runs failed, or the job raised an error after its run had ended. */
  RUNS_FAILED: 3,
  /** Interrupted by Ctrl-C: 128 plus the number of SIGINT, as in shells. */
  INTERRUPTED: 130,
  /** Ended by SIGTERM. */
  TERMINATED: 143,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
