/** Names of log files and folders with pypet's wildcards (pypet `pypetlogging.py`). */
import { runName, runSetName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'

/** The meaning of each wildcard, in the order of messages. */
export const LOG_WILDCARDS = {
  $env: 'the environment',
  $traj: 'the trajectory',
  $run: 'the run',
  $set: 'the set of a thousand runs',
  $proc: 'the worker',
  $host: 'the machine',
} as const

export type LogWildcard = keyof typeof LOG_WILDCARDS

/** Wildcards that are the same for a whole experiment. Names of folders may contain them. */
export const FOLDER_WILDCARDS = ['$env', '$traj', '$host'] as const satisfies readonly LogWildcard[]

/** A dollar and all letters that follow: `$run` in `$run_a.txt`. */
const WILDCARD = /\$[A-Za-z]*/g

/** The wildcards of a name, known or not. */
export function wildcardsOf(name: string): readonly string[] {
  return name.match(WILDCARD) ?? []
}

/** Replaces wildcards by their values. A wildcard without a value stays as it is. */
export function fillLogName(name: string, values: { readonly [Name in LogWildcard]?: string }): string {
  return name.replace(WILDCARD, (found) => values[found as LogWildcard] ?? found)
}

/** `{ $run: 'run_00000012', $set: 'run_set_00000' }`. */
export function runWildcards(run: RunIndex): { readonly $run: string; readonly $set: string } {
  return { $run: runName(run), $set: runSetName(run) }
}
