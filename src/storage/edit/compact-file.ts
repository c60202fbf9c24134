/** Rewrites a file without deleted nodes, and copies trajectories into other files. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { PypetError } from '../../errors.ts'
import { Hdf5File } from '../../hdf5/file.ts'
import { FILES } from '../../journal/disk.ts'
import { releaseReaders } from '../../journal/open-readers.ts'
import { realFileOf } from '../../journal/real-file.ts'
import { makeFolderOf } from '../../journal/result-folder.ts'
import { assertFinished } from '../../journal/unfinished.ts'
import { rootAttributes } from '../../layout/pytables-group.ts'
import { overviewPath } from '../../names.ts'
import { openHdf5Reader } from '../../reading/reader.ts'
import { temporaryBeside } from '../../temporary-names.ts'
import { recoverOthers, takeLock } from '../open-trajectory.ts'
import { editHdf5File } from './edit-file.ts'
import { copyAttributes, copyOperations } from './hdf5-copy.ts'

export interface CompactResult {
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Objects that could not be copied, with reasons. Only filled if they may be omitted. */
  readonly uncopied: readonly string[]
}

export interface CompactOptions {
  /** More objects to omit: absolute paths in the file. */
  readonly drop?: ReadonlySet<string>
  /**
   * Completes the new file, under its temporary name, before it replaces the old one. Its additions appear together
   * with the rest.
   */
  readonly complete?: (copy: string) => Promise<void>
  /** Keep the old file next to the new one: `file.h5.bak`. */
  readonly keepBackup?: boolean
  /** Omit what cannot be copied, such as pickled pandas frames, instead of refusing. */
  readonly dropUncopied?: boolean
}

/**
 * Rewrites a file without the deleted nodes of its trajectories. The new file replaces the old one when all of it is
 * durable. Until then, the old one is unchanged.
 *
 * @throws PypetError `PYPET_CNT_EXISTS` while an experiment in the file is unfinished, `PYPET_STORAGE_FAILED` if
 *   something cannot be copied, `PYPET_FILE_LOCKED`, and as `openHdf5Reader`
 */
export async function compactFile(file: string, options: CompactOptions = {}): Promise<CompactResult> {
  const lock = await takeLock(file, 'compact', { breakLock: false, onNotice: () => undefined })
  // Rename over the real file, not over a link to it.
  const real = realFileOf(file)
  const temporary = temporaryBeside(real, 'compact')
  releaseReaders(file)
  try {
    assertFinished(file, undefined)
    await recoverOthers(file, 60_000, { onNotice: () => undefined })
    const { size: bytesBefore, mode } = statSync(file)
    const uncopied = await rewrite(file, temporary, options.drop ?? new Set())
    if (uncopied.length > 0 && options.dropUncopied !== true) throw cannotCopy(file, uncopied)
    await options.complete?.(temporary)
    chmodSync(temporary, mode)
    syncFile(temporary)
    if (options.keepBackup === true) renameSync(real, `${real}.bak`)
    renameSync(temporary, real)
    FILES.syncFolderOf(real)
    return { bytesBefore, bytesAfter: statSync(file).size, uncopied }
  } finally {
    rmSync(temporary, { force: true })
    releaseReaders(file)
    lock.release()
  }
}

/** Writes everything except deleted nodes and `drop` into another file. */
async function rewrite(file: string, target: string, drop: ReadonlySet<string>): Promise<string[]> {
  using opened = await openHdf5Reader(file)
  // Columns stay columns.
  const { raw: reader } = opened
  const uncopied: string[] = []
  const onUncopied = (path: string, reason: string) => uncopied.push(`${path}: ${reason}`)
  await Hdf5File.write(target, 'create', (written) => {
    written.apply(copyAttributes(reader, '/', '/', { onUncopied }))
    for (const trajectory of reader.children('/')) {
      if (drop.has(`/${trajectory}`)) continue
      const nameChild = (child: string, group: string) => {
        const path = `${group}/${child}`
        // The reader skips deleted nodes, and links to them.
        return drop.has(path) || path === overviewPath(`/${trajectory}`, 'deleted_nodes') ? undefined : child
      }
      const copying = copyOperations(reader, `/${trajectory}`, `/${trajectory}`, { nameChild, onUncopied })
      for (const operations of copying) written.apply(operations)
    }
  })
  return uncopied
}

/**
 * Copies a trajectory into another file, new or existing, under a new name.
 *
 * @throws PypetError `PYPET_TRAJECTORY_EXISTS`, `PYPET_STORAGE_FAILED` if something cannot be copied
 */
export async function copyTrajectory(
  source: { readonly file: string; readonly trajectory: string },
  target: { readonly file: string; readonly trajectory: string },
): Promise<void> {
  const isInto = existsSync(target.file) && statSync(target.file).size > 0
  if (isInto && (await Hdf5File.rootNames(target.file)).includes(target.trajectory)) {
    throw new PypetError('PYPET_TRAJECTORY_EXISTS', `${target.file} already holds ${target.trajectory}`, {
      where: target.file,
      hint: 'Choose another name, or another file.',
      details: target,
    })
  }
  using opened = await openHdf5Reader(source.file)
  const { raw: reader } = opened
  const uncopied: string[] = []
  await editHdf5File(target.file, { trajectory: target.trajectory }, (editor) => {
    if (editor.isNewFile) editor.apply(rootAttributes(''))
    const from = `/${source.trajectory}`
    const to = `/${target.trajectory}`
    const copying = copyOperations(reader, from, to, {
      onUncopied: (path, reason) => uncopied.push(`${path}: ${reason}`),
      retarget: (path) => (path.startsWith(`${from}/`) ? to + path.slice(from.length) : path),
    })
    for (const operations of copying) editor.apply(operations)
    if (uncopied.length > 0) throw cannotCopy(source.file, uncopied)
  })
}

/** A copy of the whole file. */
export async function backupFile(file: string, target: string): Promise<void> {
  makeFolderOf(realFileOf(target))
  await copyFile(file, target)
  syncFile(target)
}

export function cannotCopy(file: string, uncopied: readonly string[]): PypetError {
  const more = uncopied.length > 3 ? `, and ${uncopied.length - 3} more` : ''
  return new PypetError('PYPET_STORAGE_FAILED', `${file}: ${uncopied.slice(0, 3).join('; ')}${more}`, {
    where: file,
    hint: 'pypet-ts cannot copy these. Copy the whole file instead, or leave them out explicitly.',
  })
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
