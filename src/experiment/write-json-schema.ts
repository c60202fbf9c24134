/** Run by the build: writes the JSON Schema of config files, for editors, next to the compiled code. */
import { writeFileSync } from 'node:fs'
import { ownFile } from '../own-files.ts'
import { configJsonSchema } from './config-schema.ts'

writeFileSync(ownFile('dist/pypet.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
