/** What a job is called with behind `traj`: the same in every run, or a list for each. */
import { deserialize, serialize } from 'node:v8'
import { PypetError } from '../errors.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Continuation } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'

export interface JobArguments {
  /** Of all runs. */
  readonly common: readonly unknown[]
  /** Of each run, by its index; instead of those of all. */
  readonly each?: readonly (readonly unknown[])[]
  /** Which runs those are for, ascending; all unless given. */
  readonly runs?: readonly RunIndex[]
  /** They live in this process, and no file keeps them: the experiment is continued from its script. */
  readonly bound?: BoundArguments
}

/** Why arguments cannot leave their process. */
interface BoundArguments {
  /** `arguments[0] is a SharedArrayBuffer`. */
  readonly found: string
  /** Where they can be used: threads share memory, and nothing else has the functions of the main thread. */
  readonly reach: 'threads' | 'main thread'
}

/** Says of arguments whether they can be sent to workers, and be kept for `continue`. */
export function jobArguments(given: JobArguments): JobArguments {
  const bound = boundArguments(given)
  return bound === undefined ? given : { ...given, bound }
}

/**
 * @param where names the option that chose the executor
 * @throws PypetError `PYPET_VALUE_UNSUPPORTED` for arguments that its workers cannot have
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
          ? 'Perform the runs on threads, which share it: executor pool, or inline.'
          : 'Let the job module have it, or perform the runs in the main thread: executor inline.',
    },
  )
}

/** As the `.cnt` file keeps them; of those that it cannot keep, why not, and where they come from. */
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
 * What `recordArguments` has kept. Nothing in it is executed.
 *
 * @param path of the `.cnt` file
 * @param hint how to give those that it could not keep
 * @throws PypetError `PYPET_USAGE` where it could not keep them
 * @throws Error for bytes that are none of it
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
      `${path} cannot have the arguments of its job: ${found}, and only the script ${script} has it`,
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

/** Why it cannot be copied, in Node's words; undefined where it can. */
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

/** Where the first function and the first shared memory are. Copying would tell of the one, and copy the other in silence. */
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
