import { readFileSync } from 'node:fs'

/** The version of this copy of pypet-ts. */
export function packageVersion(): string {
  // Works from `src` and from `dist`: both lie one folder below the package.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
