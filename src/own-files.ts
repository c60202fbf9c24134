/**
 * Where the files of this copy of pypet-ts are. The sources and the bundles are both one folder below the package, and
 * so is this module. Modules in deeper folders must not use `import.meta.url` to find files.
 */
import { readFileSync } from 'node:fs'

const PACKAGE = new URL('../', import.meta.url)

/** What a process or thread starts with: one file in `dist`. */
export type Entry =
  | 'writer-process'
  | 'run-thread'
  | 'run-process'
  | 'lock-worker'
  | 'service-worker'
  | 'memory-worker'

/** The compiled entry, even if the caller runs from source: Node.js 20 cannot run TypeScript in a process. */
export function entryUrl(entry: Entry): URL {
  return ownFile(`dist/${entry}.js`)
}

/** A file by its path in the package, such as `package.json`. */
export function ownFile(path: string): URL {
  return new URL(path, PACKAGE)
}

/** The version of this copy of pypet-ts. */
export function packageVersion(): string {
  const text = readFileSync(ownFile('package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
