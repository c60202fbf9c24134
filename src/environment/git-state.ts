/** The git state of a folder, from the `git` command, which is told to write nothing and to run no hooks. */
import { execFile } from 'node:child_process'
import { relative, sep } from 'node:path'

export interface GitState {
  /** The top folder of the working tree, absolute. */
  readonly root: string
  /** Undefined before the first commit. */
  readonly commit: string | undefined
  /** Undefined if HEAD is detached. */
  readonly branch: string | undefined
  /**
   * Tracked files that differ from HEAD, relative to `root`. Their bytes as latin1, because names need not be UTF-8.
   */
  readonly changed: readonly string[]
  /** Files that git neither tracks nor ignores, in the form of `changed`. */
  readonly untracked: readonly string[]
}

export interface GitCall {
  readonly signal?: AbortSignal | undefined
  /**
   * Absolute paths that the experiment itself writes; they do not count as changes. A folder ends with a separator, and
   * `$env` in it matches the name of any environment. A file includes those next to it whose names continue after a
   * dot.
   */
  readonly own?: readonly string[]
}

/**
 * The state of the repository that contains a folder.
 *
 * @returns a sentence if there is no repository or no git, or if git fails
 */
export async function gitState(
  folder: string,
  { signal, own = [] }: GitCall = {},
): Promise<GitState | string> {
  try {
    const top = await git(folder, ['rev-parse', '--show-toplevel'], { signal })
    const root = top.toString().replace(/\r?\n$/, '')
    const status = await git(
      root,
      ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all', '--no-renames'],
      { signal },
    )
    const prefixes = own.map((path) => {
      const inside = slashed(relative(root, path))
      return Buffer.from(path.endsWith(sep) ? `${inside}/` : inside).toString('latin1')
    })
    return {
      root,
      ...parseStatus(status.toString('latin1'), (path) => !prefixes.some((own) => isOf(path, own))),
    }
  } catch (error) {
    return whyNot(error)
  }
}

/**
 * The changes of tracked files against HEAD, in the format of `git apply`.
 *
 * @param without files to leave out, named as in `GitState`
 * @returns undefined if the changes exceed `maxBytes`
 */
export async function gitDiff(
  root: string,
  {
    maxBytes,
    without,
    signal,
  }: { readonly maxBytes: number; readonly without: readonly string[]; readonly signal?: AbortSignal },
): Promise<Buffer | undefined> {
  const flags = [
    '--binary',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
    '--submodule=short',
  ]
  try {
    const call = ['diff', ...flags, '--src-prefix=a/', '--dst-prefix=b/', 'HEAD', '--', ':(top)']
    for (const path of without) call.push(`:(top,exclude,glob)${globOf(path)}`)
    return await git(root, call, { signal, maxBuffer: maxBytes + 1 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return undefined
    throw error
  }
}

/** A pattern for this file. Arguments are UTF-8 but names need not be, so each non-ASCII byte becomes a wildcard. */
function globOf(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&').replace(/[^\0-\x7F]/g, '?')
}

/** Date (seconds since 1970) and subject of HEAD. */
export async function gitHead(
  root: string,
  signal?: AbortSignal,
): Promise<{ date: number; message: string }> {
  const text = (
    await git(root, ['log', '-1', '--no-show-signature', '--format=%ct%n%s'], { signal })
  ).toString()
  const end = text.indexOf('\n')
  return { date: Number(text.slice(0, end)), message: text.slice(end + 1).trimEnd() }
}

const SAFELY = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.quotePath=false']
const STATUS_BYTES_MAX = 67_108_864

function git(
  cwd: string,
  args: readonly string[],
  { signal, maxBuffer = STATUS_BYTES_MAX }: { signal?: AbortSignal | undefined; maxBuffer?: number },
): Promise<Buffer> {
  // Inside a git hook, these variables name the hook's repository.
  const elsewhere = { GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined }
  const env = { ...process.env, ...elsewhere, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
  return new Promise((resolve, reject) => {
    const options = {
      cwd,
      env,
      maxBuffer,
      encoding: 'buffer' as const,
      ...(signal !== undefined && { signal }),
    }
    execFile('git', [...SAFELY, ...args], options, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(error)
    })
  })
}

/** `git help status` describes the format: entries end with NUL, and changed paths follow eight fields. */
function parseStatus(text: string, isWanted: (path: string) => boolean) {
  const state = { commit: undefined as string | undefined, branch: undefined as string | undefined }
  const changed: string[] = []
  const untracked: string[] = []
  for (const entry of text.split('\0')) {
    const oid = /^# branch\.oid (.*)$/s.exec(entry)?.[1]
    const head = /^# branch\.head (.*)$/s.exec(entry)?.[1]
    if (oid !== undefined && oid !== '(initial)') state.commit = oid
    if (head !== undefined && head !== '(detached)') state.branch = Buffer.from(head, 'latin1').toString()
    if (entry.startsWith('? ')) untracked.push(entry.slice(2))
    const path = /^(?:1(?: \S+){7}|u(?: \S+){9}) (.*)$/s.exec(entry)?.[1]
    if (path !== undefined) changed.push(path)
  }
  return { ...state, changed: changed.filter(isWanted), untracked: untracked.filter(isWanted) }
}

function isOf(path: string, own: string): boolean {
  if (!own.endsWith('/')) return path === own || path.startsWith(`${own}.`)
  const literals = own.split('$env').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${literals.join('environment_[0-9a-f]{7}_[^/]*')}`).test(path)
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}

function whyNot(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException
  if (name === 'AbortError') return 'git took too long'
  if (code === 'ENOENT') return 'there is no git command'
  if (/not a git repository|must be run in a work tree/.test(message)) return 'not in a git repository'
  return `git failed: ${message.split('\n').slice(1).join(' ').trim() || message}`
}
