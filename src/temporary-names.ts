/**
 * Names for temporary files and folders. Each name tells which process made it, so that a later process can remove what
 * a killed one left: `<pid>-<place>`. The place stands for one boot of a machine and one pid namespace.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isAlive, place } from './process-facts.ts'

/** Used if the path of the normal temporary folder is too long for a socket. */
export const SHORT_FOLDER = process.platform === 'win32' ? tmpdir() : '/tmp'

/** `<path>.<kind>.<pid>-<place>`: a name next to a file that no other process uses. */
export function temporaryBeside(path: string, kind: string): string {
  return `${path}.${kind}.${ownMark()}`
}

/**
 * Undoes something if the process ends early: in order, by a signal that is handled, or by an uncaught error.
 *
 * @returns a function that undoes it now, and cancels the undo at exit
 */
export function undoAtExit(undo: () => void): () => void {
  const undoOnce = () => {
    process.off('exit', undoOnce)
    undo()
  }
  process.on('exit', undoOnce)
  return undoOnce
}

/** Removes a file with such a name, and the files derived from it. Never throws. */
export function removeTemporary(path: string): void {
  const prefix = `${basename(path)}.`
  remove(path)
  for (const name of namesIn(dirname(path))) if (name.startsWith(prefix)) remove(join(dirname(path), name))
}

/**
 * Removes files with such names that killed processes left next to a file, and the files derived from them. Never
 * throws.
 */
export function sweepBeside(path: string): void {
  const prefix = `${basename(path)}.`
  sweep(dirname(path), (name) =>
    name.startsWith(prefix) ? MARK_BESIDE.exec(name.slice(prefix.length)) : null,
  )
}

/**
 * Creates a temporary folder that only this user can enter: `pypet-ts-<kind><pid>-<place>-XXXXXX`.
 *
 * @throws the system's error, unchanged
 */
export function makeTemporaryFolder(kind: '' | 'writer-', within = tmpdir()): string {
  return mkdtempSync(`${join(within, temporaryPrefix(kind))}`)
}

/** The name of such a folder. Create the folder when it is needed. */
export function temporaryFolderName(): string {
  return join(tmpdir(), `${temporaryPrefix('')}${randomBytes(3).toString('hex')}`)
}

export function temporaryPrefix(kind: '' | 'writer-'): string {
  return `pypet-ts-${kind}${ownMark()}-`
}

/** Removes temporary folders that killed processes left. Never throws. */
export function sweepTemporaryFolders(): void {
  for (const within of new Set([tmpdir(), SHORT_FOLDER])) sweep(within, (name) => MARK_OF_FOLDER.exec(name))
}

/** What follows the file's name in an abandoned name. */
const MARK_BESIDE = /^(?:[a-z-]+\.)+(?<pid>\d{1,10})-(?<place>[0-9a-f]{6})(?:\..+)?$/
const MARK_OF_FOLDER = /^pypet-ts-(?:writer-)?(?<pid>\d{1,10})-(?<place>[0-9a-f]{6})-[A-Za-z0-9]{6}$/

function sweep(folder: string, markOf: (name: string) => RegExpExecArray | null): void {
  try {
    for (const name of readdirSync(folder)) {
      const mark = markOf(name)?.groups
      // In another place, the process may still be alive.
      if (mark === undefined || mark.place !== ownPlace()) continue
      if (isAlive({ pid: Number(mark.pid), processStart: '' })) continue
      remove(join(folder, name))
    }
  } catch {
    // Whoever needs the folder gets the same error, and can report it.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Files of other users stay. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {}
}

function ownMark(): string {
  return `${process.pid}-${ownPlace()}`
}

let knownPlace: string | undefined

function ownPlace(): string {
  if (knownPlace === undefined) {
    const { host, bootId, pidNamespace } = place()
    knownPlace = createHash('sha1').update([host, bootId, pidNamespace].join('\n')).digest('hex').slice(0, 6)
  }
  return knownPlace
}
