/** Writes `docs/configuration.md`, run by `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { ownFile } from '../own-files.ts'
import { configReference } from './config-reference.ts'

writeFileSync(ownFile('docs/configuration.md'), configReference())
