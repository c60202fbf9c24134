/**
 * A consistent copy of an HDF5 file, at any time and without locks, while it is being written or after a crash.
 *
 * Whatever a writer changes below the committed end of the file stands in the `.cnt` file before. So the file is
 * copied as it happens to be found, the `.cnt` file is followed meanwhile, and at the end every page image
 * that was seen is laid over the copy: it is then the file as of the last commit.
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
  /** Replace what is at the target. */
  readonly overwrite?: boolean
}

const CHUNK_BYTES = 4_194_304
/** An experiment that ends, or another one that begins, means to begin again. */
const ATTEMPTS_MAX = 8

/**
 * Copies the last committed state of a file. The copy appears under its name when it is whole and durable.
 *
 * @param source the HDF5 file, or a `.cnt` file beside it
 * @returns the size of the copy
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, also where nothing was committed yet; `PYPET_USAGE` for a target that
 *   is the source, exists, is being written, or has no folder to be in; `PYPET_CNT_FILE_MISMATCH` when the file is not the one that its
 *   `.cnt` file knows; `PYPET_FILE_NOT_WRITABLE`; `PYPET_FILE_CHANGING` when experiments begin and end faster than
 *   it is copied; and as `readCnt`
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

/** As `takeSnapshot`, without keeping the event loop busy; where the process ends meanwhile, nothing is left. */
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
  // A link keeps leading to where it led, and the copy is there.
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

/** The HDF5 file itself, beside which its `.cnt` files lie, and not a link to it. */
function fileOf(source: string, system: DiskSystem): string {
  const file = source.endsWith('.cnt') ? readExperiment(source, system).request.file : source
  if (existsSync(file) && statSync(file).isFile()) return realpathSync(file)
  throw notFound(file, existsSync(file) ? 'is not a file' : 'is not there')
}

function checkTarget(file: string, target: string, overwrite: boolean, system: DiskSystem): void {
  const refuse = (found: string, hint = 'Name another file for the copy.') =>
    new PypetError('PYPET_USAGE', `${target} ${found}`, { where: target, hint })
  if (target.endsWith('.cnt')) throw refuse('is a name for .cnt files')
  if (!existsSync(target)) {
    checkFolderOf(target)
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return
    throw refuse('is a symbolic link to no file', 'Remove the link, or name another file for the copy.')
  }
  if (realpathSync(target) === file) throw refuse('is the file that is to be copied')
  if (statSync(target).isDirectory())
    throw refuse('is a folder', `Name a file in it: ${join(target, basename(file))}`)
  if (!statSync(target).isFile()) throw refuse('is not a file')
  checkFolderOf(realpathSync(target))
  if (!overwrite) throw refuse('exists', 'Name another file, or replace it (--overwrite).')
  const unfinished = findCntFiles(target, system)[0]
  if (unfinished !== undefined) throw refuse(`belongs to an unfinished experiment, ${unfinished}`)
}

/** Before anything is copied: a large file takes its time. */
function checkFolderOf(target: string): void {
  const folder = dirname(target)
  const refuse = (found: string, hint: string, cause?: unknown) =>
    new PypetError('PYPET_USAGE', `no copy can be at ${target}: ${found}`, { where: target, hint, cause })
  let existing = folder
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  if (!statSync(existing).isDirectory())
    throw refuse(`${existing} is not a folder`, 'Name another file for the copy.')
  if (existing !== folder) {
    const quoted = `'${folder.replaceAll("'", `'\\''`)}'`
    throw refuse(`there is no folder ${folder}`, `Make it first: mkdir -p ${quoted}`)
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw refuse(
      `${folder} is not writable (${code})`,
      'Name a file in a folder that you may write to.',
      cause,
    )
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
      // What is just being written may look like damage, but not twice.
      if (isMomentary(error) && refusal !== undefined) throw error
      refusal = isMomentary(error) ? error : undefined
    }
  }
  throw new PypetError(
    'PYPET_FILE_CHANGING',
    `${file} changes too fast: ${ATTEMPTS_MAX} copies were overtaken`,
    {
      where: file,
      hint: 'Experiments begin or end in it again and again; try in between.',
    },
  )
}

function isMomentary(error: unknown): boolean {
  return isPypetError(error, 'PYPET_CNT_DAMAGED') || isPypetError(error, 'PYPET_CNT_FILE_MISMATCH')
}

/** One try. Undefined when something was missed. */
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
        throw mismatch(file, live, `it has ${position} bytes, of ${live.fileBytes} that were committed`)
      if (count === 0) break
    }
    // An experiment that has begun or ended meanwhile was not followed.
    if (!pollAll() || String(findCntFiles(file, system)) !== String(cntFiles)) return undefined
    if (live === undefined) {
      // Nor was one that has begun and ended.
      if (!isSame(before, statSync(file))) return undefined
    } else for (const { offset, bytes } of live.images()) to.write(bytes, offset)
    const bytes = committedBytes(from, live)
    to.truncate(bytes)
    if (bytes === 0) throw notFound(file, 'holds nothing yet that was committed')
    if (live !== undefined && headOf(to) !== live.superblock)
      throw mismatch(file, live, 'something else has written it since')
    to.sync()
    return bytes
  } finally {
    for (const follower of followers) follower.close()
    from.close()
  }
}

/** Nobody may have put another file in its place. */
function checkHead(live: CntFollower, from: Disk, file: string): void {
  // What a new file holds before its first commit is nobody's.
  if (live.fileBytes === 0) return
  const head = headOf(from)
  if (live.knows(head)) return
  // Its first page may have come from a commit since, which the `.cnt` file has had before.
  if (live.poll() && !live.knows(head)) throw mismatch(file, live, 'something else has written it since')
}

/** Up to where a file is somebody's: at most one trajectory in it is being written, or was left by a crash. */
function committedBytes(from: Disk, live: CntFollower | undefined): number {
  return live?.fileBytes ?? from.size()
}

/** Returns how many bytes there were. */
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
    hint: 'Name an HDF5 file, or the .cnt file beside it.',
  })
}

function mismatch(file: string, { path }: CntFollower, found: string): PypetError {
  return new PypetError('PYPET_CNT_FILE_MISMATCH', `${file} is not as ${path} left it: ${found}`, {
    where: file,
    hint: 'Put back the file that belongs to it; or remove the .cnt file, to take the HDF5 file as it is.',
  })
}
