/** What a job is called with behind `traj`: the same in every run, or a list for each. */
import { deserialize, serialize } from 'node:v8'
import { PypetError } from '../errors.ts'
import type { Continuation } from '../protocol.ts'

export interface JobArguments {
  /** Of all runs. */
  readonly common: readonly unknown[]
  /** Of each run, by its index; instead of those of all. */
  readonly each?: readonly (readonly unknown[])[]
}

/**
 * Checks that arguments can be sent to workers, and be kept for `continue`.
 *
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED`
 */
export function jobArguments(given: JobArguments): JobArguments {
  try {
    serialize(given.common)
    if (given.each !== undefined) serialize(given.each)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new PypetError('PYPET_VALUE_UNSUPPORTED', `the arguments of the job cannot be kept: ${found}`, {
      where: 'arguments',
      hint: 'Give plain values and arrays. Functions belong into the job module.',
      cause,
    })
  }
  return given
}

/** As the `.cnt` file keeps them. */
export function recordArguments({ common, each }: JobArguments): Pick<Continuation, 'args' | 'runArgs'> {
  return {
    ...(common.length > 0 && { args: new Uint8Array(serialize(common)) }),
    ...(each !== undefined && { runArgs: new Uint8Array(serialize(each)) }),
  }
}

/**
 * What `recordArguments` has kept. Nothing in it is executed.
 *
 * @throws Error for bytes that are none of it
 */
export function readArguments({ args, runArgs }: Pick<Continuation, 'args' | 'runArgs'>): JobArguments {
  const each = runArgs === undefined ? undefined : listIn(runArgs)
  if (each?.every(Array.isArray) === false) throw new Error('expected a list for each run')
  return {
    common: args === undefined ? [] : listIn(args),
    ...(each !== undefined && { each: each as unknown[][] }),
  }
}

function listIn(bytes: Uint8Array): unknown[] {
  const list: unknown = deserialize(bytes)
  if (!Array.isArray(list)) throw new Error('expected a list')
  return list
}
