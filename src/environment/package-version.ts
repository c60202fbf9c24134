import { readFileSync } from 'node:fs'
import { ownFile } from '../own-files.ts'

/** The version of this copy of pypet-ts. */
export function packageVersion(): string {
  const text = readFileSync(ownFile('package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
