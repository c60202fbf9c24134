/**
 * One writer at a time: a small file next to the HDF5 file names the process.
 *
 * The operating system decides. The writer holds an exclusive `flock` on that small file while it lives. Whoever gets
 * the lock knows that the previous owner is gone, whatever container it was in. Without `flock`, the recorded facts
 * about the process decide, and they cannot always be checked.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cannotWrite, type LockDetails, PypetError, systemRefusal } from '../errors.ts'
import { fateOf, ownProcess } from '../process-facts.ts'
import { sweepBeside, sweepTemporaryFolders, temporaryBeside } from '../temporary-names.ts'
import { newCntBeside } from './cnt-journal.ts'
import { isAt } from './file-identity.ts'
import { flockNow } from './flock.ts'
import { isShared, type LockOwner, ownLock, parseOwner, readText, verdictOf } from './lock-owner.ts'
import { realFileOf, refuseOtherNames } from './real-file.ts'

export interface LockRequest {
  /** What is being written, for messages. */
  readonly trajectory: string
  /** Take over the lock of another host, whose processes cannot be checked from here. */
  readonly breakLock: boolean
}

export interface FileLock {
  /** Whose lock was taken over, and why. Undefined if there was none. */
  readonly notice: string | undefined
  /**
   * Notes in the lock that its owner waits for readers, or no longer does; see `letWriterGoFirst`. Without `flock`,
   * this does nothing, since writers do not wait for readers then.
   */
  noteWaiting(isWaiting: boolean): void
  /** Releases the lock, unless another process has taken it over. */
  release(): void
}

/**
 * Takes the lock of an HDF5 file for this process, until it is released or the process ends. Locks the real file behind
 * the path. Also removes temporary files that killed processes left next to that file and in the temporary folder.
 *
 * @param file as typed, for messages
 * @throws PypetError `PYPET_FILE_LOCKED` while another process writes it, `PYPET_FILE_LOCKED_ELSEWHERE` if a process
 *   that cannot be checked from here may write it, `PYPET_FILE_NOT_WRITABLE`, also for a file with several names
 */
export function acquireLock(file: string, request: LockRequest): FileLock {
  const real = realFileOf(file)
  refuseOtherNames(file)
  const lock = take({ file, path: `${real}.lock`, ...request })
  sweepTemporaryFolders()
  sweepBeside(real)
  rmSync(newCntBeside(real), { force: true })
  return lock
}

interface Wanted extends LockRequest {
  readonly file: string
  /** Of the lock. */
  readonly path: string
}

/** Others may take and release the lock in between, but not this often. */
const ATTEMPTS_MAX = 100

function take(wanted: Wanted): FileLock {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const taken = takeBySystem(wanted)
    if (taken === 'unavailable') return takeByName(wanted)
    if (taken !== 'again') return taken
  }
  throw cannotWrite(wanted.file, `its lock file ${wanted.path} cannot be read`)
}

/** `again` if the lock was just released and its file removed. */
function takeBySystem(wanted: Wanted): FileLock | 'again' | 'unavailable' {
  const { file, path } = wanted
  const descriptor = openLock(wanted)
  let isKept = false
  try {
    const answer = flockNow(descriptor, '-x', '-n')
    if (answer === 'unavailable') return answer
    if (!isAt(path, descriptor)) return 'again'
    const found = readText(path) ?? ''
    const notice = found === '' ? undefined : takeOverReason(wanted, found, answer === 'locked')
    // The owner is about to write its name into the lock.
    if (answer === 'taken') throw locked(wanted)
    const owner = ownLock(wanted.trajectory, 'flock')
    let text = ''
    const write = (said: LockOwner) => {
      text = JSON.stringify(said)
      ftruncateSync(descriptor)
      writeSync(descriptor, text, 0)
    }
    write(owner)
    // A process that judged the lock by name may have replaced the file, and taken the lock.
    if (!isAt(path, descriptor)) return 'again'
    isKept = true
    const noteWaiting = (isWaiting: boolean) => {
      try {
        write(isWaiting ? { ...owner, waitingSinceMs: Date.now() } : owner)
      } catch {
        // The disk is full. Then readers do not let this writer go first, with no other effect.
        text = readText(path) ?? ''
      }
    }
    return heldLock(notice, noteWaiting, () => {
      if (isAt(path, descriptor)) releaseByName(path, text)
      closeSync(descriptor)
    })
  } catch (cause) {
    throw cause instanceof PypetError ? cause : cannotWrite(file, systemRefusal(cause).found, { cause })
  } finally {
    if (!isKept) closeSync(descriptor)
  }
}

/** Does not follow a planted link. */
function openLock({ file, path }: Wanted): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o666)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EISDIR') throw cannotWrite(file, `its lock file ${path} cannot be read`)
    if (code === 'ELOOP') throw cannotWrite(file, `its lock file ${path} is a symbolic link; remove it`)
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
}

