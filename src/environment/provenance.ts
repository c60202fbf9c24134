/** Where results come from: code, machine and options, as leaves of `config.environment.<env>.provenance`. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, hostname, platform, release, totalmem } from 'node:os'
import { dirname, join, parse, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PypetError } from '../errors.ts'
import { OPTION_NAMES, type Settings } from '../experiment/options.ts'
import { describeOrigin } from '../experiment/origin.ts'
import type { Extension } from '../protocol.ts'
import { logFolderOf } from '../reporting/log-folder.ts'
import { wildcardsOf } from '../run/log-name.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import { rawValue } from '../values/raw-value.ts'
import { type ParameterValue, toStoredValue } from '../values/value.ts'
import { integer } from '../values/value-forms.ts'
import { momentName } from './experiment-config.ts'
import { type GitState, gitDiff, gitHead, gitState } from './git-state.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { isSecretPath, SecretMask } from './secrets.ts'

/** A file whose bytes are in the leaf `contents`, starting at `offset`. */
export interface KeptFile {
  readonly kind: 'source' | 'config' | 'untracked'
  /** Relative to the folder `root`, with slashes; base64 of its bytes, because names need not be UTF-8. */
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

/** Time limit for git, and for the whole collection. */
const TIMEOUT_MS = 10_000

type Values = Map<string, readonly [value: ParameterValue, comment: string]>

/**
 * Collects provenance. Missing or slow information does not fail an experiment.
 *
 * @param environment `environment_83c1a34_…`, the group it belongs to
 * @param isKnown the file has it: records only what is specific to this continuation
 * @param notice called with what could not be recorded
 * @param signal abort it to end the programs that collect
 */
export async function collectProvenance(
  experiment: PreparedExperiment,
  {
    environment,
    isKnown,
    notice,
    signal,
  }: {
    readonly environment: string
    readonly isKnown: boolean
    readonly notice: (message: string) => void
    readonly signal: AbortSignal
  },
): Promise<Extension> {
  const base = `config.environment.${environment}.provenance`
  const leaves: RawLeaf[] = []
  let hasAll = false
  const add = (group: string, values: Values) => {
    for (const [name, [value, comment]] of values) {
      const location = `${group}.${name}`
      const stored = rawValue(toStoredValue(value, location))
      leaves.push({
        location,
        comment,
        annotations: [],
        kind: 'parameter',
        items: [{ name: 'data', value: stored }],
      })
    }
  }
  try {
    const { opening } = experiment
    // The start of an environment is not a continuation of it.
    const isBegun = opening.kind !== 'continue' || opening.environment !== undefined
    if (!isBegun || isKnown) add(`${base}.continued_${momentName()}`, callValues(new SecretMask()))
    if (!isKnown) {
      add(base, await everything(experiment, notice, signal))
      hasAll = true
    }
  } catch (error) {
    notice(`provenance is incomplete: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { groups: [], leaves, links: [], ...(hasAll && { hasProvenance: true }) }
}

/**
 * Refuses a working tree with changes.
 *
 * @throws PypetError `PYPET_GIT_DIRTY` naming the changes, or why they cannot be determined
 */
export async function assertClean(jobFile: string, settings: Settings): Promise<void> {
  const state = await gitState(dirname(jobFile), {
    own: ownPaths(settings),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const where = dirname(jobFile)
  if (typeof state === 'string') {
    throw new PypetError('PYPET_GIT_DIRTY', `a clean commit is required, but ${where} has none: ${state}`, {
      where,
      hint: 'Put the job into a git repository, or leave out --require-clean.',
    })
  }
  const paths = [...state.changed, ...state.untracked].map(utf8)
  if (paths.length === 0 && state.commit !== undefined) return
  const shown = paths.slice(0, 10).map((path) => JSON.stringify(path).slice(1, -1))
  const more = paths.length > shown.length ? ` and ${paths.length - shown.length} more` : ''
  const found = paths.length === 0 ? 'has no commit' : `has changes: ${shown.join(', ')}${more}`
  throw new PypetError('PYPET_GIT_DIRTY', `a clean commit is required, but ${state.root} ${found}`, {
    where: state.root,
    hint: 'Commit them, name results in .gitignore, or leave out --require-clean.',
  })
}

async function everything(
  experiment: PreparedExperiment,
  notice: (message: string) => void,
  givenUp: AbortSignal,
): Promise<Values> {
  const { job, settings } = experiment
  const folder = dirname(job.file)
  const signal = AbortSignal.any([givenUp, AbortSignal.timeout(TIMEOUT_MS)])
  const mask = new SecretMask()
  const values = callValues(mask)
  values.set('cpu', [cpus()[0]?.model ?? 'unknown', 'Processor model'])
  values.set('cores', [integer(availableParallelism()), 'Cores that this process may use'])
  values.set('memory', [integer(totalmem()), 'Bytes of memory'])
  values.set('platform', [`${platform()} ${release()} ${arch()}`, 'Operating system and processor family'])
  values.set('options', [optionLines(experiment, mask), 'Every option and where its value came from'])
  const variables = Object.entries(process.env)
    .filter(([name]) => name.startsWith('PYPET_'))
    .sort()
  values.set('variables', [
    variables.map(([name, value]) => `${name}=${JSON.stringify(mask.named(name, value ?? ''))}`).join('\n'),
    'Environment variables PYPET_*; no others are recorded',
  ])
  values.set('packages', [await packageLines(job.url), 'Packages outside of the job, with their versions'])
  const lock = await lockFile(folder)
  if (lock !== undefined) values.set('lock_file', [lock, 'Nearest lock file and its SHA-256'])

  const state = await gitState(folder, { own: ownPaths(settings), signal })
  const root = typeof state === 'string' ? folder : state.root
  const own = ownFiles(experiment, root)
  const leftOut: string[] = []
  let room = settings.provenanceMaxBytes
  if (typeof state === 'string') {
    values.set('git.state', [state, 'Why nothing is known of the repository'])
    if (!/^not in|^there is no/.test(state)) notice(`provenance is incomplete: ${state}`)
  } else {
    room -= await addGit(state, { values, leftOut, room, own, signal })
  }
  room = await addFiles(experiment, state, { root, values, leftOut, room, own })
  const missing = leftOut.filter((name) => !name.endsWith(SECRET))
  if (mask.count > 0) leftOut.push(`${mask.count} masked in argv, options and variables${SECRET}`)
  if (leftOut.length === 0) return values
  values.set('left_out', [
    leftOut.join('\n'),
    `What did not fit into ${settings.provenanceMaxBytes} bytes, was unreadable, or may be secret`,
  ])
  if (missing.length > 0)
    notice(
      `provenance is incomplete: ${missing.length} left out, ${missing[0]} first (see provenanceMaxBytes)`,
    )
  return values
}

/** Appended to the name of what is left out on purpose. */
const SECRET = ' (may hold secrets)'

function callValues(mask: SecretMask): Values {
  return new Map<string, readonly [ParameterValue, string]>([
    ['argv', [JSON.stringify(mask.words(process.argv)), 'The command, as JSON']],
    ['timestamp', [Date.now() / 1000, 'When this was recorded']],
    ['host', [hostname(), 'Name of the machine']],
    ['node', [process.versions.node, 'Version of Node.js']],
  ])
}

interface Taken {
  readonly values: Values
  readonly leftOut: string[]
  readonly room: number
  readonly own: OwnFiles
}

/** The files that the job needs to run, whatever their names: paths from the root, as latin1. */
type OwnFiles = ReadonlyMap<string, 'source' | 'config'>

function ownFiles({ job, origins, configFile, identifyJob }: PreparedExperiment, root: string): OwnFiles {
  const found = new Map<string, 'source' | 'config'>()
  const take = (path: string, kind: 'source' | 'config') => {
    const name = Buffer.from(slashed(relative(root, path))).toString('latin1')
    if (!found.has(name)) found.set(name, kind)
  }
  const folder = dirname(job.file)
  for (const source of Object.keys(identifyJob(folder).sources)) take(resolve(folder, source), 'source')
  // It may set only parameters, so that no option names it.
  if (configFile !== undefined) take(configFile, 'config')
  for (const origin of Object.values(origins)) if (origin.kind === 'config') take(origin.file, 'config')
  return found
}

async function addGit(
  state: GitState,
  { values, leftOut, room, own, signal }: Taken & { signal: AbortSignal },
): Promise<number> {
  const { root, commit, branch, changed, untracked } = state
  const names = [
    ...changed.map((path) => `changed ${utf8(path)}`),
    ...untracked.map((path) => `untracked ${utf8(path)}`),
  ]
  values.set('git.state', [names.length === 0 ? 'clean' : 'dirty', 'Whether files differ from the commit'])
  values.set('git.dirty', [names.length > 0, 'Whether files differ from the commit'])
  if (branch !== undefined) values.set('git.branch', [branch, 'Branch'])
  if (commit === undefined) return 0
  values.set('git.hexsha', [commit, 'SHA-1 hash of commit'])
  const { date, message } = await gitHead(root, signal)
  values.set('git.committed_date', [date, 'Date of commit as unix epoch seconds'])
  values.set('git.message', [storable(message), 'The commit message'])
  if (changed.length === 0) return 0
  const secret = changed.filter((path) => isSecretPath(path) && !own.has(path))
  for (const path of secret) leftOut.push(`the diff of ${JSON.stringify(utf8(path))}${SECRET}`)
  if (secret.length === changed.length) return 0
  const diff = await gitDiff(root, { maxBytes: room, without: secret, signal })
  if (diff === undefined || diff.length > room) {
    leftOut.push('the diff')
    return 0
  }
  if (diff.length > 0)
    values.set('git.diff', [new Uint8Array(diff), 'Changes of tracked files, for git apply'])
  return diff.length
}

/** @returns the remaining space */
async function addFiles(
  { job }: PreparedExperiment,
  state: GitState | string,
  { root, values, leftOut, room, own }: Taken & { readonly root: string },
): Promise<number> {
  const wanted = new Map<string, KeptFile['kind']>(own)
  for (const name of typeof state === 'string' ? [] : state.untracked) {
    if (own.has(name)) continue
    if (isSecretPath(name)) leftOut.push(`${JSON.stringify(utf8(name))}${SECRET}`)
    else wanted.set(name, 'untracked')
  }
  const kept: KeptFile[] = []
  const parts: Buffer[] = []
  let offset = 0
  for (const [name, kind] of wanted) {
    const path = Buffer.from(name, 'latin1')
    const content = await contentOf(Buffer.concat([Buffer.from(`${root}${sep}`), path]), room - offset)
    if (content === undefined) {
      leftOut.push(JSON.stringify(utf8(name)))
      continue
    }
    kept.push({ kind, path: path.toString('base64'), offset, bytes: content.length })
    parts.push(content)
    offset += content.length
  }
  values.set('files', [JSON.stringify(kept), 'Files in contents, as JSON; paths are base64'])
  values.set('job', [slashed(relative(root, job.file)), 'The job among the files'])
  if (offset > 0) values.set('contents', [new Uint8Array(Buffer.concat(parts)), 'The bytes of all files'])
  return room - offset
}

/** Only of a regular file that fits: a pipe would never end, and a link may lead elsewhere. */
async function contentOf(path: Buffer, room: number): Promise<Buffer | undefined> {
  const { lstat } = await import('node:fs/promises')
  try {
    const found = await lstat(path)
    if (!found.isFile() || found.size > room) return undefined
    const content = await readFile(path)
    return content.length > room ? undefined : content
  } catch {
    return undefined // Listed among what is left out.
  }
}

function optionLines({ settings, origins }: PreparedExperiment, mask: SecretMask): string {
  return OPTION_NAMES.map((name) => {
    const value = name
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], settings)
    return `${name} = ${JSON.stringify(mask.value(value))} (${describeOrigin(origins[name])})`
  }).join('\n')
}

/** The bundle contains the path of each package that stays outside. */
async function packageLines(url: string): Promise<string> {
  if (!url.startsWith('file:')) return ''
  const text = await readFile(fileURLToPath(url), 'utf8').catch(() => '')
  const found = new Set<string>()
  for (const [, address] of text.matchAll(
    /"((?:file:\/\/)?\/[^"\n]*\/node_modules\/(?:@[^/"]+\/)?[^/"]+)\//g,
  )) {
    const folder = address?.startsWith('file:') ? fileURLToPath(address) : String(address)
    const json = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
    if (json === undefined) continue
    const { name, version } = JSON.parse(json) as { name?: string; version?: string }
    found.add(`${name} ${version}`)
  }
  return [...found].sort().join('\n')
}

async function lockFile(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    for (const name of ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml']) {
      const content = await readFile(join(at, name)).catch(() => undefined)
      if (content !== undefined) return `${name} ${createHash('sha256').update(content).digest('hex')}`
    }
    if (at === parse(at).root) return undefined
  }
}

/** The HDF5 file, the files next to it under its name, and the logs. */
function ownPaths({ filename, logFolder, name }: Settings): string[] {
  const cntFile = join(dirname(filename), `${name}.cnt`)
  // With wildcards, only the folder of this trajectory: other folders next to it may not be logs.
  const logs = wildcardsOf(logFolder).length > 0 ? logFolderOf(logFolder, name) : logFolder
  return [resolve(filename), resolve(cntFile), `${resolve(logs)}${sep}`]
}

function utf8(latin1: string): string {
  return storable(Buffer.from(latin1, 'latin1').toString())
}

/** HDF5 ends texts at NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '')
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}
