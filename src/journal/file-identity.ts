/** Identifies a file by device and inode, whatever its name. */
import { fstatSync, statSync } from 'node:fs'

export type FileIdentity = `${bigint}:${bigint}`

/** Of an open file. */
export function identityOf(descriptor: number): FileIdentity {
  const { dev, ino } = fstatSync(descriptor, { bigint: true })
  return `${dev}:${ino}`
}

/** Of the file at a path. Undefined if there is none. */
export function identityAt(path: string): FileIdentity | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

/** Whether a path leads to this open file. */
export function isAt(path: string, descriptor: number): boolean {
  return identityAt(path) === identityOf(descriptor)
}
