/** One writer at a time: a small file beside the HDF5 file says which process it is. */
import { createHash } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { PypetError } from '../errors.ts'
import { isPlainObject } from '../trajectory/plain-object.ts'

export interface LockRequest {
  /** What is being written, for messages. */
  readonly trajectory: string
  /** Take over a lock of another host, whose processes cannot be seen from here. */
  readonly breakLock: boolean
}

export interface FileLock {
  /** Whose lock was taken over, and why; undefined when there was none. */
  readonly notice: string | undefined
  /** Gives the file free. Whoever has taken the lock over keeps it. */
  release(): void
}

interface Owner {
  readonly pid: number
  readonly host: string
  /** When the process started, as the system counts it; tells it from a later one of the same pid. */
  readonly processStart: string
  readonly trajectory: string
  /** When the lock was taken, ISO 8601. */
  readonly since: string
}

/**
 * Takes the lock of an HDF5 file for this process, until it is released or the process ends.
 *
 * @throws PypetError `PYPET_FILE_LOCKED` while a process of this host writes it, `PYPET_FILE_LOCKED_ELSEWHERE` when
 *   one of another host may; `PYPET_FILE_NOT_WRITABLE`
 */
export function acquireLock(file: string, { trajectory, breakLock }: LockRequest): FileLock {
  const path = `${file}.lock`
  const text = JSON.stringify(ownLock(trajectory))
  let notice: string | undefined
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (tryCreate(path, text, file)) return heldLock(path, text, notice)
    const found = readSettled(path)
    // Released in this moment.
    if (found === undefined) continue
    notice = takeOverReason(path, parseOwner(found), { file, breakLock })
    takeOver(path, found, text, { file, breakLock })
    if (readText(path) === text) return heldLock(path, text, notice)
  }
  throw notWritable(file, new Error(`${path} is there, and cannot be read`))
}

/** Others may take and release a lock in between, but not so often. */
const ATTEMPTS_MAX = 100

/** A process that ends in order leaves no lock, whatever it ends by. */
function heldLock(path: string, text: string, notice: string | undefined): FileLock {
  const give = () => {
    process.off('exit', give)
    release(path, text)
  }
  process.on('exit', give)
  return { notice, release: give }
}

/** Why a lock may be taken over; throws when it may not. */
function takeOverReason(
  path: string,
  owner: Owner | undefined,
  { file, breakLock }: { readonly file: string; readonly breakLock: boolean },
): string {
  if (owner === undefined) return `${path} is no lock that can be read; it was taken over`
  const { pid, host, since, trajectory } = owner
  const who = `process ${pid} on ${host}, which writes ${trajectory} since ${since}`
  if (host !== hostname()) {
    if (breakLock) return `the lock of ${file} was taken from ${who}`
    throw new PypetError('PYPET_FILE_LOCKED_ELSEWHERE', `${file} is locked by ${who}`, {
      where: path,
      hint: 'If that process is gone, take the lock over with --break-lock.',
    })
  }
  if (!isAlive(owner))
    return `the lock of ${file} was left by ${who}: it is gone, and the lock was taken over`
  throw new PypetError('PYPET_FILE_LOCKED', `${file} is being written by ${who}`, {
    where: path,
    hint: 'Wait for it, or write to another file (--file).',
  })
}

function ownLock(trajectory: string): Owner {
  const [, processStart] = processFactsOf(process.pid)
  return { pid: process.pid, host: hostname(), processStart, trajectory, since: new Date().toISOString() }
}

/** The lock appears with its content at once: a link is made or not. */
function tryCreate(path: string, text: string, file: string): boolean {
  const own = ownFile(path)
  try {
    writeFileSync(own, text)
    try {
      linkSync(own, path)
      return true
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'EEXIST') return false
      if (!NO_LINKS.has(code ?? '')) throw cause
      writeFileSync(path, text, { flag: 'wx' })
      return true
    } finally {
      rmSync(own, { force: true })
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw notWritable(file, cause)
  }
}

/** A name that no other process uses, to write to before the file appears under its own. */
function ownFile(path: string): string {
  return `${path}.${process.pid}`
}

function notWritable(file: string, cause: unknown): PypetError {
  return new PypetError('PYPET_FILE_NOT_WRITABLE', `cannot write ${file}: ${(cause as Error).message}`, {
    where: file,
    hint: 'Check the folder, its permissions and the free space, or choose another file with --file.',
    cause,
  })
}

/** What file systems without links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Puts this process's lock in the place of one that was judged, and of no other; or does nothing, when somebody
 * else was faster.
 *
 * Several may have judged the same lock. A claim, named after what it says, makes them take turns, and who has it
 * looks once more: only a holder of the claim replaces that lock, so it cannot change in between. A claim of a
 * process that died is taken over like a lock.
 */
function takeOver(
  path: string,
  judged: string,
  text: string,
  options: { readonly file: string; readonly breakLock: boolean },
): void {
  const claim = `${path}.${createHash('sha1').update(judged).digest('hex').slice(0, 8)}`
  if (!tryCreate(claim, text, options.file)) {
    const holder = readText(claim)
    if (holder === undefined) return
    takeOverReason(claim, parseOwner(holder), options)
    takeOver(claim, holder, text, options)
    if (readText(claim) !== text) return
  }
  const own = ownFile(path)
  try {
    if (readText(path) !== judged) return
    writeFileSync(own, text)
    renameSync(own, path)
  } catch (cause) {
    throw notWritable(options.file, cause)
  } finally {
    rmSync(own, { force: true })
    release(claim, text)
  }
}

function release(path: string, own: string): void {
  if (readText(path) === own) rmSync(path, { force: true })
}

/** Where a lock cannot appear with its content at once, it may just be written: then it is given time. */
function readSettled(path: string): string | undefined {
  const text = readText(path)
  if (text === undefined || parseOwner(text) !== undefined) return text
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITING_MS)
  return readText(path)
}

/** Nobody needs so long for a hundred bytes. */
const WRITING_MS = 200

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    if (!isPlainObject(owner)) return undefined
    const { pid, host, processStart, trajectory, since } = owner
    const isOwner =
      Number.isSafeInteger(pid) &&
      [host, processStart, trajectory, since].every((field) => typeof field === 'string')
    return isOwner ? (owner as unknown as Owner) : undefined
  } catch {
    return undefined
  }
}

function isAlive({ pid, processStart }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of another user is alive, too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const [state, start] = processFactsOf(pid)
  // Of a zombie, nothing is left but the number.
  if (state === 'Z' || state === 'X') return false
  return start === '' || processStart === '' || start === processStart
}

/** Fields 3 and 22 of /proc/<pid>/stat; empty where the system does not tell. */
function processFactsOf(pid: number): readonly [state: string, start: string] {
  const stat = readText(`/proc/${pid}/stat`)
  // The name of the program, in parentheses, may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return [fields[0] ?? '', fields[19] ?? '']
}
