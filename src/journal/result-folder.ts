/** Creates the folder of a new file if it is missing, as durably as the file itself. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotWrite, PypetError, systemRefusal } from '../errors.ts'
import { makeFolders } from '../folders.ts'

/**
 * Creates the folder of a file if it is missing. Returns the folders that get a new entry once the file is created.
 * Pass them to `syncFolders`.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
 */
export function makeFolderOf(path: string): string[] {
  try {
    return [dirname(path), ...makeFolders(dirname(path)).map((made) => dirname(made))]
  } catch (cause) {
    throw cannotWrite(path, `its folder cannot be created: ${systemRefusal(cause).found}`, { cause })
  }
}

/**
 * Makes new entries durable. Without them, a complete file cannot be found after a crash.
 *
 * @throws PypetError `PYPET_STORAGE_FAILED`
 */
export function syncFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      syncFolder(folder)
    } catch (cause) {
      // Without read permission, or on such a file system, the folder can still hold the file.
      if (UNSYNCABLE.has((cause as NodeJS.ErrnoException).code ?? '')) continue
      throw new PypetError('PYPET_STORAGE_FAILED', `cannot sync the folder ${folder}`, {
        where: folder,
        hint: 'Check the disk.',
        cause,
      })
    }
  }
}

const UNSYNCABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS'])

function syncFolder(folder: string): void {
  // Windows cannot open folders, and makes them durable in other ways.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
