/**
 * Makes a consistent copy of an HDF5 file at any time and without locks, during writing or after a crash.
 *
 * Before a writer changes anything below the committed end of the file, the change is in the `.cnt` file. So the file
 * is copied as it is, while the `.cnt` file is followed. At the end, every page image seen is written over the copy,
 * which is then the file at the last commit.
 */
import { accessSync, constants, existsSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { breathe } from '../breath.ts'
import { cannotWrite, isPypetError, PypetError, systemRefusal } from '../errors.ts'
import { removeTemporary, sweepBeside, temporaryBeside, undoAtExit } from '../temporary-names.ts'
import { CntFollower, isGone } from './cnt-follower.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import { readExperiment } from './cnt-state.ts'
import { createExclusively, type Disk, type DiskSystem, FILES } from './disk.ts'
import { findCntFiles } from './find-cnt.ts'

export interface SnapshotOptions {
  /** Replace an existing target. */
  readonly overwrite?: boolean
}

const CHUNK_BYTES = 4_194_304
/** If an experiment starts or ends meanwhile, the copy starts again. */
const ATTEMPTS_MAX = 8

/**
 * Copies the last committed state of a file. The copy gets its name when it is complete and durable.
 *
 * @param source the HDF5 file, or a `.cnt` file next to it
 * @returns the size of the copy
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, also if nothing was committed yet; `PYPET_USAGE` for a target that is the
 *   source, exists, is being written, or has no folder; `PYPET_CNT_FILE_MISMATCH` if the file does not match its `.cnt`
 *   file; `PYPET_FILE_NOT_WRITABLE`; `PYPET_FILE_CHANGING` if experiments start and end faster than the file is copied;
 *   and as `readCnt`
 */
export function takeSnapshot(
  source: string,
  target: string,
  options: SnapshotOptions = {},
  system: DiskSystem = FILES,
): number {
  const copying = snapshotSteps(source, target, options, system)
  for (;;) {
    const step = copying.next()
    if (step.done === true) return step.value
  }
}

/** As `takeSnapshot`, without blocking the event loop. If the process ends meanwhile, nothing is left behind. */
export async function takeSnapshotCalmly(
  source: string,
  target: string,
  options: SnapshotOptions = {},
): Promise<number> {
  const copying = snapshotSteps(source, target, options, FILES)
  for (;;) {
    const step = copying.next()
    if (step.done === true) return step.value
    await breathe()
  }
}

/** Copies chunk by chunk. */
function* snapshotSteps(
  source: string,
  target: string,
  { overwrite = false }: SnapshotOptions,
  system: DiskSystem,
): Generator<void, number> {
  const file = fileOf(resolve(source), system)
  checkTarget(file, resolve(target), overwrite, system)
  // A symbolic link still leads to the same file afterwards, and the copy is there.
  const place = existsSync(target) ? realpathSync(target) : resolve(target)
  sweepBeside(place)
  const temporary = temporaryBeside(place, 'snapshot')
  const removed = undoAtExit(() => removeTemporary(temporary))
  let to: Disk | undefined
  try {
    to = createExclusively(temporary)
    const bytes = yield* copyAgainAndAgain(file, to, system)
    system.rename(temporary, place)
    system.syncFolderOf(place)
    return bytes
  } catch (cause) {
    if (cause instanceof PypetError) throw cause
    throw cannotWrite(target, systemRefusal(cause).found, {
      hint: 'Check the free space and the permissions of the folder.',
      cause,
    })
  } finally {
    to?.close()
    removed()
  }
}

/** The real HDF5 file, not a link: its `.cnt` files are next to it. */
function fileOf(source: string, system: DiskSystem): string {
  const file = source.endsWith('.cnt') ? readExperiment(source, system).request.file : source
  if (existsSync(file) && statSync(file).isFile()) return realpathSync(file)
  throw notFound(file, existsSync(file) ? 'is not a file' : 'does not exist')
}

function checkTarget(file: string, target: string, overwrite: boolean, system: DiskSystem): void {
  const refuse = (found: string, hint = 'Choose another file for the copy.') =>
    new PypetError('PYPET_USAGE', `${target} ${found}`, { where: target, hint })
  if (target.endsWith('.cnt')) throw refuse('ends in .cnt, which is reserved for .cnt files')
  if (!existsSync(target)) {
    checkFolderOf(target)
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return
    throw refuse(
      'is a symbolic link to a missing file',
      'Remove the link, or choose another file for the copy.',
    )
  }
  if (realpathSync(target) === file) throw refuse('is the source file itself')
  if (statSync(target).isDirectory())
    throw refuse('is a folder', `Give a file in it: ${join(target, basename(file))}`)
  if (!statSync(target).isFile()) throw refuse('is not a file')
  checkFolderOf(realpathSync(target))
  if (!overwrite) throw refuse('exists', 'Choose another file, or replace it (--overwrite).')
  const unfinished = findCntFiles(target, system)[0]
  if (unfinished !== undefined) throw refuse(`belongs to an unfinished experiment, ${unfinished}`)
}

/** Before copying: a large file takes time. */
function checkFolderOf(target: string): void {
  const folder = dirname(target)
  const refuse = (found: string, hint: string, cause?: unknown) =>
    new PypetError('PYPET_USAGE', `cannot copy to ${target}: ${found}`, { where: target, hint, cause })
  let existing = folder
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  if (!statSync(existing).isDirectory())
    throw refuse(`${existing} is not a folder`, 'Choose another file for the copy.')
  if (existing !== folder) {
    const quoted = `'${folder.replaceAll("'", `'\\''`)}'`
    throw refuse(`the folder ${folder} does not exist`, `Create it first: mkdir -p ${quoted}`)
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw refuse(`${folder} is not writable (${code})`, 'Choose a folder that you can write to.', cause)
  }
}

/** Copies until nothing was missed. */
function* copyAgainAndAgain(file: string, to: Disk, system: DiskSystem): Generator<void, number> {
  let refusal: unknown
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    try {
      const bytes = yield* copy(file, to, system)
      if (bytes !== undefined) return bytes
      refusal = undefined
    } catch (error) {
      if (!isGone(error) && !isMomentary(error)) throw error
      // A write in progress may look like damage, but not twice.
      if (isMomentary(error) && refusal !== undefined) throw error
      refusal = isMomentary(error) ? error : undefined
    }
  }
  throw new PypetError(
    'PYPET_FILE_CHANGING',
    `cannot copy ${file}: it changed during each of ${ATTEMPTS_MAX} attempts`,
    {
      where: file,
      hint: 'Experiments keep starting or ending in it. Try again between them.',
    },
  )
}

function isMomentary(error: unknown): boolean {
  return isPypetError(error, 'PYPET_CNT_DAMAGED') || isPypetError(error, 'PYPET_CNT_FILE_MISMATCH')
}

/** One attempt. Undefined if something was missed. */
function* copy(file: string, to: Disk, system: DiskSystem): Generator<void, number | undefined> {
  const before = statSync(file)
  const cntFiles = findCntFiles(file, system)
  const followers: CntFollower[] = []
  const from = system.open(file, 'read')
  try {
    to.truncate(0)
    for (const cntFile of cntFiles) followers.push(new CntFollower(cntFile, system))
    const live = followers.find(({ isApplied }) => !isApplied)
    if (live !== undefined) checkHead(live, from, file)
    const pollAll = () => followers.every((follower) => follower.poll())
    for (let position = 0; position < committedBytes(from, live); ) {
      const count = copyChunk(from, to, position, committedBytes(from, live))
      position += count
      yield
      if (!pollAll()) return undefined
      if (count === 0 && live !== undefined && position < live.fileBytes)
        throw mismatch(file, live, `it has ${position} of ${live.fileBytes} committed bytes`)
      if (count === 0) break
    }
    // An experiment that started or ended meanwhile was not followed.
    if (!pollAll() || String(findCntFiles(file, system)) !== String(cntFiles)) return undefined
    if (live === undefined) {
      // Nor was one that both started and ended.
      if (!isSame(before, statSync(file))) return undefined
    } else for (const { offset, bytes } of live.images()) to.write(bytes, offset)
    const bytes = committedBytes(from, live)
    to.truncate(bytes)
    if (bytes === 0) throw notFound(file, 'has no committed data yet')
    if (live !== undefined && headOf(to) !== live.superblock)
      throw mismatch(file, live, 'another program has written to it since')
    to.sync()
    return bytes
  } finally {
    for (const follower of followers) follower.close()
    from.close()
  }
}

/** Checks that nobody has replaced the file. */
function checkHead(live: CntFollower, from: Disk, file: string): void {
  // Before its first commit, the content of a new file does not count.
  if (live.fileBytes === 0) return
  const head = headOf(from)
  if (live.knows(head)) return
  // Its first page may be from a later commit, which is then already in the `.cnt` file.
  if (live.poll() && !live.knows(head)) throw mismatch(file, live, 'another program has written to it since')
}

/** The committed end of a file: at most one of its trajectories is being written, or was left by a crash. */
function committedBytes(from: Disk, live: CntFollower | undefined): number {
  return live?.fileBytes ?? from.size()
}

/** Returns the number of bytes copied. */
function copyChunk(from: Disk, to: Disk, position: number, end: number): number {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - position))
  const count = from.read(chunk, position)
  to.write(chunk.subarray(0, count), position)
  return count
}

function headOf(disk: Disk): string {
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  return superblockOf(head.subarray(0, disk.read(head, 0)))
}

function isSame(before: Stats, after: Stats): boolean {
  return (['ino', 'size', 'mtimeMs', 'ctimeMs'] as const).every((field) => before[field] === after[field])
}

function notFound(file: string, found: string): PypetError {
  return new PypetError('PYPET_FILE_NOT_FOUND', `${file} ${found}`, {
    where: file,
    hint: 'Give the path of an HDF5 file, or of the .cnt file next to it.',
  })
}

function mismatch(file: string, { path }: CntFollower, found: string): PypetError {
  return new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} does not match ${path}: ${found}`, {
    where: file,
    hint: 'Restore the file that belongs to it. Or remove the .cnt file, and keep the HDF5 file as it is.',
  })
}
