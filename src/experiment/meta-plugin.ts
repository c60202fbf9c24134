/** The esbuild plugin that keeps `import.meta`, `__dirname` and `__filename` correct in a bundle. */
import { readFileSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Loader, Plugin } from 'esbuild'

/**
 * Gives every source file the values it would see unbundled: the three names are replaced by a small module made for
 * that file. Its import is appended, not prepended, so that lines, columns, directives and `#!` stay as written;
 * imports are hoisted.
 */
export const keepMetaTrue: Plugin = {
  name: 'keep-meta-true',
  setup(build) {
    build.initialOptions.define = {
      ...build.initialOptions.define,
      'import.meta': SOURCE,
      __dirname: `${SOURCE}.dirname`,
      __filename: `${SOURCE}.filename`,
    }
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!/\bimport\.meta\b|\b__dirname\b|\b__filename\b/.test(text)) return undefined
      const place = JSON.stringify(NAMESPACE + path)
      return { contents: `${text}\n;import * as ${SOURCE} from ${place}`, loader: loaderOf(path) }
    })
    build.onResolve({ filter: /^pypet-source:/ }, ({ path }) => {
      return { path: path.slice(NAMESPACE.length), namespace: 'pypet-source' }
    })
    build.onLoad({ filter: /.*/, namespace: 'pypet-source' }, ({ path }) => ({
      contents: sourceModule(path),
    }))
  },
}

const NAMESPACE = 'pypet-source:'
const SOURCE = '__pypetSource'

/** The content of `import.meta` in the file at this path. */
function sourceModule(path: string): string {
  const url = pathToFileURL(path).href
  return `
    import { createRequire } from 'node:module'
    import { pathToFileURL } from 'node:url'
    export const url = ${JSON.stringify(url)}
    export const filename = ${JSON.stringify(path)}
    export const dirname = ${JSON.stringify(dirname(path))}
    export function resolve(specifier) {
      if (/^([a-z]+:|[.]{0,2}\\/)/.test(specifier)) return new URL(specifier, url).href
      const found = createRequire(url).resolve(specifier)
      return found === specifier ? 'node:' + specifier : pathToFileURL(found).href
    }`
}

function loaderOf(path: string): Loader {
  const extension = extname(path).slice(1)
  if (extension.endsWith('x')) return extension as 'tsx' | 'jsx'
  return extension.endsWith('ts') ? 'ts' : 'js'
}
