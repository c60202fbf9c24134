/** The modules of `src` and what they import, as data. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

interface Import {
  /** `hdf5/file.ts` for our own modules, else the package's or Node module's name. */
  readonly to: string
  readonly isOwn: boolean
  /** Loaded when the line is reached, not when the module is. */
  readonly isDynamic: boolean
  /** Erased by the compiler: it loads nothing. */
  readonly isTypeOnly: boolean
}

export interface SourceModule {
  /** Relative to `src`, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

/** All modules below `src`. */
export function readSourceTree(): ReadonlyMap<string, SourceModule> {
  const source = join(ROOT, 'src')
  const paths = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => path.replaceAll('\\', '/'))
  return new Map(
    paths.map((path) => {
      const text = readFileSync(join(source, path), 'utf8')
      return [path, { path, text, imports: readImports(path, text) }]
    }),
  )
}

/** The modules that loading `entry` loads: everything but types and dynamic imports, to the end. */
export function staticReach(tree: ReadonlyMap<string, SourceModule>, entry: string): ReadonlySet<string> {
  const reached = new Set<string>()
  const visit = (path: string) => {
    if (reached.has(path)) return
    reached.add(path)
    for (const { to, isDynamic, isTypeOnly } of tree.get(path)?.imports ?? []) {
      if (!isDynamic && !isTypeOnly) visit(to)
    }
  }
  visit(entry)
  return reached
}

/** Modules that reach each other by imports of any kind, types and dynamic ones too: each ring once, by its paths. */
export function ringsOf(tree: ReadonlyMap<string, SourceModule>): readonly (readonly string[])[] {
  const reaches = new Map([...tree.keys()].map((path) => [path, reachOf(tree, path)]))
  const rings = new Map<string, readonly string[]>()
  for (const [path, reach] of reaches) {
    if (!reach.has(path)) continue
    const ring = [...reach].filter((other) => reaches.get(other)?.has(path) === true).sort()
    rings.set(ring.join(), ring)
  }
  return [...rings.values()]
}

/** What a module's imports name, and theirs, to the end; itself only where one of them names it again. */
function reachOf(tree: ReadonlyMap<string, SourceModule>, start: string): ReadonlySet<string> {
  const reached = new Set<string>()
  const next = [start]
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    for (const { to, isOwn } of tree.get(path)?.imports ?? []) {
      if (!isOwn || reached.has(to)) continue
      reached.add(to)
      next.push(to)
    }
  }
  return reached
}

function readImports(from: string, text: string): Import[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  const found: Import[] = []
  const add = (specifier: string, isDynamic: boolean, isTypeOnly: boolean) => {
    const isOwn = specifier.startsWith('.')
    const to = isOwn ? posix.join(posix.dirname(from), specifier) : specifier
    found.push({ to, isOwn, isDynamic, isTypeOnly })
  }
  for (const match of code.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gm)) {
    const named = /\{([^}]*)\}/.exec(match[0])?.[1]
    const isInlineTypes =
      named !== undefined &&
      !/^(?:import|export)\s+\w+\s*,/.test(match[0]) &&
      named.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '))
    add(match[2] as string, false, match[1] !== undefined || isInlineTypes)
  }
  for (const match of code.matchAll(/^import\s+'([^']+)'/gm)) add(match[1] as string, false, false)
  for (const match of code.matchAll(/\bimport\('([^']+)'\)/g))
    add(match[1] as string, true, /typeof import\($/.test(code.slice(0, (match.index ?? 0) + 7)))
  for (const match of code.matchAll(/createRequire\([^)]*\)\('([^']+)'\)/g))
    add(match[1] as string, true, false)
  return found
}
