/** The arguments a job receives after `traj`: the same for every run, or a list per run. */
import { deserialize, serialize } from 'node:v8'
import { PypetError } from '../errors.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Continuation } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'

export interface JobArguments {
  /** For all runs. */
  readonly common: readonly unknown[]
  /** For each run, by its index; replaces those of all. */
  readonly each?: readonly (readonly unknown[])[]
  /** The runs that `each` is for, ascending. Default: all. */
  readonly runs?: readonly RunIndex[]
  /** They exist only in this process and cannot be stored: the experiment must be continued from its script. */
  readonly bound?: BoundArguments
}

/** Why arguments cannot leave their process. */
interface BoundArguments {
  /** `arguments[0] is a SharedArrayBuffer`. */
  readonly found: string
  /** Where they can be used: threads share memory, but only the main thread has its functions. */
  readonly reach: 'threads' | 'main thread'
}

/** Determines whether arguments can be sent to workers and kept for `continue`. */
export function jobArguments(given: JobArguments): JobArguments {
  const bound = boundArguments(given)
  return bound === undefined ? given : { ...given, bound }
}

/**
 * @param where names the option that chose the executor
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` for arguments that cannot reach its workers
 */
export function assertReached({ bound }: JobArguments, executor: string, where: string): void {
  if (bound === undefined || executor === 'inline') return
  if (executor === 'pool' && bound.reach === 'threads') return
  const worker = executor === 'pool' ? 'threads' : 'processes'
  throw new PypetError(
    'PYPET_VALUE_UNSUPPORTED',
    `the arguments of the job cannot be sent to ${worker}: ${bound.found}, and ${where} is ${executor}`,
    {
      where: 'arguments',
      hint:
        bound.reach === 'threads'
          ? 'Run on threads, which share it: executor pool, or inline.'
          : 'Define it in the job module, or run in the main thread: executor inline.',
    },
  )
}

/** The arguments as the `.cnt` file keeps them, or why it cannot keep them and which script has them. */
export function recordArguments({
  common,
  each,
  runs,
  bound,
}: JobArguments): Pick<Continuation, 'args' | 'runArgs' | 'argsOfScript'> {
  if (bound !== undefined) {
    const ofRuns = runs === undefined ? {} : { runs: RunSet.of(runs).toRanges() }
    return { argsOfScript: { script: process.argv[1] ?? '[eval]', found: bound.found, ...ofRuns } }
  }
  return {
    ...(common.length > 0 && { args: new Uint8Array(serialize(common)) }),
    ...(each !== undefined && { runArgs: new Uint8Array(serialize(each)) }),
  }
}

/**
 * Reads what `recordArguments` has kept. Executes nothing in it.
 *
 * @param path of the `.cnt` file
 * @param hint how to pass those that it could not keep
 * @throws PypetError `PYPET_USAGE` if it could not keep them
 * @throws Error for bytes that do not hold arguments
 */
export function readArguments(
  { args, runArgs, argsOfScript }: Pick<Continuation, 'args' | 'runArgs' | 'argsOfScript'>,
  path: string,
  hint: string,
): JobArguments {
  if (argsOfScript !== undefined) {
    const { script, found } = argsOfScript
    throw new PypetError(
      'PYPET_USAGE',
      `${path} does not hold the arguments of its job: ${found}, and only the script ${script} has it`,
      { where: path, hint },
    )
  }
  const each = runArgs === undefined ? undefined : listIn(runArgs)
  if (each?.every(Array.isArray) === false) throw new Error('expected a list for each run')
  return {
    common: args === undefined ? [] : listIn(args),
    ...(each !== undefined && { each: each as unknown[][] }),
  }
}

function boundArguments({ common, each = [] }: JobArguments): BoundArguments | undefined {
  const places: Places = { function: undefined, memory: undefined }
  const seen = new Set<object>()
  for (const list of [common, ...each]) find(list, 'arguments', places, seen)
  if (places.function !== undefined)
    return { found: `${places.function} is a function`, reach: 'main thread' }
  const found = places.memory ?? uncloneable([common, each])
  if (found === undefined) return undefined
  return places.memory === undefined
    ? { found, reach: 'main thread' }
    : { found: `${found} is a SharedArrayBuffer`, reach: 'threads' }
}

/** Why it cannot be copied, in Node's words; undefined if it can. */
function uncloneable(value: unknown): string | undefined {
  try {
    serialize(value)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

interface Places {
  function: string | undefined
  memory: string | undefined
}

/** Finds the first function and the first shared memory. Copying reports the former, but silently copies the latter. */
function find(value: unknown, at: string, places: Places, seen: Set<object>): void {
  if (typeof value === 'function') places.function ??= at
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const memory = ArrayBuffer.isView(value) ? value.buffer : value
  if (memory instanceof SharedArrayBuffer) places.memory ??= at
  if (ArrayBuffer.isView(value)) return
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) find(value[index], `${at}[${index}]`, places, seen)
  } else if (value instanceof Map || value instanceof Set) {
    for (const entry of value.values()) find(entry, `a value of ${at}`, places, seen)
  } else {
    for (const [name, entry] of Object.entries(value)) find(entry, `${at}.${name}`, places, seen)
  }
}

function listIn(bytes: Uint8Array): unknown[] {
  const list: unknown = deserialize(bytes)
  if (!Array.isArray(list)) throw new Error('expected a list')
  return list
}
