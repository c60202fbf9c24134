/** Why the process of a run is gone, in words that say where to look. */
import { type ErrorRecord, PypetError, toErrorRecord } from '../errors.ts'

export interface ProcessDeath {
  /** The exit code; null where a signal has ended it, or where it has never run. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of what it has printed. */
  readonly stderr: string
  /** Why it could not be started. */
  readonly cause?: Error | undefined
  /** What it had been killed for, where that was our doing. */
  readonly killedFor?: ErrorRecord | undefined
  /** In MB; 0 for none. */
  readonly memoryLimit: number
}

/** The error of a run whose process is gone. */
export function deathOfRun(death: ProcessDeath): ErrorRecord {
  if (death.killedFor !== undefined) return death.killedFor
  const message = `the process performing the run ${howItEnded(death)}`
  if (isHeapFull(death) && death.memoryLimit > 0) {
    return withoutStack(
      new PypetError(
        'PYPET_MEMORY_LIMIT',
        `${message}: its JavaScript heap would have taken more than the ${death.memoryLimit} MB that the process may (--memory-limit)`,
        { hint: LIMIT_HINT },
      ),
    )
  }
  return withoutStack(new PypetError('PYPET_EXECUTOR_FAILED', message, { hint: whereToLook(death) }))
}

/** The error of an executor whose processes end as they are started. */
export function deathAtStart(death: ProcessDeath): PypetError {
  if (death.killedFor !== undefined) {
    const { message, hint } = death.killedFor
    return new PypetError('PYPET_EXECUTOR_FAILED', `a process ended as it was started: ${message}`, { hint })
  }
  const printed = death.stderr.trim()
  const words = printed === '' ? '' : `:\n${printed}`
  return new PypetError(
    'PYPET_EXECUTOR_FAILED',
    `a process ended as it was started: it ${howItEnded(death)}${words}`,
    {
      hint: 'Does the job end its process while it is loaded? Are there enough memory and processes for --ncores?',
      cause: death.cause,
    },
  )
}

/** The error of a run that took too much memory, and of its process, which is killed for it. */
export function memoryExceeded(what: string, usedBytes: number, memoryLimit: number): ErrorRecord {
  const used = Math.ceil(usedBytes / 2 ** 20)
  const message = `${what} took ${used} MB, more than the ${memoryLimit} MB that it may (--memory-limit)`
  return withoutStack(new PypetError('PYPET_MEMORY_LIMIT', message, { hint: LIMIT_HINT }))
}

const LIMIT_HINT =
  'Raise --memory-limit, or let the job keep less in memory at once; a process takes about 50 MB by itself.'

/** `was ended by SIGSEGV`, `ended with exit code 7`. */
export function howItEnded(death: ProcessDeath): string {
  if (death.cause !== undefined) return `could not be started: ${death.cause.message}`
  const how =
    death.signal === null ? `ended with exit code ${death.exitCode}` : `was ended by ${death.signal}`
  return isHeapFull(death) ? `${how}: JavaScript heap out of memory` : how
}

/** V8 says so on stderr, then ends the process by a signal that differs between its versions. */
function isHeapFull({ stderr }: ProcessDeath): boolean {
  return /JavaScript heap out of memory/.test(stderr)
}

function whereToLook(death: ProcessDeath): string {
  if (isHeapFull(death)) {
    return 'Raise the limit, as by NODE_OPTIONS=--max-old-space-size=8192 (MB), or let the job keep less in memory at once.'
  }
  switch (death.signal) {
    case null:
      return 'Did the job call process.exit? Return from the job to end a run, throw an error to fail it.'
    case 'SIGKILL':
      return 'Somebody killed it, or the system did because memory ran out (dmesg tells): fewer --ncores, or a --memory-limit, keep it from that.'
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return 'A native part of the job crashed, such as an addon of a package; what it printed last is in the log.'
    case 'SIGABRT':
    case 'SIGTRAP':
      return 'The job or a native part of it aborted; what it printed last is in the log.'
    default:
      return 'Somebody or something sent it this signal; what it printed last is in the log.'
  }
}

/** The only stack there is leads through our own code: it would point the user to the wrong place. */
function withoutStack(error: PypetError): ErrorRecord {
  return { ...toErrorRecord(error), stack: '' }
}
