/**
 * What becomes of a file while it is open for writing: others may remove, move, replace, cut or overwrite it, and the
 * system lets the writer go on into a file that nobody finds any more.
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
  /** To another name, which is known where the system tells it. */
  | { readonly kind: 'moved'; readonly to: string | undefined }
  /** Another file has its name, and it has none. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'cut'; readonly bytes: number; readonly committedBytes: number }
  /** Its name and its inode are as they were, its first bytes are not. */
  | { readonly kind: 'overwritten' }

/** What its writer knows of a file that it has open. */
export interface KnownState {
  /** So many bytes it has at least. */
  readonly committedBytes?: number | undefined
  /** `headOf` it, as its writer left it: each commit changes the superblock. */
  readonly head?: string | undefined
}

/** `superblockOf` the bytes that are on the disk. */
export function headOf(descriptor: number): string {
  const head = new Uint8Array(SUPERBLOCK_BYTES)
  return superblockOf(head.subarray(0, readSync(descriptor, head, 0, head.byteLength, 0)))
}

/** What has become of an open file. Undefined when it is where it was, and whole, as far as is known. */
export function displacementOf(
  { path, descriptor }: OpenFile,
  { committedBytes = 0, head }: KnownState = {},
): Displacement | undefined {
  const there = identityAt(path)
  // Asked second: who takes the name away in between has left the file none, which is told apart from a move.
  const { size, nlink } = fstatSync(descriptor, { bigint: true })
  if (there !== identityOf(descriptor)) {
    if (nlink > 0n) return { kind: 'moved', to: nameOf(descriptor) }
    return { kind: there === undefined ? 'removed' : 'replaced' }
  }
  if (Number(size) < committedBytes) return { kind: 'cut', bytes: Number(size), committedBytes }
  return head === undefined || head === headOf(descriptor) ? undefined : { kind: 'overwritten' }
}

/** Where the system tells it. */
function nameOf(descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return undefined
  }
}

/** A file that is open and may have lost its name. */
export interface OpenFile {
  readonly path: string
  readonly descriptor: number
}

/** For who is to tell somebody else, who has the file open all the time and can put it back where it has lost its name. */
export function displacedFor(file: OpenFile, found: Displacement): PypetError {
  const isHarmed = found.kind === 'cut' || found.kind === 'overwritten'
  return isHarmed ? displacedError(file, found, undefined) : notTheSame(file.path)
}

export function notTheSame(path: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_MOVED', `${path} is not the file any more that is being written`, {
    where: path,
    hint: 'Put it back.',
    cause,
  })
}

/**
 * Puts back what has lost its name: the HDF5 file, and its `.cnt` file where that has lost its own too. What lies at the
 * name by now is left alone.
 *
 * @returns the error that stops the writer: what was found, what was done, and what to type
 */
export function displacedError(file: OpenFile, found: Displacement, cnt: OpenFile | undefined): PypetError {
  const { path } = file
  const cntNote = cnt === undefined ? '' : putBackCnt(cnt)
  const error = (what: string, hint: string) =>
    new PypetError(
      'PYPET_FILE_MOVED',
      `${path} was ${what} while it was being written. Every run that was announced is safe${cntNote}.`,
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
        ? error('removed', 'It was put back from the open file.')
        : lost(path, 'removed', failure)
    }
    case 'replaced': {
      const rescued = `${path}.rescued`
      const failure = putBack(file, rescued)
      return failure === undefined
        ? error(
            `replaced by another file`,
            `What was written is in ${rescued}. Move the other file away, then: mv ${shellWord(rescued)} ${shellWord(path)}`,
          )
        : lost(path, 'replaced by another file', failure)
    }
    case 'cut':
      return new PypetError(
        'PYPET_FILE_MOVED',
        `${path} was cut to ${found.bytes} bytes while it was being written, of ${found.committedBytes} that were committed`,
        { where: path, hint: 'Put back a copy of it and of its .cnt file that were made together.' },
      )
    case 'overwritten':
      return new PypetError(
        'PYPET_FILE_MOVED',
        `${path} was overwritten by another program while it was being written`,
        { where: path, hint: 'Put back a copy of it and of its .cnt file that were made together.' },
      )
  }
}

function lost(path: string, what: string, failure: Error): PypetError {
  return new PypetError(
    'PYPET_FILE_MOVED',
    `${path} was ${what} while it was being written, and could not be put back: ${failure.message}`,
    {
      where: path,
      hint: 'Put back a copy of it and of its .cnt file that were made together.',
      cause: failure,
    },
  )
}

function putBackCnt({ path, descriptor }: OpenFile): string {
  if (displacementOf({ path, descriptor })?.kind !== 'removed') return ''
  const failure = putBack({ path, descriptor }, path)
  return failure === undefined ? `; ${path} was put back, too` : `; ${path} could not be put back`
}

const CHUNK_BYTES = 4_194_304

/** Copies an open file to a name that nothing has. Returns why that was not possible. */
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
