/**
 * Where the files of this copy of pypet-ts lie. The sources and the bundles that the build makes of them both lie one
 * folder below the package, as this module does: no module in a deeper folder may ask `import.meta.url` where it is.
 */
import { readFileSync } from 'node:fs'

const PACKAGE = new URL('../', import.meta.url)

/** What a process or a thread starts with: a file of its own in `dist`. */
export type Entry =
  | 'writer-process'
  | 'run-thread'
  | 'run-process'
  | 'lock-worker'
  | 'service-worker'
  | 'memory-worker'

/** The compiled entry, also for callers that run from source: a process of Node.js 20 reads no TypeScript. */
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
