/** Whether the files that a stranger's file names may be written below a folder. All is asked before anything is written. */
import { accessSync, constants, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { PypetError } from '../errors.ts'

/**
 * Checks a folder that files are to be restored into. It need not be there yet.
 *
 * @param isUsed it may hold something
 * @returns the folder as it really is, absolute
 * @throws PypetError `PYPET_RESTORE_REFUSED`
 */
export function checkFolder(given: string, { isUsed }: { readonly isUsed: boolean }): string {
  const folder = resolve(given)
  let existing = folder
  while (entryAt(existing) === undefined && dirname(existing) !== existing) existing = dirname(existing)
  if (followed(existing)?.isDirectory() !== true) {
    const what = entryAt(existing)?.isSymbolicLink() ? 'a symbolic link to no folder' : 'not a folder'
    throw refused(folder, `${existing} is ${what}`, 'Name a folder that is empty or not there yet.')
  }
  assertWritable(existing)
  if (existing !== folder) return join(realpathSync(existing), folder.slice(existing.length))
  if (!isUsed && namesIn(folder).length > 0) {
    const hint = 'Name another folder, or replace what is there with --force.'
    throw refused(folder, `${folder} is not empty`, hint)
  }
  return realpathSync(folder)
}

/**
 * Checks the paths of all files, slashed and from the folder, alone and together.
 *
 * @param folder as `checkFolder` returns it
 * @throws PypetError `PYPET_RESTORE_REFUSED`
 */
export function checkPaths(folder: string, paths: readonly Buffer[]): void {
  for (const path of paths) assertPlain(folder, path)
  assertApart(paths)
  for (const path of paths) assertFree(folder, path)
}

/** The error of everything that is not restored. */
export function refused(where: string, message: string, hint: string, cause?: unknown): PypetError {
  const options = { where, hint, cause }
  return new PypetError('PYPET_RESTORE_REFUSED', `nothing is restored: ${message}`, options)
}

const STRANGE = 'The file may have been made to harm. Do not run what it holds.'

/** A file may come from anybody: none of its names may lead out of the folder, nor to what git would run. */
function assertPlain(folder: string, path: Buffer): void {
  const text = path.toString()
  const shown = `the path ${JSON.stringify(text)}`
  // Backslashes are letters on most systems. What would lead away on any system is no name of ours.
  const parts = text.split(/[/\\]/)
  if (text.includes('\0') || isAbsolute(text) || /^(?:\\|[A-Za-z]:)/.test(text) || parts.includes('..')) {
    throw refused(
      text,
      `${shown} leads out of ${folder}`,
      'The job used a file outside of its folder, or the file was made to harm.',
    )
  }
  if (text.split('/').some((part) => part === '' || part === '.'))
    throw refused(text, `${shown} is not a plain path`, STRANGE)
  if (parts.some(isGitFolder))
    throw refused(text, `${shown} is in a folder of git, which runs what it finds there`, STRANGE)
}

/** `.git` in whatever way a file system may take for it: some do not see case, dots at the end, or invisible signs. */
function isGitFolder(part: string): boolean {
  const seen = part
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '')
  return seen === '.git' || /^git~\d+$/.test(seen)
}

/** Systems on which `a` and `A` are one file, as a rule. */
const FOLDS_CASE = process.platform === 'win32' || process.platform === 'darwin'

/** No path twice, and none the folder of another. */
function assertApart(paths: readonly Buffer[]): void {
  const files = new Map<string, string>()
  for (const path of paths) {
    const other = files.get(folded(path))
    const isOne = other === path.toString('latin1') || (other !== undefined && FOLDS_CASE)
    if (isOne) throw refused(path.toString(), `${JSON.stringify(path.toString())} is there twice`, STRANGE)
    files.set(folded(path), path.toString('latin1'))
  }
  for (const path of paths) {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const other = files.get(folded(path.subarray(0, end)))
      if (other === undefined) continue
      const names = [Buffer.from(other, 'latin1'), path].map((name) => JSON.stringify(name.toString()))
      throw refused(path.toString(), `${names[0]} would be a file and, for ${names[1]}, a folder`, STRANGE)
    }
  }
}

/** Two names that a system may take for one have one of these. Bytes that are no UTF-8 stay apart. */
function folded(path: Buffer): string {
  const text = path.toString()
  return text.includes('\uFFFD') ? path.toString('latin1') : text.normalize('NFC').toLowerCase()
}

/** What is there already must be a folder where one is needed, and else a file; links are not followed. */
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
    if (isLast && !found.isFile()) throw refused(path.toString(), `${shown} is there and is not a file`, hint)
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

/** What a path names, a link not followed. Also undefined below a file, where nothing can be. */
function entryAt(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw refused(String(path), `${path} cannot be looked at (${code})`, 'Name another folder.', cause)
  }
}

function followed(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
