/** Writes several files: all or none. */
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
  /** Relative to the folder, with slashes. Names need not be UTF-8. */
  readonly path: Buffer
  readonly content: Uint8Array
}

/**
 * Writes files below a folder, which is made if it is missing. Each file is created at a place where nothing exists, not
 * even a link. An existing file is replaced by a new one. If one fails, everything that was created is removed.
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
    // Replace old files only when everything is written, so that a full disk loses nothing.
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

/** Keeps what others have added in the meantime. */
function removeEmpty(folder: string | Buffer): void {
  try {
    rmdirSync(folder)
  } catch {
    // Report the earlier error instead.
  }
}

/** @returns false if it already existed */
function makeFolder(path: Buffer): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return false
  mkdirSync(path)
  return true
}
