/** Files that appear all or not at all. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { sep } from 'node:path'
import { makeFolders } from '../folders.ts'

export interface NewFile {
  /** Slashed, from the folder. Names need not be UTF-8. */
  readonly path: Buffer
  readonly content: Uint8Array
}

/**
 * Writes files below a folder, which is made where it is missing. Each is created where there is nothing, not even a
 * link; one that is there is replaced by a new one. Nothing that was created stays where one of them fails.
 *
 * @throws the error of the operating system
 */
export function writeNewFiles(folder: string, files: readonly NewFile[]): void {
  const made: (string | Buffer)[] = []
  const written: Buffer[] = []
  const replacing: (readonly [from: Buffer, to: Buffer])[] = []
  try {
    makeFolders(folder, made as string[])
    for (const { path, content } of files) {
      const target = below(folder, path)
      for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
        const parent = below(folder, path.subarray(0, end))
        if (makeFolder(parent)) made.push(parent)
      }
      const isThere = lstatSync(target, { throwIfNoEntry: false }) !== undefined
      const created = isThere ? Buffer.concat([target, Buffer.from(`.${process.pid}.new`)]) : target
      const descriptor = openSync(created, 'wx')
      written.push(created)
      try {
        writeFileSync(descriptor, content)
      } finally {
        closeSync(descriptor)
      }
      if (isThere) replacing.push([created, target])
    }
    // What was there goes when all is written, so that a full disk takes nothing away.
    for (const [from, to] of replacing) renameSync(from, to)
  } catch (cause) {
    for (const path of written) rmSync(path, { force: true })
    for (const path of made.reverse()) removeEmpty(path)
    throw cause
  }
}

function below(folder: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${folder}${sep}`), path])
}

/** What others have put into it meanwhile stays. */
function removeEmpty(folder: string | Buffer): void {
  try {
    rmdirSync(folder)
  } catch {
    // The error that is told is the one before.
  }
}

/** @returns false where it was there */
function makeFolder(path: Buffer): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return false
  mkdirSync(path)
  return true
}
