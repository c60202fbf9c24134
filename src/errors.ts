/**
 * Every error that pypet-ts itself raises. A failing job is not one of them: that is data, and recorded with the run
 * (see `ErrorRecord` and `protocol.ts`).
 */
import { describeProperties, describeThrown } from './thrown-value.ts'

/** Released codes never change: tests and scripts may rely on them. */
export type ErrorCode =
  // The command, the config or the job is wrong. Nothing was started (exit code 2).
  | 'PYPET_JOB_NOT_FOUND'
  | 'PYPET_JOB_NOT_LOADABLE'
  | 'PYPET_JOB_NO_FUNCTION'
  | 'PYPET_JOB_CHANGED'
  | 'PYPET_USAGE'
  | 'PYPET_CONFIG_NOT_FOUND'
  | 'PYPET_CONFIG_NOT_LOADABLE'
  | 'PYPET_CONFIG_UNKNOWN_KEY'
  | 'PYPET_CONFIG_INVALID'
  | 'PYPET_PARAMETER_UNKNOWN'
  | 'PYPET_PARAMETER_TYPE'
  | 'PYPET_EXPLORATION_LENGTH'
  | 'PYPET_EXPLORATION_EMPTY'
  | 'PYPET_EXPLORATION_INVALID'
  | 'PYPET_NAME_ILLEGAL'
  | 'PYPET_NAME_AMBIGUOUS'
  | 'PYPET_NODE_NOT_FOUND'
  | 'PYPET_ITEM_NOT_FOUND'
  | 'PYPET_GROUP_NOT_EMPTY'
  | 'PYPET_CLASS_UNKNOWN'
  | 'PYPET_DATA_NOT_LOADED'
  | 'PYPET_DATA_NOT_STORED'
  | 'PYPET_PARAMETER_LOCKED'
  | 'PYPET_PRESET_UNUSED'
  | 'PYPET_RUN_UNKNOWN'
  | 'PYPET_WILDCARD_UNKNOWN'
  | 'PYPET_TRAJECTORY_STORED'
  | 'PYPET_TRAJECTORY_NEWER'
  | 'PYPET_MERGE_IMPOSSIBLE'
  | 'PYPET_NAME_TAKEN'
  | 'PYPET_VALUE_UNSUPPORTED'
  | 'PYPET_FILE_NOT_FOUND'
  | 'PYPET_FILE_NOT_WRITABLE'
  | 'PYPET_FILE_NOT_HDF5'
  | 'PYPET_FILE_NO_TRAJECTORY'
  | 'PYPET_TRAJECTORY_EXISTS'
  | 'PYPET_TRAJECTORY_NOT_FOUND'
  | 'PYPET_COLUMN_UNKNOWN'
  | 'PYPET_EXPRESSION_INVALID'
  // Another process was faster. Nothing was written.
  | 'PYPET_TRAJECTORY_CHANGED'
  | 'PYPET_CNT_NOT_FOUND'
  | 'PYPET_CNT_SEVERAL'
  | 'PYPET_CNT_EXISTS'
  | 'PYPET_CNT_NOT_CNT'
  | 'PYPET_CNT_NEWER'
  | 'PYPET_CNT_DAMAGED'
  | 'PYPET_CNT_FILE_MISMATCH'
  | 'PYPET_GIT_DIRTY'
  | 'PYPET_PROVENANCE_NONE'
  | 'PYPET_RESTORE_REFUSED'
  | 'PYPET_FILE_LOCKED'
  | 'PYPET_FILE_LOCKED_ELSEWHERE'
  // The job used a run that had ended. What it wanted to add is lost (exit code 3).
  | 'PYPET_RUN_ENDED'
  // The user's post-processing threw, or returned invalid points (exit code 3). You can try it again.
  | 'PYPET_POSTPROCESSING_FAILED'
  // A run exceeded its memory limit and was stopped (exit code 3).
  | 'PYPET_MEMORY_LIMIT'
  // pypet-ts or the machine failed during the work (exit code 1).
  | 'PYPET_STORAGE_FAILED'
  // The operating system refused something that pypet-ts needs.
  | 'PYPET_SYSTEM_FAILED'
  // A method of the user's storage service threw (exit code 1, or 3 if only runs fail).
  | 'PYPET_STORAGE_SERVICE_FAILED'
  /** A winston transport of the user failed. The experiment continues without it. */
  | 'PYPET_LOG_TRANSPORT_FAILED'
  | 'PYPET_FILE_CHANGING'
  | 'PYPET_FILE_MOVED'
  | 'PYPET_WRITER_DIED'
  | 'PYPET_EXECUTOR_FAILED'

