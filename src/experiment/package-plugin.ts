/** The esbuild plugin that leaves installed packages where they are. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ImportKind, OnResolveResult, Plugin } from 'esbuild'
import { ownFile } from '../own-files.ts'

/**
 * Resolves packages as the importing file would, then addresses them absolutely, because the bundle lies
 * elsewhere and Node would look there. `pypet-ts` is always the running one, wherever the job is.
 */
export const keepPackagesOutside: Plugin = {
  name: 'keep-packages-outside',
  setup(build) {
    // Its index only names what lies in other files (`bin/build.mjs`): it becomes part of the bundle, and they do not.
    build.onResolve({ filter: /^pypet-ts$/ }, () => ({
      path: join(OWN_FOLDER, 'index.js'),
      namespace: OWN_INDEX,
    }))
    build.onLoad({ filter: /.*/, namespace: OWN_INDEX }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
    }))
    // What a job does not import of pypet-ts, it does not load either: loading does nothing.
    build.onResolve({ filter: /^\.\//, namespace: OWN_INDEX }, ({ path, importer, kind }) => ({
      ...outside(join(dirname(importer), path), kind),
      sideEffects: false,
    }))
    // Everything but relative and absolute paths; those belong to the job and are bundled.
    build.onResolve({ filter: /^[^./]|\.node$/ }, async (request) => {
      const { path, kind, importer, resolveDir, with: attributes } = request
      if (request.pluginData === RESOLVING || kind === 'entry-point' || isBuiltin(path)) return undefined
      const found = await build.resolve(path, {
        kind,
        importer,
        resolveDir,
        with: attributes,
        pluginData: RESOLVING,
      })
      // An unresolvable name is left to esbuild: it knows the line, and which ones stand in a try block.
      if (found.errors.length > 0 || found.external || found.namespace !== 'file') return undefined
      return staysOutside(found.path, kind) ? outside(found.path, kind) : undefined
    })
  },
}

/**
 * Follows the addresses that `keepPackagesOutside` has put into a bundle where they lead to pypet-ts itself; the
 * others stay outside.
 */
export const bundleOwnModules: Plugin = {
  name: 'bundle-own-modules',
  setup(build) {
    build.onResolve({ filter: /^file:/ }, ({ path }) => {
      const file = fileURLToPath(path)
      return file.startsWith(OWN_FOLDER) ? { path: file, sideEffects: false } : { path, external: true }
    })
  },
}

/**
 * Lends a module what pypet-ts has and the module's own folders do not, such as winston to a module of transports.
 * Comes behind `keepPackagesOutside`: what the user has installed counts.
 */
export function lendPackages(lender: string, names: readonly string[]): Plugin {
  return {
    name: 'lend-packages',
    setup(build) {
      const expression = names.map((name) => name.replace(/[^\w]/g, '\\$&')).join('|')
      build.onResolve(
        { filter: new RegExp(`^(?:${expression})$`) },
        async ({ path, kind, importer, resolveDir, with: attributes, pluginData }) => {
          if (pluginData === RESOLVING) return undefined
          const own = { kind, importer, resolveDir, with: attributes, pluginData: RESOLVING }
          if ((await build.resolve(path, own)).errors.length === 0) return undefined
          // What the lender itself depends on need not lie beside it.
          const lenderFile = createRequire(import.meta.url).resolve(lender)
          return outside(path === lender ? lenderFile : createRequire(lenderFile).resolve(path), kind)
        },
      )
    },
  }
}

/** Marks our own question to esbuild, which comes back to this plugin. */
const RESOLVING = Symbol('resolving')

const OWN_FOLDER = fileURLToPath(ownFile('dist/'))
/** esbuild's name for the place of the package's index, which it writes into its messages. */
export const OWN_INDEX = 'pypet-index'

/** The names that `pypet-ts` exports. */
export function ownExports(): string[] {
  const text = readFileSync(join(OWN_FOLDER, 'index.js'), 'utf8')
  const [, names = ''] = /\bexport\s*\{([^}]*)\}/.exec(text) ?? []
  return names.split(',').map((name) => name.trim().split(' as ').at(-1) as string)
}

function staysOutside(path: string, kind: ImportKind): boolean {
  const extension = extname(path)
  if (extension === '.node') return true
  // A linked package resolves to its true folder, outside of node_modules: it is source and is bundled.
  if (!path.includes(`${sep}node_modules${sep}`)) return false
  if (/^\.[cm]?tsx?$/.test(extension)) return false
  // Node wants an import attribute on JSON, which the source need not have.
  return extension !== '.json' || isRequire(kind)
}

function outside(path: string, kind: ImportKind): OnResolveResult {
  return { path: isRequire(kind) ? path : pathToFileURL(path).href, external: true }
}

function isRequire(kind: ImportKind): boolean {
  return kind === 'require-call' || kind === 'require-resolve'
}
