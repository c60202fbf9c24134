/** The one file that runs esbuild: a user's module becomes one file that Node can import anywhere. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BuildFailure, BuildOptions, Message, Metafile } from 'esbuild'
import { type ErrorCode, PypetError } from '../errors.ts'
import type { JobIdentity } from '../protocol.ts'
import { makeTemporaryFolder } from '../temporary-names.ts'
import { nearestHint } from '../values/nearest-name.ts'
import type { ModuleAddress } from './import-module.ts'
import { keepMetaTrue } from './meta-plugin.ts'
import {
  bundleOwnModules,
  keepPackagesOutside,
  lendPackages,
  OWN_INDEX,
  ownExports,
} from './package-plugin.ts'

/** What is being loaded, for messages: the word, and the code of the error when it does not load. */
export interface ModuleKind {
  readonly noun: 'job' | 'config file' | 'storage service' | 'log transports' | 'class module'
  readonly code: ErrorCode
  /** Packages of ours, for a module that may import them and does not find them: the first, and what that one uses. */
  readonly lends?: readonly [string, ...string[]]
}

/** A bundle on disk. Structured cloning leaves its `ModuleAddress`, so it can be sent to a thread. */
export class ModuleBundle implements ModuleAddress {
  readonly url: string
  readonly file: string
  readonly #folder: string
  /** The user's files in the bundle, absolute. */
  readonly #sources: readonly string[]

  constructor(file: string, folder: string, bundleFile: string, sources: readonly string[]) {
    this.file = file
    this.url = pathToFileURL(bundleFile).href
    this.#folder = folder
    this.#sources = sources
  }

  /**
   * What tells this module from a changed one: its source files, wherever their folder lies. Packages outside
   * of the bundle do not count.
   *
   * @param folder from which the module is to be found again after both have moved
   */
  identity(folder: string): JobIdentity {
    const sources: Record<string, string> = {}
    for (const path of this.#sources) {
      sources[slashed(relative(dirname(this.file), path))] = sha256(readFileSync(path))
    }
    const relativeFile = slashed(relative(folder, this.file))
    return { file: this.file, relativeFile, sha256: sha256(JSON.stringify(sources)), sources }
  }