/** The facts of an error, by its code. Messages are made from them, so nobody has to parse a message. */
export interface ErrorDetails {
  readonly PYPET_FILE_LOCKED: LockDetails
  readonly PYPET_FILE_LOCKED_ELSEWHERE: LockDetails
  readonly PYPET_FILE_NOT_WRITABLE: { readonly file: string }
  readonly PYPET_TRAJECTORY_EXISTS: {
    readonly file: string
    readonly trajectory: string
    /** Set if the trajectory is unfinished. */
    readonly cntFile?: string | undefined
  }
  readonly PYPET_CNT_EXISTS: { readonly cntFile: string }
  readonly PYPET_CNT_SEVERAL: { readonly file: string; readonly cntFiles: readonly string[] }
}

/** About a file that another process writes. */
export interface LockDetails {
  readonly file: string
  /** Who writes it. Undefined for other kinds of programs, or if unknown. */
  readonly owner?:
    | {
        readonly pid: number
        readonly host: string
        /** The trajectory that it writes. */
        readonly trajectory: string
        /** When it started, ISO 8601. */
        readonly since: string
      }
    | undefined
}

interface PypetErrorOptions<Code extends ErrorCode = ErrorCode> {
  /** The next step for the user, as a sentence or as code. */
  readonly hint?: string | undefined
  /** Where the mistake is: a file, a flag, a path like `explore.neuron.tau[3]`. */
  readonly where?: string | undefined
  readonly cause?: unknown
  readonly details?: DetailsOf<Code>
}

type DetailsOf<Code extends ErrorCode> = Code extends keyof ErrorDetails ? ErrorDetails[Code] : undefined

/** If a code has details, they are required. */
type OptionsOf<Code extends ErrorCode> = Code extends keyof ErrorDetails
  ? [options: PypetErrorOptions<Code> & { readonly details: ErrorDetails[Code] }]
  : [options?: PypetErrorOptions<Code>]

/**
 * The one error class of pypet-ts.
 *
 * `message` says what was attempted, on what, and what was found. `hint` is the next step. Narrow by code to get
 * `details`: `if (isPypetError(error, 'PYPET_FILE_LOCKED'))`.
 */
export class PypetError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'PypetError'
  readonly code: Code
  readonly hint: string | undefined
  readonly where: string | undefined
  readonly details: DetailsOf<Code>

  constructor(code: Code, message: string, ...[given]: OptionsOf<Code>) {
    const options = (given ?? {}) as PypetErrorOptions<Code>
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    // If no more files can be opened, only a higher limit helps, whatever was attempted.
    const more = isOutOfFiles(options.cause) ? systemHint(options.cause) : undefined
    this.hint = more === undefined || options.hint?.startsWith(more) ? options.hint : more
    this.where = options.where
    this.details = options.details as DetailsOf<Code>
  }
}

/** True for a `PypetError`. If a code is given, the error must have it. */
export function isPypetError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is PypetError<Code> {
  return error instanceof PypetError && (code === undefined || error.code === code)
}

/** `PYPET_FILE_NOT_WRITABLE` for a results file, with the usual hint unless another one is given. */
export function cannotWrite(
  file: string,
  found: string,
  { hint = WRITE_HINT, cause }: { readonly hint?: string; readonly cause?: unknown } = {},
): PypetError {
  return new PypetError('PYPET_FILE_NOT_WRITABLE', `cannot write ${file}: ${found}`, {
    where: file,
    hint,
    cause,
    details: { file },
  })
}

const WRITE_HINT = 'Check the folder, its permissions and the free space, or choose another file (--file).'

/**
 * Turns an unexpected error of the operating system, such as too many open files, into a `PypetError`: it is not a bug
 * in the program. Returns any other error unchanged.
 */
export function tellSystemError(error: unknown): unknown {
  const hint = systemHint(error)
  if (hint === undefined || isPypetError(error)) return error
  const { syscall, path } = error as NodeJS.ErrnoException & { readonly dest?: unknown }
  // Errors from the module loader may lack it.
  if (typeof syscall !== 'string') return error
  const attempted = typeof path === 'string' && !syscall.includes(path) ? `${syscall} ${path}` : syscall
  return new PypetError('PYPET_SYSTEM_FAILED', `${attempted} failed: ${systemRefusal(error).found}`, {
    where: typeof path === 'string' ? path : undefined,
    hint,
    cause: error,
  })
}

/** The system's message, such as `permission denied (EACCES)`, and a hint if there is one. */
export function systemRefusal(error: unknown): { readonly found: string; readonly hint: string | undefined } {
  const { code, message } = error as NodeJS.ErrnoException
  const found = /^[A-Z\d]+: (.*?),/.exec(message)?.[1] ?? message
  return { found: code === undefined ? found : `${found} (${code})`, hint: systemHint(error) }
}

