/** Writes `docs/configuration.md`, run by `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { configReference } from './config-reference.ts'

writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configReference())
