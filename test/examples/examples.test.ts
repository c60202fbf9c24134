/**
 * Ports of pypet's examples, in small. Each says what it shows, and gives the values that pypet gave for the same experiment,
 * which `values.py` has computed. Two have none: 21 spreads runs with SCOOP, and 22 with SAGA, both Python's.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const HERE = new URL('.', import.meta.url)
const VALUES = JSON.parse(readFileSync(new URL('values.json', HERE), 'utf8')) as Record<string, unknown>

const ports = readdirSync(HERE)
  .map((file) => ({ file, match: /^example-(?<number>\d+[a-z]?)-(?<title>.+)\.ts$/.exec(file) }))
  .flatMap(({ file, match }) => (match?.groups === undefined ? [] : [{ file, ...match.groups }]))

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-test-'))
const before = process.cwd()
// Logs go where the script is started.
beforeAll(() => process.chdir(folder))
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

test.each(ports)('example $number, $title, gives the values of pypet', async ({ file, ...port }) => {
  const { number } = port as unknown as { number: string }
  const { default: example } = await import(new URL(file, HERE).href)
  expect(rounded(await example(mkdtempSync(join(folder, `${number}-`))))).toEqual(rounded(VALUES[number]))
})

test('there are 22 ports', () => {
  expect(ports.map(({ file }) => file)).toHaveLength(22)
})

/** Powers and exponentials may differ in the last bit between two languages. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, entry) =>
    typeof entry === 'number' ? Number(entry.toPrecision(12)) : entry,
  )
}
