/** Checks that files named in an untrusted file may be written below a folder. Everything is checked before any write. */
import { accessSync, constants, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { PypetError } from '../errors.ts'

/**
 * Checks a folder for restoring files. It need not exist yet.
 *
 * @param isUsed true if it may contain files
 * @returns the real, absolute path of the folder
 * @throws PypetError `PYPET_RESTORE_REFUSED`
 */
export function checkFolder(given: string, { isUsed }: { readonly isUsed: boolean }): string {
  const folder = resolve(given)
  let existing = folder
  while (entryAt(existing) === undefined && dirname(existing) !== existing) existing = dirname(existing)
  if (followed(existing)?.isDirectory() !== true) {
    const what = entryAt(existing)?.isSymbolicLink()
      ? 'a symbolic link that does not lead to a folder'
      : 'not a folder'
    throw refused(folder, `${existing} is ${what}`, 'Name a folder that is empty or does not exist yet.')
  }
  assertWritable(existing)
  if (existing !== folder) return join(realpathSync(existing), folder.slice(existing.length))
  if (!isUsed && namesIn(folder).length > 0) {
    const hint = 'Name another folder, or replace its content with --force.'
    throw refused(folder, `${folder} is not empty`, hint)
  }
  return realpathSync(folder)
}

/**
 * Checks the paths of all files, each alone and all together. They are relative to the folder, with slashes.
 *
 * @param folder as `checkFolder` returns it
 * @throws PypetError `PYPET_RESTORE_REFUSED`
 */
export function checkPaths(folder: string, paths: readonly Buffer[]): void {
  for (const path of paths) assertPlain(folder, path)
  assertApart(paths)
  for (const path of paths) assertFree(folder, path)
}

/** The error for every refusal to restore. */
export function refused(where: string, message: string, hint: string, cause?: unknown): PypetError {
  const options = { where, hint, cause }
  return new PypetError('PYPET_RESTORE_REFUSED', `nothing was restored: ${message}`, options)
}

const STRANGE = 'The file may be malicious. Do not run its code.'

/** A file may come from anyone: none of its names may lead out of the folder, or to something that git would run. */
function assertPlain(folder: string, path: Buffer): void {
  const text = path.toString()
  const shown = `the path ${JSON.stringify(text)}`
  // Backslashes are letters on most systems, but a path must not lead out of the folder on any system.
  const parts = text.split(/[/\\]/)
  if (text.includes('\0') || isAbsolute(text) || /^(?:\\|[A-Za-z]:)/.test(text) || parts.includes('..')) {
    throw refused(
      text,
      `${shown} leads out of ${folder}`,
      'The job used a file outside its folder, or the file is malicious.',
    )
  }
  if (text.split('/').some((part) => part === '' || part === '.'))
    throw refused(text, `${shown} is not a plain path`, STRANGE)
  if (parts.some(isGitFolder))
    throw refused(text, `${shown} is in a git folder, and git runs what is in it`, STRANGE)
}

/** `.git` in every spelling that a file system may accept: some ignore case, trailing dots, or invisible characters. */
function isGitFolder(part: string): boolean {
  const seen = part
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '')
  return seen === '.git' || /^git~\d+$/.test(seen)
}

/** Systems on which `a` and `A` are usually the same file. */
const FOLDS_CASE = process.platform === 'win32' || process.platform === 'darwin'

/** No path occurs twice, and none is the folder of another. */
function assertApart(paths: readonly Buffer[]): void {
  const files = new Map<string, string>()
  for (const path of paths) {
    const other = files.get(folded(path))
    const isOne = other === path.toString('latin1') || (other !== undefined && FOLDS_CASE)
    if (isOne) throw refused(path.toString(), `${JSON.stringify(path.toString())} occurs twice`, STRANGE)
    files.set(folded(path), path.toString('latin1'))
  }
  for (const path of paths) {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const other = files.get(folded(path.subarray(0, end)))
      if (other === undefined) continue
      const names = [Buffer.from(other, 'latin1'), path].map((name) => JSON.stringify(name.toString()))
      throw refused(
        path.toString(),
        `${names[0]} would be both a file and, for ${names[1]}, a folder`,
        STRANGE,
      )
    }
  }
}

/** Names that a system may treat as the same have the same folded form. Bytes that are not UTF-8 stay distinct. */
function folded(path: Buffer): string {
  const text = path.toString()
  return text.includes('\uFFFD') ? path.toString('latin1') : text.normalize('NFC').toLowerCase()
}

/** Existing entries must be folders where a folder is needed, and otherwise files. Links are not followed. */
function assertFree(folder: string, path: Buffer): void {
  const parts = path.toString('latin1').split('/')
  let at = Buffer.from(folder)
  for (const [index, part] of parts.entries()) {
    at = Buffer.concat([at, Buffer.from(sep), Buffer.from(part, 'latin1')])
    const found = entryAt(at)
    if (found === undefined) return
    const shown = at.toString()
    const hint = 'Remove it, or name another folder.'
    if (found.isSymbolicLink()) throw refused(path.toString(), `${shown} leads through a symbolic link`, hint)
    const isLast = index === parts.length - 1
    if (!isLast && !found.isDirectory()) throw refused(path.toString(), `${shown} is not a folder`, hint)
    if (isLast && !found.isFile()) throw refused(path.toString(), `${shown} exists and is not a file`, hint)
    if (!isLast) assertWritable(at)
  }
}

function assertWritable(folder: string | Buffer): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const hint = 'Name a folder that you may write to.'
    throw refused(String(folder), `${folder} is not writable (${code})`, hint, cause)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw refused(folder, `${folder} cannot be read (${code})`, 'Name another folder.', cause)
  }
}

/** The entry at a path, without following a link. Also undefined below a file, where nothing can exist. */
function entryAt(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw refused(String(path), `${path} cannot be inspected (${code})`, 'Name another folder.', cause)
  }
}

function followed(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