/** Hints for errors of the operating system that are not caused by the program. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'Allow more open files in this shell, and try again: ulimit -n 4096',
  ENFILE: 'The programs on this machine have too many files open. End some, or raise fs.file-max.',
  EACCES: 'Check the permissions of the file and of the folders above it.',
  EPERM: 'Check who owns the file, and whether you may change it.',
  EROFS: 'The disk is mounted read-only. Choose a folder on another disk.',
  ENOSPC: 'The disk is full. Free some space, or choose a folder on another disk.',
  EDQUOT: 'Your disk quota is used up. Free some space, or choose a folder on another disk.',
  EFBIG: 'The file is larger than the disk or the shell allows (ulimit -f).',
  EIO: 'The disk or its connection failed. Check the system log (dmesg).',
  ENAMETOOLONG: 'Choose a shorter name.',
  ELOOP: 'The symbolic links form a loop. Give the path of the file itself.',
  ENOTDIR: 'Part of the path is a file, not a folder. Check the path.',
  EISDIR: 'The path is a folder, but a file is needed. Check the path.',
  ENOMEM: 'There is not enough memory. End other programs, or use fewer workers (--ncores).',
  EAGAIN: 'The system cannot start another process. End other programs, or use fewer workers (--ncores).',
}

function systemHint(error: unknown): string | undefined {
  const code = codeOf(error)
  return code !== undefined && Object.hasOwn(SYSTEM_HINTS, code) ? SYSTEM_HINTS[code] : undefined
}

function isOutOfFiles(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes(codeOf(error) ?? '')
}

function codeOf(error: unknown): string | undefined {
  try {
    const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined // Jobs can throw hostile objects too.
  }
}

/** An error as it crosses a thread or process boundary, where classes are lost. */
export interface ErrorRecord {
  /** Class name of the thrown error, or `NonError` when something else was thrown. */
  readonly name: string
  readonly message: string
  /** Source-mapped stack, or the empty string if there is none. */
  readonly stack: string
  readonly code?: string
  readonly hint?: string
  readonly where?: string
  /** As of `PypetError`. */
  readonly details?: unknown
}

/** Turns anything thrown into a record. Never throws, not even for hostile objects. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  try {
    if (thrown instanceof Error || isErrorLike(thrown)) {
      const { code, hint, where } = thrown as { code?: unknown; hint?: unknown; where?: unknown }
      const details = thrown instanceof PypetError ? thrown.details : undefined
      return {
        name: nameOf(thrown),
        message: String(thrown.message),
        stack: describeCauses(thrown),
        ...(typeof code === 'string' && { code }),
        ...(typeof hint === 'string' && { hint }),
        ...(typeof where === 'string' && { where }),
        ...(details !== undefined && { details }),
      }
    }
    return { name: 'NonError', message: `thrown: ${describeThrown(thrown)}`, stack: '', hint: THROW_ERRORS }
  } catch {
    return { name: 'NonError', message: 'thrown: a value that cannot be shown', stack: '' }
  }
}

/** Turns the record of a `PypetError` back into that error. Any other record gets the code `fallback`. */
export function fromErrorRecord(record: ErrorRecord, fallback: ErrorCode): PypetError {
  const code = (record.code?.startsWith('PYPET_') ? record.code : fallback) as ErrorCode
  const hint = record.hint ?? systemHint(record)
  const details = record.details as DetailsOf<ErrorCode>
  const error = new PypetError<ErrorCode>(code, record.message, {
    hint,
    where: record.where,
    ...(details !== undefined && { details }),
  } as PypetErrorOptions<never>)
  if (record.stack !== '') error.stack = record.stack
  return error
}

/** The same error with another message, hint or cause. */
export function reworded<Code extends ErrorCode>(
  { code, message, hint, where, cause, details }: PypetError<Code>,
  texts: { readonly message?: string; readonly hint?: string | undefined; readonly cause?: unknown },
): PypetError<Code> {
  const options = { hint, where, cause, details, ...texts }
  return new PypetError(code, texts.message ?? message, ...([options] as unknown as OptionsOf<Code>))
}

/** Marks a `switch` that must name every member of a union. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`)
}

function isErrorLike(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value
}

/** Longer chains are cut: a cycle of causes must not hang the reporter. */
const CAUSES_MAX = 8

function describeCauses(error: Error): string {
  const lines = [String(error.stack ?? '') + describeProperties(error)]
  let cause = error.cause
  for (let depth = 0; cause !== undefined && depth < CAUSES_MAX; depth += 1) {
    const text = isErrorLike(cause) ? String(cause.stack) + describeProperties(cause) : describeThrown(cause)
    lines.push(`caused by ${text}`)
    cause = isErrorLike(cause) ? cause.cause : undefined
  }
  return lines.join('\n')
}

/** Values other than errors have no stack. */
const THROW_ERRORS = 'Throw an Error to get a stack trace: throw new Error(…).'

/** `class TooHot extends Error {}` inherits the name `Error`. Most people leave it at that. */
function nameOf(error: Error): string {
  const name = String(error.name)
  const { name: className } = error.constructor ?? {}
  return name === 'Error' && typeof className === 'string' && className !== '' ? className : name
}
