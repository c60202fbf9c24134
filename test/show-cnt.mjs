/**
 * Prints the records of a `.cnt` file, one JSON object a line; bytes are shown as their number. Changes nothing.
 *
 *     node test/show-cnt.mjs hdf5/sweep.cnt
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: node test/show-cnt.mjs <file.cnt>\n')
  process.exit(2)
}
const compiled = join(HERE, `show-cnt.${process.pid}.tmp.mjs`)
await build({
  stdin: {
    contents: `export { readRecords } from '../src/journal/cnt-records.ts'
      export { FILES } from '../src/journal/disk.ts'`,
    resolveDir: HERE,
  },
  outfile: compiled,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
try {
  const { readRecords, FILES } = await import(pathToFileURL(compiled).href)
  const shown = (_key, value) => (ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : value)
  const end = readRecords(file, FILES, (record) => process.stdout.write(`${JSON.stringify(record, shown)}\n`))
  process.stdout.write(`${JSON.stringify({ type: 'end', offset: end })}\n`)
} finally {
  rmSync(compiled)
}
