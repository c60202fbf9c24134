import { expect, test } from 'vitest'
import { storedSources } from '../../src/results/stored-sources.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'

const text = (value: string): StoredValue => ({ form: 'scalar', dtype: 'str', value })
const pathOf = (name: string) => Buffer.from(name).toString('base64')

function leavesWith(files: readonly object[], contents: string) {
  const data = new Uint8Array(Buffer.from(contents))
  return new Map<string, StoredValue>([
    ['provenance.job', text('job.ts')],
    ['provenance.files', text(JSON.stringify(files))],
    ['provenance.contents', { form: 'ndarray', dtype: 'uint8', shape: [data.length], data }],
  ])
}

test('sources are the parts of the contents that the list names', () => {
  const files = [
    { kind: 'source', path: pathOf('job.ts'), offset: 0, bytes: 3 },
    { kind: 'untracked', path: pathOf('notes.txt'), offset: 3, bytes: 1 },
    { kind: 'config', path: pathOf('pypet.toml'), offset: 4, bytes: 2 },
    { kind: 'source', path: pathOf('beyond.ts'), offset: 5, bytes: 2 },
  ]
  expect([...storedSources(leavesWith(files, 'abcdef')).values()]).toEqual([
    { path: 'job.ts', text: 'abc' },
    { path: 'pypet.toml', text: 'ef' },
  ])
})

test('a list that names the same bytes again and again does not multiply them', () => {
  const files = Array.from({ length: 1000 }, (_, at) => ({
    kind: 'source',
    path: pathOf(`${at}.ts`),
    offset: 0,
    bytes: 100,
  }))
  expect(storedSources(leavesWith(files, 'x'.repeat(250))).size).toBe(2)
})
