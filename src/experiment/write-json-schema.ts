/** Run by the build: writes the JSON Schema of config files beside the compiled code, for editors. */
import { writeFileSync } from 'node:fs'
import { configJsonSchema } from './config-schema.ts'

const file = new URL('../pypet.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
