/**
 * Temporary files and folders say in their names whose they are, so that whoever comes next can remove what a killed
 * process has left: `<pid>-<place>`, where the place stands for a boot of a machine and a namespace of its pids.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isAlive, place } from './process-facts.ts'

/** Where the folder for temporary files has too long a path for a socket. */
export const SHORT_FOLDER = process.platform === 'win32' ? tmpdir() : '/tmp'

/** `<path>.<kind>.<pid>-<place>`: a name beside a file that no other process uses. */
export function temporaryBeside(path: string, kind: string): string {
  return `${path}.${kind}.${ownMark()}`
}

/**
 * Lets something be undone where the process ends before it is done: in order, by a signal that somebody hears, or by an
 * error that nobody catches.
 *
 * @returns undoes it now, and not at the exit
 */
export function undoAtExit(undo: () => void): () => void {
  const undoOnce = () => {
    process.off('exit', undoOnce)
    undo()
  }
  process.on('exit', undoOnce)
  return undoOnce
}

/** Removes a file under such a name, and what grew around it. Never throws. */
export function removeTemporary(path: string): void {
  const prefix = `${basename(path)}.`
  remove(path)
  for (const name of namesIn(dirname(path))) if (name.startsWith(prefix)) remove(join(dirname(path), name))
}

/** Removes what killed processes have left beside a file under such names, and what grew around those. Never throws. */
export function sweepBeside(path: string): void {
  const prefix = `${basename(path)}.`
  sweep(dirname(path), (name) =>
    name.startsWith(prefix) ? MARK_BESIDE.exec(name.slice(prefix.length)) : null,
  )
}

/**
 * A fresh folder for temporary files that only this user can enter: `pypet-ts-<kind><pid>-<place>-XXXXXX`.
 *
 * @throws the system's error, unchanged
 */
export function makeTemporaryFolder(kind: '' | 'writer-', within = tmpdir()): string {
  return mkdtempSync(`${join(within, temporaryPrefix(kind))}`)
}

/** The name of such a folder, which is not made before somebody needs it. */
export function temporaryFolderName(): string {
  return join(tmpdir(), `${temporaryPrefix('')}${randomBytes(3).toString('hex')}`)
}

export function temporaryPrefix(kind: '' | 'writer-'): string {
  return `pypet-ts-${kind}${ownMark()}-`
}

/** Removes the folders for temporary files that killed processes have left. Never throws. */
export function sweepTemporaryFolders(): void {
  for (const within of new Set([tmpdir(), SHORT_FOLDER])) sweep(within, (name) => MARK_OF_FOLDER.exec(name))
}

/** What an abandoned name looks like behind that of its file. */
const MARK_BESIDE = /^(?:[a-z-]+\.)+(?<pid>\d{1,10})-(?<place>[0-9a-f]{6})(?:\..+)?$/
const MARK_OF_FOLDER = /^pypet-ts-(?:writer-)?(?<pid>\d{1,10})-(?<place>[0-9a-f]{6})-[A-Za-z0-9]{6}$/

function sweep(folder: string, markOf: (name: string) => RegExpExecArray | null): void {
  try {
    for (const name of readdirSync(folder)) {
      const mark = markOf(name)?.groups
      // Of another place it cannot be known whether the process lives.
      if (mark === undefined || mark.place !== ownPlace()) continue
      if (isAlive({ pid: Number(mark.pid), processStart: '' })) continue
      remove(join(folder, name))
    }
  } catch {
    // Whoever needs the folder meets the same error, where it can be told.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** What belongs to another user stays. */
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
