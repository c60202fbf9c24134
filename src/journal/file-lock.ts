/**
 * One writer at a time: a small file beside the HDF5 file says which process it is.
 *
 * The operating system decides. The writer keeps an exclusive `flock` on that small file for as long as it lives; who
 * gets that lock knows that the one before is gone, in whatever container it was. Only where there is no `flock` do the
 * facts about the process decide, which cannot always be seen.
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
  /** Take over a lock of another host, whose processes cannot be seen from here. */
  readonly breakLock: boolean
}

export interface FileLock {
  /** Whose lock was taken over, and why; undefined when there was none. */
  readonly notice: string | undefined
  /**
   * Says in the lock that its owner waits for readers of the file, or does so no longer; see `letWriterGoFirst`. Without
   * `flock` nothing is said, since readers are not waited for.
   */
  noteWaiting(isWaiting: boolean): void
  /** Gives the file free. Whoever has taken the lock over keeps it. */
  release(): void
}

/**
 * Takes the lock of an HDF5 file for this process, until it is released or the process ends. It is the lock of the file
 * that the path really means. What killed processes have left beside that file, and in the folder for temporary files, is swept.
 *
 * @param file as it was typed, for messages
 * @throws PypetError `PYPET_FILE_LOCKED` while another process writes it, `PYPET_FILE_LOCKED_ELSEWHERE` when one that
 *   cannot be seen from here may; `PYPET_FILE_NOT_WRITABLE`, also for a file of several names
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

/** Others may take and release a lock in between, but not so often. */
const ATTEMPTS_MAX = 100

function take(wanted: Wanted): FileLock {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const taken = takeBySystem(wanted)
    if (taken === 'unavailable') return takeByName(wanted)
    if (taken !== 'again') return taken
  }
  throw cannotWrite(wanted.file, `${wanted.path} is there, and cannot be read`)
}

/** `again` when the file was given free, and removed, in this moment. */
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
    // Whoever has it is just writing down who that is.
    if (answer === 'taken') throw locked(wanted)
    const owner = ownLock(wanted.trajectory, 'flock')
    let text = ''
    const write = (said: LockOwner) => {
      text = JSON.stringify(said)
      ftruncateSync(descriptor)
      writeSync(descriptor, text, 0)
    }
    write(owner)
    // Who judged the lock by name may have put another file there since, and takes itself for the writer.
    if (!isAt(path, descriptor)) return 'again'
    isKept = true
    const noteWaiting = (isWaiting: boolean) => {
      try {
        write(isWaiting ? { ...owner, waitingSinceMs: Date.now() } : owner)
      } catch {
        // A full disk: readers do not let this writer go first then, and that is all.
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

/** A planted link is not followed. */
function openLock({ file, path }: Wanted): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o666)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EISDIR') throw cannotWrite(file, `${path} is there, and cannot be read`)
    if (code === 'ELOOP') throw cannotWrite(file, `${path} is a symbolic link; remove it`)
    throw cannotWrite(file, systemRefusal(cause).found, { cause })
  }
}

/** A process that ends in order leaves no lock, whatever it ends by. */
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

/** Why a lock may be taken over; throws when it may not. */
function takeOverReason(
  { file, path, breakLock }: Pick<Wanted, 'file' | 'path' | 'breakLock'>,
  found: string,
  isOurs: boolean | undefined,
): string {
  const owner = parseOwner(found)
  if (owner === undefined) {
    if (isOurs === false) throw locked({ file, path })
    return `${path} is not a readable lock; it was taken over`
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
  if (verdict === 'gone')
    return `the lock of ${file} was left by ${who}: it is gone, and the lock was taken over`
  if (verdict === 'alive') throw locked({ file, path }, facts)
  if (breakLock) return `the lock of ${file} was taken from ${who}`
  throw new PypetError('PYPET_FILE_LOCKED_ELSEWHERE', `${file} is locked by ${who}`, {
    where: path,
    hint: 'It cannot be seen from here. If that process is gone, take the lock over with --break-lock.',
    details: { file, owner: facts },
  })
}

/** @param owner undefined while the lock does not say it yet */
function locked({ file, path }: Pick<Wanted, 'file' | 'path'>, owner?: LockDetails['owner']): PypetError {
  const who = owner === undefined ? 'another process' : ownerText(owner)
  return new PypetError('PYPET_FILE_LOCKED', `${file} is being written by ${who}`, {
    where: path,
    hint: 'Wait for it, or write to another file (--file).',
    details: { file, owner },
  })
}

function ownerText({ pid, host, since, trajectory }: NonNullable<LockDetails['owner']>): string {
  return `process ${pid} on ${host}, which writes ${trajectory} since ${since}`
}

/** Where the system has no lock: the file with a name in it is the lock, and appears with its content at once. */
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
    // Released in this moment.
    if (found === undefined) continue
    // What was opened to be locked by the system, and could not be.
    const notice = found === '' ? undefined : takeOverReason(wanted, found, undefined)
    takeOver(path, found, text, wanted)
    if (readText(path) === text) return held(notice)
  }
  throw cannotWrite(wanted.file, `${path} is there, and cannot be read`)
}

/** A link is made or not. */
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

/** What lies at a name that is this process's own is nobody's, and a link that was planted there is not followed. */
function writeNew(own: string, text: string): void {
  rmSync(own, { force: true })
  writeFileSync(own, text, { flag: 'wx' })
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

/** Where a lock cannot appear with its content at once, it may just be written: then it is given time. */
function readSettled(path: string): string | undefined {
  const text = readText(path)
  if (text === undefined || parseOwner(text) !== undefined) return text
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITING_MS)
  return readText(path)
}

/** Nobody needs so long for a hundred bytes. */
const WRITING_MS = 200
