/** Writes a new file next to its place, and renames it when it is complete. */
import { existsSync, realpathSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotWrite } from '../errors.ts'
import { FILES } from '../journal/disk.ts'
import type { FileLock } from '../journal/file-lock.ts'
import { findCntFiles } from '../journal/find-cnt.ts'
import { releaseReaders } from '../journal/open-readers.ts'
import { makeFolderOf } from '../journal/result-folder.ts'
import { takeLock } from '../storage/open-trajectory.ts'
import { removeTemporary, temporaryBeside, undoAtExit } from '../temporary-names.ts'

/** Writes a file next to its place, under the lock of the place, and renames it. A failure leaves nothing behind. */
export async function writeBeside<Value>(
  file: string,
  target: string,
  what: 'merge' | 'convert',
  write: (temporary: string) => Promise<Value>,
): Promise<Value> {
  const temporary = temporaryBeside(target, what)
  const missing = missingFolders(target)
  let lock: FileLock | undefined
  let isInPlace = false
  // Also if the process stops in between, for example by Ctrl-C.
  const cleared = undoAtExit(() => {
    removeTemporary(temporary)
    lock?.release()
    if (!isInPlace) removeEmpty(missing)
  })
  try {
    makeFolderOf(target)
    // Prevents others from using this name, and removes what a killed process has left.
    lock = await takeLock(file, what, { breakLock: false, onNotice: () => undefined })
    const written = await write(temporary)
    // This process must not keep the old file open.
    releaseReaders(target)
    renameSync(temporary, target)
    isInPlace = true
    FILES.syncFolderOf(target)
    return written
  } finally {
    cleared()
    releaseReaders(target)
  }
}

/** Folders that a file needs and that do not exist, the innermost first. */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let folder = dirname(path); !existsSync(folder); folder = dirname(folder)) missing.push(folder)
  return missing
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder)
    } catch {
      // Someone else uses it now, and so the folders above it.
      return
    }
  }
}

/**
 * Checks that a file can be written here.
 *
 * @param inputs files that are read meanwhile
 * @param options.isInput what the target is, if it is one of them
 * @param options.hint if it exists
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
 */
export function checkNewFile(
  target: string,
  inputs: readonly string[],
  options: { readonly overwrite: boolean; readonly isInput: string; readonly hint: string },
): void {
  const refuse = (found: string, hint = 'Give another name.') => cannotWrite(target, `it ${found}`, { hint })
  if (existsSync(target)) {
    if (!statSync(target).isFile()) throw refuse('is not a file')
    if (inputs.some((file) => realpathSync(file) === realpathSync(target))) throw refuse(options.isInput)
    if (!options.overwrite) throw refuse('exists', options.hint)
  }
  // Also check for a missing file: its .cnt file would be applied to the new one.
  const unfinished = existsSync(dirname(target)) ? findCntFiles(target)[0] : undefined
  if (unfinished !== undefined) throw refuse(`belongs to an unfinished experiment, ${unfinished}`)
}
