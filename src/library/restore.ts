/** Writes back the job of a trajectory as it was when the trajectory was made. */
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, resolve, sep } from 'node:path'
import type { KeptFile } from '../environment/provenance.ts'
import { PypetError } from '../errors.ts'
import type { ParameterNode } from '../tree/parameter-node.ts'
import { loadTrajectory } from './load-trajectory.ts'

export interface RestoreOptions {
  /** The folder; it is made where there is none. */
  readonly to: string
  /** Which trajectory, where the file holds several. */
  readonly trajectory?: string
  /** Also into a folder that is not empty; files of the same name are replaced. */
  readonly force?: boolean
}

export interface Restored {
  /** The folder, absolute. */
  readonly folder: string
  /** What was written, from the folder. */
  readonly files: readonly string[]
  /** The job, from the folder; undefined when its source was left out. */
  readonly job: string | undefined
  /** The commit that was checked out, where it is known. */
  readonly commit: string | undefined
  readonly hasDiff: boolean
  /** What the trajectory's provenance does not hold. */
  readonly leftOut: readonly string[]
}

/**
 * Restores the bundled sources, the config file, untracked files, and the diff as `provenance.diff`.
 *
 * @throws PypetError `PYPET_PROVENANCE_NONE`; `PYPET_RESTORE_REFUSED` for a folder that is not empty and for paths that
 *   leave it, before anything is written; as `loadTrajectory`
 */
export async function restore(file: string, options: RestoreOptions): Promise<Restored> {
  const { trajectory } = options
  using traj = await loadTrajectory(file, {
    other: 'data',
    results: 'nothing',
    derivedParameters: 'nothing',
    ...(trajectory !== undefined && { name: trajectory }),
  })
  const values = new Map<string, unknown>()
  for (const node of traj.iterLeaves()) {
    const name = /^config\.environment\.[^.]+\.provenance\.(.+)$/.exec(node.fullName)?.[1]
    if (name !== undefined && !name.startsWith('continued_')) values.set(name, (node as ParameterNode).get())
  }
  const list = values.get('files')
  if (typeof list !== 'string') {
    throw new PypetError('PYPET_PROVENANCE_NONE', `${file} does not hold the source of its job`, {
      where: file,
      hint: 'It was made with --no-provenance, by pypet, or was ended before provenance was recorded.',
    })
  }
  const folder = resolve(options.to)
  const kept = (JSON.parse(list) as readonly KeptFile[]).map((entry) => ({
    ...entry,
    name: Buffer.from(entry.path, 'base64'),
  }))
  for (const { name } of kept) assertInside(folder, name)
  const isUsed = existsSync(folder) && readdirSync(folder).length > 0
  if (isUsed && options.force !== true) {
    throw refused(
      folder,
      `${folder} is not empty`,
      'Name another folder, or replace what is there with --force.',
    )
  }
  mkdirSync(folder, { recursive: true })
  const contents = bytesOf(values.get('contents'))
  const diff = values.has('git.diff') ? bytesOf(values.get('git.diff')) : undefined
  const root = Buffer.from(`${realpathSync(folder)}${sep}`)
  const files: string[] = []
  const write = (name: Buffer, content: Uint8Array) => {
    const end = name.lastIndexOf('/')
    if (end > 0) mkdirSync(Buffer.concat([root, name.subarray(0, end)]), { recursive: true })
    writeFileSync(Buffer.concat([root, name]), content)
    files.push(name.toString())
  }
  for (const { name, offset, bytes } of kept) write(name, contents.subarray(offset, offset + bytes))
  if (diff !== undefined) {
    assertInside(folder, Buffer.from(DIFF))
    write(Buffer.from(DIFF), diff)
  }
  const job = String(values.get('job'))
  const leftOut = values.get('left_out')
  return {
    folder,
    files,
    job: files.includes(job) ? job : undefined,
    commit: values.get('git.hexsha') as string | undefined,
    hasDiff: diff !== undefined,
    leftOut: typeof leftOut === 'string' ? leftOut.split('\n') : [],
  }
}

export const DIFF = 'provenance.diff'

function bytesOf(value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array()
  const data = (value as { data?: unknown }).data ?? value
  return data instanceof Uint8Array ? data : Uint8Array.from(data as Iterable<number>)
}

/** A file may come from anybody: none of its names may lead out of the folder, nor through a link. */
function assertInside(folder: string, name: Buffer): void {
  const text = name.toString('latin1')
  const parts = text.split(/[/\\]/)
  if (
    text === '' ||
    text.includes('\0') ||
    isAbsolute(text) ||
    /^[A-Za-z]:/.test(text) ||
    parts.includes('..')
  ) {
    throw refused(
      text,
      `the path ${JSON.stringify(text)} leads out of ${folder}`,
      'The job used a file outside of its folder.',
    )
  }
  let at = Buffer.from(folder)
  for (const part of text.split('/')) {
    at = Buffer.concat([at, Buffer.from(sep), Buffer.from(part, 'latin1')])
    const found = lstatSync(at, { throwIfNoEntry: false })
    if (found?.isSymbolicLink() === true) {
      throw refused(
        text,
        `${join(folder, text)} leads through a symbolic link`,
        'Remove it, or name another folder.',
      )
    }
  }
}

function refused(where: string, message: string, hint: string): PypetError {
  return new PypetError('PYPET_RESTORE_REFUSED', `nothing is restored: ${message}`, { where, hint })
}
