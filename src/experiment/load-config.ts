/** Finds and reads the config file of a job. Only this file imports cosmiconfig. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { PypetError, systemRefusal } from '../errors.ts'
import { nearestName } from '../values/nearest-name.ts'
import type { ConfigContent } from './config-schema.ts'
import { importModule } from './import-module.ts'
import { assertFits, parseJsonText } from './json-text.ts'
import { bundleModule, type ModuleKind } from './module-bundle.ts'
import { absolutePath } from './option.ts'
import { OPTION_NAMES, OPTIONS, type OptionValues } from './options.ts'

/** A checked config file. Its relative paths are made absolute from its folder. */
export interface ConfigFile extends ConfigContent {
  readonly file: string
}

/** The names of config files. Within a folder, the first one counts. */
const SEARCH_PLACES: readonly string[] = [
  'package.json',
  ...['', '.json', '.yaml', '.yml', '.toml', '.ts', '.js', '.mjs', '.cjs'].map(
    (extension) => `.pypetrc${extension}`,
  ),
  ...['ts', 'js', 'mjs', 'cjs', 'json', 'yaml', 'yml', 'toml'].map(
    (extension) => `pypet.config.${extension}`,
  ),
]

/**
 * Reads the named config file, or the nearest one from the job's folder upwards, up to the home folder or the root.
 * Undefined if there is none.
 *
 * @throws PypetError `PYPET_CONFIG_NOT_FOUND` for a named file; `PYPET_CONFIG_NOT_LOADABLE`;
 *   `PYPET_CONFIG_UNKNOWN_KEY`; `PYPET_CONFIG_INVALID`
 */
export async function loadConfig(request: {
  readonly jobFile: string
  /** The file of `--config`, relative to the working directory. */
  readonly configFile?: string | undefined
  /** `process.env`: its `PYPET_CONFIG` names the file if no flag does. */
  readonly env?: Readonly<Record<string, string | undefined>>
}): Promise<ConfigFile | undefined> {
  const { jobFile, env = {} } = request
  const configFile = request.configFile ?? (env.PYPET_CONFIG || undefined)
  const found =
    configFile === undefined ? await search(dirname(resolve(jobFile))) : await load(resolve(configFile))
  if (found === undefined) return undefined
  const { parseConfig } = await import('./config-schema.ts')
  const content = parseConfig(found.content, found.file)
  return { ...content, options: absolutePaths(content.options, dirname(found.file)), file: found.file }
}

interface Found {
  readonly file: string
  readonly content: unknown
}

async function load(file: string): Promise<Found> {
  if (!isFile(file)) throw notFound(file)
  const explorer = await openExplorer()
  const result = await reading(file, () => explorer.load(file))
  return { file, content: result?.config ?? {} }
}

/**
 * Same result as cosmiconfig's own search, but loads it only for a folder with a candidate: most jobs have no config
 * file and need not wait for it.
 */
async function search(start: string): Promise<Found | undefined> {
  for (const folder of foldersUpwards(start)) {
    if (!SEARCH_PLACES.some((place) => isCandidate(join(folder, place)))) continue
    const explorer = await openExplorer()
    const result = await reading(folder, () => explorer.search(folder))
    if (result !== null) return { file: result.filepath, content: result.config }
  }
  return undefined
}

function* foldersUpwards(start: string): Generator<string> {
  const home = homedir()
  for (let folder = start; ; folder = dirname(folder)) {
    yield folder
    if (folder === home || folder === dirname(folder)) return
  }
}

function isCandidate(file: string): boolean {
  if (basename(file) !== 'package.json') return existsSync(file)
  // Nearly every folder above has one, but few of them configure pypet.
  try {
    return readFileSync(file, 'utf8').includes('"pypet"')
  } catch {
    return false // Absent or unreadable: cosmiconfig skips it too.
  }
}