  /** Removes the bundle from disk. What has imported it already goes on working. */
  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    leftFolders.delete(this.#folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}

/** Where the process ends before a bundle is disposed of, as by a signal, nothing else would remove it. */
const leftFolders = new Set<string>()
let isExitAwaited = false

function removeAtExit(folder: string): void {
  leftFolders.add(folder)
  if (isExitAwaited) return
  isExitAwaited = true
  process.on('exit', () => {
    for (const left of leftFolders) rmSync(left, { recursive: true, force: true })
  })
}

/**
 * Bundles a module and writes it into a fresh folder that only this user can read.
 *
 * @throws PypetError of the given code, with file, line, column and the line itself
 */
export async function bundleModule(file: string, kind: ModuleKind): Promise<ModuleBundle> {
  const folder = makeTemporaryFolder('')
  const bundleFile = join(folder, 'bundle.mjs')
  removeAtExit(folder)
  try {
    const { contents, sources } = await build(file, folder, kind)
    writeFileSync(bundleFile, contents)
    return new ModuleBundle(file, folder, bundleFile, sources)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    leftFolders.delete(folder)
    throw isBuildFailure(error) ? notBuilt(error, file, kind) : error
  }
}

/** An entry of ours and a job, as a fresh process loads them fastest. */
export interface ProcessBundle extends AsyncDisposable {
  /** The entry's file. */
  readonly entry: string
  /** The job, which shares with the entry what both use of pypet-ts. */
  readonly job: ModuleAddress
}

/**
 * Bundles an entry of ours together with a bundled job: a process that performs one run then reads three files, and
 * what it needs of pypet-ts only, instead of every module of it. Packages stay outside.
 *
 * @param entry the compiled module, or its source
 */
export async function bundleProcess(entry: string, job: ModuleAddress): Promise<ProcessBundle> {
  const folder = makeTemporaryFolder('')
  removeAtExit(folder)
  const dispose = async () => {
    await rm(folder, { recursive: true, force: true })
    leftFolders.delete(folder)
  }
  try {
    await withEsbuild((esbuild) =>
      esbuild.build({
        ...AS_NODE,
        // Short enough not to be cut, and told apart from what both share.
        entryPoints: { process: entry, job: fileURLToPath(job.url) },
        absWorkingDir: folder,
        outdir: folder,
        outExtension: { '.js': '.mjs' },
        splitting: true,
        // Read when a stack is written, not before.
        sourcemap: 'linked',
        plugins: [bundleOwnModules, keepPackagesOutside, keepMetaTrue],
      }),
    )
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    entry: join(folder, 'process.mjs'),
    job: { url: pathToFileURL(join(folder, 'job.mjs')).href, file: job.file },
    [Symbol.asyncDispose]: dispose,
  }
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}

/** Builds under way: the esbuild process is shared by them and ends with the last. */
let buildCount = 0

interface Built {
  readonly contents: Uint8Array
  readonly sources: readonly string[]
}

/** What every bundle has in common: it runs in this Node, and says what it does in the user's lines. */
const AS_NODE = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: `node${process.versions.node}`,
  // As Node resolves packages: without this esbuild prefers the `module` field and condition.
  mainFields: ['main'],
  conditions: ['node-addons'],
  sourcesContent: false,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
} as const satisfies BuildOptions

/**
 * A class is stored by its name, so none may lose it. Keeping names costs a call wherever a function is made, in the inner loops
 * of jobs, too; so it is done only where esbuild has given a class another one.
 */
async function build(file: string, folder: string, kind: ModuleKind): Promise<Built> {
  return await withEsbuild(async (esbuild) => {
    const built = await buildWith(esbuild, file, folder, kind, { keepNames: false })
    const isRenamed = hasRenamedClass(Buffer.from(built.contents).toString())
    return isRenamed ? await buildWith(esbuild, file, folder, kind, { keepNames: true }) : built
  })
}

/**
 * Whether classes may have other names than in their sources: `_Spectrum`, which refers to itself, and `Spectrum2`, which stands
 * beside another `Spectrum`.
 */
export function hasRenamedClass(bundle: string): boolean {
  if (/(\w+) = class _\1\b/.test(bundle)) return true
  const numbered = [...bundle.matchAll(/\bclass (\w+\d)\b|\b(\w+\d) = class\b/g)]
  if (numbered.length === 0) return false
  const words = new Set(bundle.match(/\w+/g))
  return numbered.some(([, inner, outer]) => {
    const name = (inner ?? outer) as string
    const digits = (/\d+$/.exec(name) as RegExpExecArray)[0].length
    return Array.from({ length: digits }, (_, cut) => name.slice(0, -1 - cut)).some((plain) =>
      words.has(plain),
    )
  })
}

async function buildWith(
  esbuild: typeof import('esbuild'),
  file: string,
  folder: string,
  { lends }: ModuleKind,
  { keepNames }: { readonly keepNames: boolean },
): Promise<Built> {
  const lent = lends === undefined ? [] : [lendPackages(lends[0], lends)]
  const result = await esbuild.build({
    ...AS_NODE,
    keepNames,
    entryPoints: [file],
    absWorkingDir: dirname(file),
    outfile: join(folder, 'bundle.mjs'),
    write: false,
    // The job must do what its files do, also where a package claims to be free of side effects.
    ignoreAnnotations: true,
    sourcemap: 'inline',
    metafile: true,
    // CommonJS sources call `require` at run time for what stays outside of the bundle.
    banner: { js: requireBanner(file) },
    plugins: [keepPackagesOutside, ...lent, keepMetaTrue],
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error(`esbuild made nothing of ${file}`)
  return { contents: output.contents, sources: sourcesOf(result.metafile, dirname(file)) }
}

async function withEsbuild<Result>(
  action: (esbuild: typeof import('esbuild')) => Promise<Result>,
): Promise<Result> {
  // Not `import()`: Node would first search esbuild's CommonJS for its exports, a quarter of the loading time.
  const esbuild: typeof import('esbuild') = createRequire(import.meta.url)('esbuild')
  buildCount += 1
  const spawning = watchSpawn()
  try {
    return await Promise.race([action(esbuild), spawning.failed])
  } catch (error) {
    // What it says by itself comes before the reason.
    await nextTurn()
    throw spawning.error() ?? error
  } finally {
    spawning.end()
    buildCount -= 1
    if (buildCount === 0) await esbuild.stop()
  }
}

/** esbuild does not listen for the error of its own process, such as of too many open files: Node would end with it. */
function watchSpawn(): { readonly failed: Promise<never>; error(): Error | undefined; end(): void } {
  let found: Error | undefined
  let reject: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed
  })
  failed.catch(() => undefined)
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.syscall?.startsWith('spawn') === true && error.syscall.includes('esbuild')) {
      found = error
      reject(error)
      return
    }
    // Somebody else's: as if nobody had listened here.
    process.off('uncaughtException', onError)
    process.nextTick(() => {
      throw error
    })
  }
  process.on('uncaughtException', onError)
  return { failed, error: () => found, end: () => process.off('uncaughtException', onError) }
}

