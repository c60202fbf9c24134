/**
 * A consistent copy of an HDF5 file, at any time and without locks, while it is being written or after a crash.
 *
 * Whatever a writer changes below the committed end of the file stands in the `.cnt` file before. So the file is
 * copied as it happens to be found, the `.cnt` file is followed meanwhile, and at the end every page image
 * that was seen is laid over the copy: it is then the file as of the last commit.
 */
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { PypetError } from '../errors.ts'
import { CntFollower } from './cnt-follower.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import { readExperiment } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'
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
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_USAGE` for a target that is the source or exists,
 *   `PYPET_FILE_NOT_WRITABLE`, `PYPET_FILE_CHANGING` when experiments begin and end faster than it is copied, and as `readCnt`
 */
export function takeSnapshot(
  source: string,
  target: string,
  { overwrite = false }: SnapshotOptions = {},
  system: DiskSystem = FILES,
): number {
  const file = source.endsWith('.cnt')
    ? readExperiment(resolve(source), system).request.file
    : resolve(source)
  checkPlaces(file, resolve(target), overwrite)
  const temporary = `${resolve(target)}.new`
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const bytes = copy(file, temporary, system)
      if (bytes === undefined) continue
      system.rename(temporary, resolve(target))
      system.syncFolderOf(resolve(target))
      return bytes
    }
  } catch (cause) {
    if (cause instanceof PypetError) throw cause
    throw new PypetError(
      'PYPET_FILE_NOT_WRITABLE',
      `cannot copy ${file} to ${target}: ${(cause as Error).message}`,
      {
        where: target,
        hint: 'Check the free space and the permissions of the folder.',
        cause,
      },
    )
  } finally {
    system.remove(temporary)
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

function checkPlaces(file: string, target: string, overwrite: boolean): void {
  if (!existsSync(file)) {
    throw new PypetError('PYPET_FILE_NOT_FOUND', `${file} is not there`, {
      where: file,
      hint: 'Name an HDF5 file, or the .cnt file beside it.',
    })
  }
  if (!existsSync(target)) return
  if (realpathSync(target) === realpathSync(file)) {
    throw new PypetError('PYPET_USAGE', `${target} is the file that is to be copied`, {
      where: target,
      hint: 'Name another file for the copy.',
    })
  }
  if (overwrite) return
  throw new PypetError('PYPET_USAGE', `${target} exists`, {
    where: target,
    hint: 'Name another file, or replace it (--overwrite).',
  })
}

/** One try. Undefined when something was missed. */
function copy(file: string, temporary: string, system: DiskSystem): number | undefined {
  const cntFiles = findCntFiles(file, system)
  const followers: CntFollower[] = []
  const from = system.open(file, 'read')
  const to = system.create(temporary)
  try {
    for (const cntFile of cntFiles) followers.push(new CntFollower(cntFile, system))
    const pollAll = () => followers.every((follower) => follower.poll())
    for (let position = 0; ; ) {
      const end = committedBytes(from, followers)
      if (position >= end) break
      position += copyChunk(from, to, position, end)
      if (!pollAll()) return undefined
    }
    // An experiment that has begun or ended meanwhile was not followed.
    if (String(findCntFiles(file, system)) !== String(cntFiles)) return undefined
    for (const follower of followers)
      for (const { offset, bytes } of follower.images()) to.write(bytes, offset)
    const bytes = committedBytes(from, followers)
    to.truncate(bytes)
    const live = followers.find(({ isApplied }) => !isApplied)
    if (live !== undefined && bytes > 0 && headOf(to) !== live.superblock) return undefined
    to.sync()
    return bytes
  } finally {
    for (const follower of followers) follower.close()
    from.close()
    to.close()
  }
}

/** Up to where a file is somebody's: at most one trajectory in it is being written, or was left by a crash. */
function committedBytes(from: Disk, followers: readonly CntFollower[]): number {
  return followers.find(({ isApplied }) => !isApplied)?.fileBytes ?? from.size()
}

function copyChunk(from: Disk, to: Disk, position: number, end: number): number {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - position))
  const count = from.read(chunk, position)
  to.write(chunk.subarray(0, count), position)
  // A file that is cut short meanwhile ends the copy; what is wrong is found at the end.
  return count === 0 ? end - position : count
}

function headOf(disk: Disk): string {
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  return superblockOf(head.subarray(0, disk.read(head, 0)))
}
