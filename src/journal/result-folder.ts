/** The folder of a new file: made where it is missing, and as durable as the file itself. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotWrite, PypetError, systemRefusal } from '../errors.ts'
import { makeFolders } from '../folders.ts'

/**
 * Makes the folder of a file, unless it is there. Returns the folders that get a new entry once the file
 * has been created; `syncFolders` takes them.
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
 * Makes new entries durable: without them a file that is whole on the disk is not found after a crash.
 *
 * @throws PypetError `PYPET_STORAGE_FAILED`
 */
export function syncFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      syncFolder(folder)
    } catch (cause) {
      // Who may not read a folder, or has it on such a file system, can still have a file in it.
      if (UNSYNCABLE.has((cause as NodeJS.ErrnoException).code ?? '')) continue
      throw new PypetError('PYPET_STORAGE_FAILED', `the folder ${folder} could not be synced`, {
        where: folder,
        hint: 'Check the disk.',
        cause,
      })
    }
  }
}

const UNSYNCABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS'])

function syncFolder(folder: string): void {
  // Windows opens no folders, and has its own way of keeping them.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