/** The files that were bundled, absolute and sorted; not what plugins have made. */
function sourcesOf({ inputs }: Metafile, folder: string): string[] {
  return Object.keys(inputs)
    .filter((input) => !MADE.test(input))
    .map((input) => resolve(folder, input))
    .sort()
}

/** esbuild puts the namespace before what is in no file. */
const MADE = /^(?:pypet-[a-z-]+|disabled):|^<define:/

function requireBanner(file: string): string {
  return [
    "import { createRequire as pypetCreateRequire } from 'node:module'",
    `const require = pypetCreateRequire(${JSON.stringify(pathToFileURL(file).href)})`,
  ].join(';')
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function notBuilt(failure: BuildFailure, file: string, kind: ModuleKind): PypetError {
  const [first] = failure.errors.map(withoutOwnPlaces)
  if (first?.location === null && first.text.startsWith(`Could not resolve ${JSON.stringify(file)}`)) {
    return new PypetError(kind.code, `cannot load the ${kind.noun} ${file}: there is no such file`, {
      where: file,
      hint: 'Check the path.',
      cause: failure,
    })
  }
  const more = failure.errors.length > 1 ? `\n(and ${failure.errors.length - 1} more)` : ''
  const text = first?.text ?? failure.message
  const place = first === undefined ? { where: file, excerpt: '' } : placeOf(first, file)
  return new PypetError(
    kind.code,
    `cannot load the ${kind.noun} ${place.where}: ${text}${place.excerpt}${more}`,
    {
      where: place.where,
      hint: hintFor(text),
      cause: failure,
    },
  )
}

/** A job imports from `pypet-ts`, whatever that is to esbuild. */
function withoutOwnPlaces(message: Message): Message {
  return { ...message, text: message.text.replace(new RegExp(`"${OWN_INDEX}:[^"]*"`), '"pypet-ts"') }
}

function placeOf(message: Message, file: string): { where: string; excerpt: string } {
  const { location } = message
  if (location === null) return { where: file, excerpt: '' }
  // esbuild counts columns in bytes from 0, people count characters from 1.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString()
  const source = resolve(dirname(file), location.file)
  const gutter = `  ${location.line} | `
  return {
    where: `${source}:${location.line}:${before.length + 1}`,
    excerpt: `\n${gutter}${location.lineText}\n${' '.repeat(gutter.length)}${before.replace(/[^\t]/g, ' ')}^`,
  }
}

function hintFor(text: string): string {
  const strange = /^No matching export in "pypet-ts" for import "([^"]*)"/.exec(text)?.[1]
  if (strange !== undefined) {
    const names = ownExports()
    return nearestHint(strange, names, `It exports ${names.join(', ')}.`)
  }
  const missing = /^Could not resolve "([^"./][^"]*)"/.exec(text)?.[1]
  if (missing === undefined) {
    return text.startsWith('Could not resolve')
      ? 'Check the path; it starts from the folder of the file that imports.'
      : 'Fix the line; the file is read as TypeScript or JavaScript by its extension.'
  }
  const packageName = missing.split('/', missing.startsWith('@') ? 2 : 1).join('/')
  return `Install it next to the file: npm install ${packageName}`
}
