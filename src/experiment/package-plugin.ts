/** The esbuild plugin that leaves installed packages outside the bundle. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ImportKind, OnResolveResult, Plugin } from 'esbuild'
import { ownFile } from '../own-files.ts'

/**
 * Resolves packages as the importing file would, then refers to them by absolute path, because the bundle is in another
 * folder and Node would look there. `pypet-ts` always resolves to the running copy, wherever the job is.
 */
export const keepPackagesOutside: Plugin = {
  name: 'keep-packages-outside',
  setup(build) {
    // Its index only re-exports from other files (`bin/build.mjs`): it becomes part of the bundle, they do not.
    build.onResolve({ filter: /^pypet-ts$/ }, () => ({
      path: join(OWN_FOLDER, 'index.js'),
      namespace: OWN_INDEX,
    }))
    build.onLoad({ filter: /.*/, namespace: OWN_INDEX }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
    }))
    // What a job does not import from pypet-ts is not loaded either: loading has no side effects.
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
      // esbuild reports names that cannot be resolved: it knows the line, and which ones are in a try block.
      if (found.errors.length > 0 || found.external || found.namespace !== 'file') return undefined
      return staysOutside(found.path, kind) ? outside(found.path, kind) : undefined
    })
  },
}

/** Bundles the files of pypet-ts itself that `keepPackagesOutside` has referred to; other packages stay outside. */
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
 * Provides a module with packages that only pypet-ts has, such as winston for a module of transports. Comes after
 * `keepPackagesOutside`: a package that the user installed has priority.
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
          // Dependencies of the lender need not be next to it.
          const lenderFile = createRequire(import.meta.url).resolve(lender)
          return outside(path === lender ? lenderFile : createRequire(lenderFile).resolve(path), kind)
        },
      )
    },
  }
}

/** Marks this plugin's own request to esbuild, which comes back to this plugin. */
const RESOLVING = Symbol('resolving')

const OWN_FOLDER = fileURLToPath(ownFile('dist/'))
/** esbuild's name for the place of the package's index; it appears in esbuild's messages. */
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
  // A linked package resolves to its real folder, outside node_modules: it is source and is bundled.
  if (!path.includes(`${sep}node_modules${sep}`)) return false
  if (/^\.[cm]?tsx?$/.test(extension)) return false
  // Node requires an import attribute for JSON, which the source need not have.
  return extension !== '.json' || isRequire(kind)
}

function outside(path: string, kind: ImportKind): OnResolveResult {
  return { path: isRequire(kind) ? path : pathToFileURL(path).href, external: true }
}

function isRequire(kind: ImportKind): boolean {
  return kind === 'require-call' || kind === 'require-resolve'
}
