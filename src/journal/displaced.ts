/**
 * Detects what happens to a file during writing. Others may remove, move, replace, truncate or overwrite it, and the
 * system lets the writer continue in a file that no path leads to.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readlinkSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { PypetError } from '../errors.ts'
import { makeFolders } from '../folders.ts'
import { shellWord } from '../shell-word.ts'
import { SUPERBLOCK_BYTES, superblockOf } from './cnt-format.ts'
import { FILES } from './disk.ts'
import { identityAt, identityOf } from './file-identity.ts'

export type Displacement =
  | { readonly kind: 'removed' }
  /** To another name, if the system tells it. */
  | { readonly kind: 'moved'; readonly to: string | undefined }
  /** Another file has its name. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'cut'; readonly bytes: number; readonly committedBytes: number }
  /** Its name and inode are the same, but its first bytes are not. */
  | { readonly kind: 'overwritten' }

/** What its writer knows about an open file. */
export interface KnownState {
  /** It has at least this size. */
  readonly committedBytes?: number | undefined
  /** `headOf` the file as its writer left it: each commit changes the superblock. */
  readonly head?: string | undefined
}

/** `superblockOf` the bytes on the disk. */
export function headOf(descriptor: number): string {
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  return superblockOf(head.subarray(0, readSync(descriptor, head, 0, head.byteLength, 0)))
}

/** What happened to an open file. Undefined if it is in place and seems intact. */
export function displacementOf(
  { path, descriptor }: OpenFile,
  { committedBytes = 0, head }: KnownState = {},
): Displacement | undefined {
  const there = identityAt(path)
  // Checked second: if the file loses its name in between, it has no links left, which differs from a move.
  const { size, nlink } = fstatSync(descriptor, { bigint: true })
  if (there !== identityOf(descriptor)) {
    if (nlink > 0n) return { kind: 'moved', to: nameOf(descriptor) }
    return { kind: there === undefined ? 'removed' : 'replaced' }
  }
  if (Number(size) < committedBytes) return { kind: 'cut', bytes: Number(size), committedBytes }
  return head === undefined || head === headOf(descriptor) ? undefined : { kind: 'overwritten' }
}

/** If the system tells it. */
function nameOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/** An open file that may have lost its name. */
export interface OpenFile {
  readonly path: string
  readonly descriptor: number
}

/** For a process that reports to the one that keeps the file open, and can restore its name. */
export function displacedFor(file: OpenFile, found: Displacement): PypetError {
  const isHarmed = found.kind === 'cut' || found.kind === 'overwritten'
  return isHarmed ? displacedError(file, found, undefined) : notTheSame(file.path)
}

export function notTheSame(path: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_MOVED', `${path} was moved or replaced during writing`, {
    where: path,
    hint: 'Move it back.',
    cause,
  })
}

/**
 * Restores a file that has lost its name: the HDF5 file, and its `.cnt` file too. Leaves a file that now has that name
 * alone.
 *
 * @returns the error that stops the writer: what was found, what was done, and what to type
 */
export function displacedError(file: OpenFile, found: Displacement, cnt: OpenFile | undefined): PypetError {
  const { path } = file
  const cntNote = cnt === undefined ? '' : putBackCnt(cnt)
  const error = (what: string, hint: string) =>
    new PypetError(
      'PYPET_FILE_MOVED',
      `${path} was ${what} during writing. Every run reported as stored is safe${cntNote}.`,
      { where: path, hint },
    )
  switch (found.kind) {
    case 'moved':
      return error(
        `moved${found.to === undefined ? '' : ` to ${found.to}`}`,
        found.to === undefined
          ? 'Move it back.'
          : `Move it back: mv ${shellWord(found.to)} ${shellWord(path)}`,
      )
    case 'removed': {
      const failure = putBack(file, path)
      return failure === undefined
        ? error('removed', 'It was restored from the open file.')
        : lost(path, 'removed', failure)
    }
    case 'replaced': {
      const rescued = `${path}.rescued`
      const failure = putBack(file, rescued)
      return failure === undefined
        ? error(
            `replaced by another file`,
            `The results are in ${rescued}. Move the other file away, then: mv ${shellWord(rescued)} ${shellWord(path)}`,
          )
        : lost(path, 'replaced by another file', failure)
    }
    case 'cut':
      return new PypetError(
        'PYPET_FILE_MOVED',
        `${path} was truncated during writing: it has ${found.bytes} of ${found.committedBytes} committed bytes`,
        { where: path, hint: 'Restore it and its .cnt file from the same backup.' },
      )
    case 'overwritten':
      return new PypetError('PYPET_FILE_MOVED', `${path} was overwritten by another program during writing`, {
        where: path,
        hint: 'Restore it and its .cnt file from the same backup.',
      })
  }
}

function lost(path: string, what: string, failure: Error): PypetError {
  return new PypetError(
    'PYPET_FILE_MOVED',
    `${path} was ${what} during writing, and could not be restored: ${failure.message}`,
    {
      where: path,
      hint: 'Restore it and its .cnt file from the same backup.',
      cause: failure,
    },
  )
}

function putBackCnt({ path, descriptor }: OpenFile): string {
  if (displacementOf({ path, descriptor })?.kind !== 'removed') return ''
  const failure = putBack({ path, descriptor }, path)
  return failure === undefined ? `; ${path} was restored too` : `; ${path} could not be restored`
}

const CHUNK_BYTES = 4_194_304

/** Copies an open file to a free name. Returns the error if that fails. */
function putBack({ descriptor }: OpenFile, target: string): Error | undefined {
  let copy: number | undefined
  try {
    makeFolders(dirname(target))
    copy = openSync(target, 'wx+')
    const chunk = new Uint8Array(CHUNK_BYTES)
    for (let position = 0; ; ) {
      const count = readSync(descriptor, chunk, 0, chunk.byteLength, position)
      if (count === 0) break
      for (let done = 0; done < count; ) done += writeSync(copy, chunk, done, count - done, position + done)
      position += count
    }
    fsyncSync(copy)
    FILES.syncFolderOf(target)
    return undefined
  } catch (error) {
    if (copy !== undefined) rmSync(target, { force: true })
    return error as Error
  } finally {
    if (copy !== undefined) closeSync(copy)
  }
}
