/** Explains why the process of a run is gone, and where to look. */
import { type ErrorRecord, PypetError, toErrorRecord } from '../errors.ts'

export interface ProcessDeath {
  /** The exit code. Null if a signal ended the process, or if it never ran. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of its output. */
  readonly stderr: string
  /** Why it could not be started. */
  readonly cause?: Error | undefined
  /** Why pypet-ts killed it, if it did. */
  readonly killedFor?: ErrorRecord | undefined
  /** In MB; 0 for none. */
  readonly memoryLimit: number
}

/** The error of a run whose process is gone. */
export function deathOfRun(death: ProcessDeath): ErrorRecord {
  if (death.killedFor !== undefined) return death.killedFor
  const message = `the run's process ${howItEnded(death)}`
  if (isHeapFull(death) && death.memoryLimit > 0) {
    return withoutStack(
      new PypetError(
        'PYPET_MEMORY_LIMIT',
        `${message}: its JavaScript heap reached the limit of ${death.memoryLimit} MB (--memory-limit)`,
        { hint: LIMIT_HINT },
      ),
    )
  }
  return withoutStack(new PypetError('PYPET_EXECUTOR_FAILED', message, { hint: whereToLook(death) }))
}

/** The error of an executor whose processes end while starting. */
export function deathAtStart(death: ProcessDeath): PypetError {
  if (death.killedFor !== undefined) {
    const { message, hint } = death.killedFor
    return new PypetError('PYPET_EXECUTOR_FAILED', `a worker process ended while starting: ${message}`, {
      hint,
    })
  }
  const printed = death.stderr.trim()
  const words = printed === '' ? '' : `:\n${printed}`
  return new PypetError(
    'PYPET_EXECUTOR_FAILED',
    `a worker process ended while starting: it ${howItEnded(death)}${words}`,
    {
      hint: 'Check that the job does not exit while loading, and that memory and processes suffice for --ncores.',
      cause: death.cause,
    },
  )
}

/** The error of a run that exceeded the memory limit. Its process is killed with it. */
export function memoryExceeded(what: string, usedBytes: number, memoryLimit: number): ErrorRecord {
  const used = Math.ceil(usedBytes / 2 ** 20)
  const message = `${what} took ${used} MB, above the limit of ${memoryLimit} MB (--memory-limit)`
  return withoutStack(new PypetError('PYPET_MEMORY_LIMIT', message, { hint: LIMIT_HINT }))
}

const LIMIT_HINT =
  'Raise --memory-limit, or reduce the memory that the job uses. An idle process takes about 50 MB.'

/** `was killed by SIGSEGV`, `ended with exit code 7`. */
export function howItEnded(death: ProcessDeath): string {
  if (death.cause !== undefined) return `could not be started: ${death.cause.message}`
  const how =
    death.signal === null ? `ended with exit code ${death.exitCode}` : `was killed by ${death.signal}`
  return isHeapFull(death) ? `${how}: JavaScript heap out of memory` : how
}

/** V8 prints this to stderr, then ends the process with a signal that depends on its version. */
function isHeapFull({ stderr }: ProcessDeath): boolean {
  return /JavaScript heap out of memory/.test(stderr)
}

function whereToLook(death: ProcessDeath): string {
  if (isHeapFull(death)) {
    return 'Raise the limit, for example with NODE_OPTIONS=--max-old-space-size=8192 (MB), or reduce the memory that the job uses.'
  }
  switch (death.signal) {
    case null:
      return 'Did the job call process.exit? To end a run, return from the job. To fail it, throw an error.'
    case 'SIGKILL':
      return 'Someone killed it, or the system did because memory ran out (check dmesg). If memory ran out, lower --ncores or set --memory-limit.'
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return 'Native code in the job crashed, such as an addon of a package. Its last output is in the log.'
    case 'SIGABRT':
    case 'SIGTRAP':
      return 'The job or its native code aborted. Its last output is in the log.'
    default:
      return 'Another program sent it this signal. Its last output is in the log.'
  }
}

/** The only stack leads through pypet-ts, and would mislead the user. */
function withoutStack(error: PypetError): ErrorRecord {
  return { ...toErrorRecord(error), stack: '' }
}