async function openExplorer() {
  const { cosmiconfig, defaultLoaders } = await import('cosmiconfig')
  const loadYaml = (file: string, text: string) =>
    assertFits(text, defaultLoaders['.yaml'](file, text), 'infinity is written .inf')
  const modules = Object.fromEntries(
    ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'].map((extension) => [extension, loadModule]),
  )
  return cosmiconfig('pypet', {
    searchPlaces: [...SEARCH_PLACES],
    searchStrategy: 'none',
    loaders: {
      ...modules,
      '.json': loadJson,
      '.toml': loadToml,
      '.yaml': loadYaml,
      '.yml': loadYaml,
      noExt: loadYaml,
    },
  })
}

const CONFIG_FILE: ModuleKind = { noun: 'config file', code: 'PYPET_CONFIG_NOT_LOADABLE' }

async function loadModule(file: string): Promise<unknown> {
  await using bundle = await bundleModule(file, CONFIG_FILE)
  const exports = await importModule(bundle, CONFIG_FILE)
  if (exports.default !== undefined) return exports.default
  throw new PypetError('PYPET_CONFIG_INVALID', `${file}: expected a default export, found none`, {
    where: file,
    hint: 'Write: export default { ncores: 2 }',
  })
}

function loadJson(_file: string, text: string): unknown {
  return text.trim() === '' ? undefined : parseJsonText(text)
}

async function loadToml(_file: string, text: string): Promise<unknown> {
  const { parse } = await import('smol-toml')
  return assertFits(text, parse(text, { integersAsBigInt: 'asNeeded' }), 'infinity is written inf')
}

/** @throws PypetError `PYPET_CONFIG_NOT_LOADABLE` if the system cannot tell */
function isFile(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isFile() === true
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

/** The system refuses to read the file. */
function unreadable(file: string, cause: unknown): PypetError {
  const { found, hint } = systemRefusal(cause)
  return new PypetError('PYPET_CONFIG_NOT_LOADABLE', `cannot read the config file ${file}: ${found}`, {
    where: file,
    hint: hint ?? 'Check the path, or name another file with --config.',
    cause,
  })
}

async function reading<Result>(place: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof PypetError) throw error
    const { message, filepath } = error as Error & { readonly filepath?: string }
    const file = filepath ?? place
    if ('syscall' in (error as NodeJS.ErrnoException)) throw unreadable(file, error)
    // Some parsers repeat what the message already says: the file, the format, and that it is wrong.
    const reason = message
      .replace(`${file}: `, '')
      .replace(/^(?:YAML Error(?: in .*)?:\s*|Invalid TOML document: )/, '')
      .trimEnd()
    const separator = /^\d+:\d+: /.test(reason) ? ':' : ': '
    throw new PypetError(
      'PYPET_CONFIG_NOT_LOADABLE',
      `cannot read the config file ${file}${separator}${reason}`,
      { where: file, hint: 'Fix this line, or name another file with --config.', cause: error },
    )
  }
}

const NAME_A_FILE =
  "Name an existing file, or none, to search for pypet.config.* from the job's folder upwards."

function notFound(file: string): PypetError {
  const isFolder = existsSync(file)
  const folder = isFolder ? file : dirname(file)
  const present = SEARCH_PLACES.filter((place) => place !== 'package.json' && existsSync(join(folder, place)))
  const meant = nearestName(basename(file), present) ?? present[0]
  return new PypetError(
    'PYPET_CONFIG_NOT_FOUND',
    `cannot read the config file ${file}: ${isFolder ? 'it is not a file' : 'the file does not exist'}`,
    { where: file, hint: meant === undefined ? NAME_A_FILE : `Did you mean ${join(folder, meant)}?` },
  )
}

function absolutePaths(options: OptionValues, folder: string): OptionValues {
  const paths = OPTION_NAMES.filter((name) => OPTIONS[name].kind === 'path' && options[name] !== undefined)
  return {
    ...options,
    ...Object.fromEntries(paths.map((name) => [name, absolutePath(String(options[name]), folder)])),
  }
}
