/** Bundles a user's module into one file that Node can import anywhere. Only this file runs esbuild. */
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

/** What is being loaded, for messages: the noun, and the code of the error if it does not load. */
export interface ModuleKind {
  readonly noun: 'job' | 'config file' | 'storage service' | 'log transports' | 'class module'
  readonly code: ErrorCode
  /**
   * pypet-ts's own packages for a module that imports them but does not find them: the first, and those it depends on.
   */
  readonly lends?: readonly [string, ...string[]]
}

/** A bundle on disk. Structured cloning reduces it to its `ModuleAddress`, so it can be sent to a thread. */
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
   * Distinguishes this module from a changed one: its source files, wherever their folder is. Packages outside the
   * bundle do not count.
   *
   * @param folder from which the module can be found again after both have moved
   */
  identity(folder: string): JobIdentity {
    const sources: Record<string, string> = {}
    for (const path of this.#sources) {
      sources[slashed(relative(dirname(this.file), path))] = sha256(readFileSync(path))
    }
    const relativeFile = slashed(relative(folder, this.file))
    return { file: this.file, relativeFile, sha256: sha256(JSON.stringify(sources)), sources }
  }

  /** Removes the bundle from disk. Whatever has imported it continues to work. */
  async dispose(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    leftFolders.delete(this.#folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}

/** If the process ends before a bundle is disposed of, as by a signal, these are removed at the exit. */
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
 * Bundles a module into a new folder that only this user can read.
 *
 * @throws PypetError with the given code, with file, line, column and the line itself
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

/** An entry of pypet-ts and a job, bundled so that a new process loads them fastest. */
export interface ProcessBundle extends AsyncDisposable {
  /** The entry's file. */
  readonly entry: string
  /** The job. It shares with the entry what both use of pypet-ts. */
  readonly job: ModuleAddress
}

/**
 * Bundles an entry of pypet-ts with a bundled job. A process for one run then reads three files, with only what it
 * needs of pypet-ts, instead of every module. Packages stay outside.
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
        // Short names are not cut, and differ from the shared chunk.
        entryPoints: { process: entry, job: fileURLToPath(job.url) },
        absWorkingDir: folder,
        outdir: folder,
        outExtension: { '.js': '.mjs' },
        splitting: true,
        // Read only when a stack is written.
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

/** Active builds: they share the esbuild process, which ends with the last one. */
let buildCount = 0

interface Built {
  readonly contents: Uint8Array
  readonly sources: readonly string[]
}

/** Common to all bundles: they run in this Node, and report the user's lines. */
const AS_NODE = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: `node${process.versions.node}`,
  // As Node resolves packages; otherwise esbuild prefers the `module` field and condition.
  mainFields: ['main'],
  conditions: ['node-addons'],
  sourcesContent: false,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
} as const satisfies BuildOptions

/**
 * A class is stored by its name, so none may lose it. Keeping names costs a call for every function that is made, even
 * in the inner loops of jobs. So it is done only if esbuild has renamed a class.
 */
async function build(file: string, folder: string, kind: ModuleKind): Promise<Built> {
  return await withEsbuild(async (esbuild) => {
    const built = await buildWith(esbuild, file, folder, kind, { keepNames: false })
    const isRenamed = hasRenamedClass(Buffer.from(built.contents).toString())
    return isRenamed ? await buildWith(esbuild, file, folder, kind, { keepNames: true }) : built
  })
}

/**
 * Whether classes may have other names than in their sources: `_Spectrum`, which refers to itself, and `Spectrum2`,
 * next to another `Spectrum`.
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
    // The job must do what its files do, even if a package claims to have no side effects.
    ignoreAnnotations: true,
    sourcemap: 'inline',
    metafile: true,
    // CommonJS sources call `require` at run time for what stays outside the bundle.
    banner: { js: requireBanner(file) },
    plugins: [keepPackagesOutside, ...lent, keepMetaTrue],
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error(`esbuild returned nothing for ${file}`)
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
    // esbuild's own output comes before the reason.
    await nextTurn()
    throw spawning.error() ?? error
  } finally {
    spawning.end()
    buildCount -= 1
    if (buildCount === 0) await esbuild.stop()
  }
}

/** esbuild does not listen for errors of its own process, such as too many open files, and Node would end. */
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
    // Not esbuild's error: behave as if nobody had listened here.
    process.off('uncaughtException', onError)
    process.nextTick(() => {
      throw error
    })
  }
  process.on('uncaughtException', onError)
  return { failed, error: () => found, end: () => process.off('uncaughtException', onError) }
}

/** The bundled files, absolute and sorted, without those that plugins made. */
function sourcesOf({ inputs }: Metafile, folder: string): string[] {
  return Object.keys(inputs)
    .filter((input) => !MADE.test(input))
    .map((input) => resolve(folder, input))
    .sort()
}

/** esbuild puts a namespace before the name of what is not a file. */
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
    return new PypetError(kind.code, `cannot load the ${kind.noun} ${file}: the file does not exist`, {
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

/** A job imports from `pypet-ts`; esbuild's internal name for it is replaced. */
function withoutOwnPlaces(message: Message): Message {
  return { ...message, text: message.text.replace(new RegExp(`"${OWN_INDEX}:[^"]*"`), '"pypet-ts"') }
}

function placeOf(message: Message, file: string): { where: string; excerpt: string } {
  const { location } = message
  if (location === null) return { where: file, excerpt: '' }
  // esbuild counts columns in bytes from 0; people count characters from 1.
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
      ? 'Check the path. It is relative to the file that imports it.'
      : 'Fix the line. The extension of the file tells whether it is TypeScript or JavaScript.'
  }
  const packageName = missing.split('/', missing.startsWith('@') ? 2 : 1).join('/')
  return `Install it next to the file: npm install ${packageName}`
}
