/** The numbers that commands end with, apart from who chooses them: the first file of a command needs no more. */

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
