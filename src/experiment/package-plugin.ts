/** The esbuild plugin that leaves installed packages where they are. */
import { createRequire, isBuiltin } from 'node:module'
import { extname, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ImportKind, OnResolveResult, Plugin } from 'esbuild'

/**
 * Resolves packages as the importing file would, then addresses them absolutely, because the bundle lies
 * elsewhere and Node would look there. `pypet-ts` is always the running one, wherever the job is.
 */
export const keepPackagesOutside: Plugin = {
  name: 'keep-packages-outside',
  setup(build) {
    build.onResolve({ filter: /^pypet-ts$/ }, ({ kind }) => placePypet(kind))
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
      // `package.json` says so, too, but the package need not lie in a folder of that name.
      return file === OWN_INDEX ? { path: file, sideEffects: false } : { path, external: true }
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

/** `pypet-ts` beside this file: compiled it stays outside, as source it is bundled like the job. */
const OWN_INDEX = fileURLToPath(new URL(`../index${extname(import.meta.url)}`, import.meta.url))

function placePypet(kind: ImportKind): OnResolveResult {
  return extname(OWN_INDEX) === '.js' ? outside(OWN_INDEX, kind) : { path: OWN_INDEX }
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