/** A process that exits normally leaves no lock, whatever the reason. */
function heldLock(
  notice: string | undefined,
  noteWaiting: FileLock['noteWaiting'],
  give: () => void,
): FileLock {
  let isHeld = true
  const release = () => {
    process.off('exit', release)
    if (isHeld) give()
    isHeld = false
  }
  process.on('exit', release)
  return {
    notice,
    release,
    noteWaiting: (isWaiting) => {
      if (isHeld) noteWaiting(isWaiting)
    },
  }
}

/** The reason why a lock may be taken over. Throws if it may not. */
function takeOverReason(
  { file, path, breakLock }: Pick<Wanted, 'file' | 'path' | 'breakLock'>,
  found: string,
  isOurs: boolean | undefined,
): string {
  const owner = parseOwner(found)
  if (owner === undefined) {
    if (isOurs === false) throw locked({ file, path })
    return `${path} is not a valid lock file; the lock was taken over`
  }
  const { pid, host, since, trajectory } = owner
  const facts = { pid, host, since, trajectory }
  const who = ownerText(facts)
  const verdict = verdictOf(owner, {
    isOurs,
    isShared: isShared(path),
    fate: fateOf(owner),
    isSameBoot: owner.bootId !== '' && owner.bootId === ownProcess().bootId,
  })
  if (verdict === 'gone') return `the lock of ${file} was taken over from ${who}, which is gone`
  if (verdict === 'alive') throw locked({ file, path }, facts)
  if (breakLock) return `the lock of ${file} was taken over from ${who}`
  throw new PypetError('PYPET_FILE_LOCKED_ELSEWHERE', `${file} is locked by ${who}`, {
    where: path,
    hint: 'This machine cannot tell whether that process is alive. If it is gone, take over the lock with --break-lock.',
    details: { file, owner: facts },
  })
}

/** @param owner undefined while the lock does not name it yet */
function locked({ file, path }: Pick<Wanted, 'file' | 'path'>, owner?: LockDetails['owner']): PypetError {
  const who = owner === undefined ? 'another process' : ownerText(owner)
  return new PypetError('PYPET_FILE_LOCKED', `${file} is being written by ${who}`, {
    where: path,
    hint: 'Wait for it to finish, or write to another file (--file).',
    details: { file, owner },
  })
}

function ownerText({ pid, host, since, trajectory }: NonNullable<LockDetails['owner']>): string {
  return `process ${pid} on ${host} (${trajectory}, since ${since})`
}

/** Without a system lock: the file itself is the lock. It appears together with its content. */
function takeByName(wanted: Wanted): FileLock {
  const { path } = wanted
  const text = JSON.stringify(ownLock(wanted.trajectory, 'name'))
  const held = (notice: string | undefined) =>
    heldLock(
      notice,
      () => undefined,
      () => releaseByName(path, text),
    )
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (tryCreate(path, text, wanted.file)) return held(undefined)
    const found = readSettled(path)
    // It was just released.
    if (found === undefined) continue
    // The file was opened for a system lock, which failed.
    const notice = found === '' ? undefined : takeOverReason(wanted, found, undefined)
    takeOver(path, found, text, wanted)
    if (readText(path) === text) return held(notice)
  }
  throw cannotWrite(wanted.file, `its lock file ${path} cannot be read`)
}

/** Creating a link is atomic. */
function tryCreate(path: string, text: string, file: string): boolean {
  const own = temporaryBeside(path, 'own')
  try {
    writeNew(own, text)
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
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
}

/** A file at a name reserved for this process belongs to nobody. A link planted there is not followed. */
function writeNew(own: string, text: string): void {
  rmSync(own, { force: true })
  writeFileSync(own, text, { flag: 'wx' })
}

/** Errors from file systems without links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Replaces the lock that was judged, and no other, with this process's lock. Does nothing if another process was
 * faster.
 *
 * Several processes may have judged the same lock. A claim, named after the lock's content, makes them take turns, and
 * its holder checks again: only the holder replaces that lock, so it cannot change in between. The claim of a process
 * that died is taken over like a lock.
 */
function takeOver(path: string, judged: string, text: string, wanted: Wanted): void {
  const claim = `${path}.${createHash('sha1').update(judged).digest('hex').slice(0, 8)}`
  if (!tryCreate(claim, text, wanted.file)) {
    const holder = readText(claim)
    if (holder === undefined) return
    takeOverReason({ ...wanted, path: claim }, holder, undefined)
    takeOver(claim, holder, text, wanted)
    if (readText(claim) !== text) return
  }
  const own = temporaryBeside(path, 'own')
  try {
    if (readText(path) !== judged) return
    writeNew(own, text)
    renameSync(own, path)
  } catch (cause) {
    throw cannotWrite(wanted.file, systemRefusal(cause).found, { cause })
  } finally {
    rmSync(own, { force: true })
    releaseByName(claim, text)
  }
}

function releaseByName(path: string, own: string): void {
  if (readText(path) === own) rmSync(path, { force: true })
}

/** If a lock does not appear together with its content, it may be in the middle of a write. Then wait for it. */
function readSettled(path: string): string | undefined {
  const text = readText(path)
  if (text === undefined || parseOwner(text) !== undefined) return text
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITING_MS)
  return readText(path)
}

/** Writing a hundred bytes takes less than this. */
const WRITING_MS = 200
