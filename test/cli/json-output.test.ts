/**
 * What programs read of commands: JSON, one object a line, with names of fields in snake_case; codes of errors, and exit
 * codes. They are pinned: texts may change, and these may not.
 *
 *     PYPET_TEST_PIN=1 npx vitest run test/cli/json-output.test.ts     writes the pins anew
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import { type ErrorCode, fromErrorRecord } from '../../src/errors.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'job',
  parameters: { x: 1, deep: { y: 2 } },
  explore: { x: [1, 2, 3] },
  run(traj) {
    if (traj.par.x === 3) throw new Error('three')
    traj.addResult('z', traj.par.x)
  },
})`

/** What a name of the user's is below: those stay as they are. */
const NAMED_BY_USER = new Set(['point', 'values', 'parameters', 'settings', 'options'])

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, field]) => [
    key,
    ...(NAMED_BY_USER.has(key) ? [] : keysOf(field)),
  ])
}

test('every command that answers takes --verbose, too', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--file', 'b.h5', '--explore', 'x=2,4'])
  for (const words of [
    ['plan', 'job.mjs'],
    ['verify', 'b.h5', '--all'],
    ['overview', 'b.h5', '--runs'],
    ['show', 'b.h5', '0'],
    ['compare', 'b.h5', '0', '1'],
    ['restore', 'b.h5', '--to', 'restored'],
    ['snapshot', 'b.h5', 'copy.h5'],
    ['merge', 'b.h5', 'copy.h5', '--into', 'c.h5'],
    ['convert', 'b.h5', 'columns.h5', '--layout', 'columns'],
  ]) {
    const { exitCode, stderr } = await pypet(folder, [...words, '--verbose'])
    expect([words[0], exitCode, stderr]).toEqual([words[0], 0, expect.not.stringContaining('error')])
  }
})

test('every command names the fields of its JSON in snake_case', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const first = await pypet(folder, ['run', 'job.mjs', '--file', 'a.h5', '--json'])
  expect(first.exitCode).toBe(3)
  await pypet(folder, ['run', 'job.mjs', '--file', 'b.h5', '--explore', 'x=2,4'])
  const commands: Readonly<Record<string, readonly string[]>> = {
    continue: ['continue', 'a.h5', '--only', 'failed', '--retry-failed'],
    plan: ['plan', 'job.mjs'],
    expand: ['expand', 'b.h5', '--explore', 'x=5'],
    verify: ['verify', 'b.h5', '--all'],
    overview: ['overview', 'b.h5', '--runs'],
    table: ['table', 'b.h5'],
    export: ['export', 'b.h5', 'b.csv'],
    restore: ['restore', 'b.h5', '--to', 'restored'],
    snapshot: ['snapshot', 'b.h5', 'copy.h5'],
    merge: ['merge', 'b.h5', 'copy.h5', '--into', 'c.h5'],
    convert: ['convert', 'b.h5', 'columns.h5', '--layout', 'columns'],
    show: ['show', 'a.h5', '2'],
    compare: ['compare', 'a.h5#0', 'b.h5#0'],
    error: ['overview', join(folder, 'nope.h5')],
  }
  const printed: Record<string, string> = { run: first.stdout }
  for (const [command, words] of Object.entries(commands)) {
    const { stdout, stderr } = await pypet(folder, [...words, '--json'])
    expect([command, stderr === '']).toEqual([command, command !== 'error'])
    printed[command] = stdout + stderr
  }
  const fields: Record<string, readonly string[]> = {}
  for (const [command, text] of Object.entries(printed)) {
    const documents = ['overview', 'table'].includes(command) ? [text] : text.trim().split('\n')
    const keys = documents.flatMap((line) => keysOf(JSON.parse(line)))
    for (const document of documents.map((line) => JSON.parse(line))) {
      const name = [command, document.event].filter((part) => part !== undefined).join(' ')
      fields[name] = [...new Set([...(fields[name] ?? []), ...keysOf(document)])].sort()
    }
    expect(keys.length, command).toBeGreaterThan(0)
    expect(
      keys.filter((key) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(key)),
      command,
    ).toEqual([])
  }
  expect(fields).toEqual(pinned('json-fields', fields))
})

test('codes of errors, and their exit codes, stay', () => {
  const source = readFileSync(new URL('../../src/errors.ts', import.meta.url), 'utf8')
  const codes = [...source.matchAll(/^ {2}\| '(PYPET_\w+)'$/gm)].map(([, code]) => code as ErrorCode)
  const exitCodes = codes.map((code) => [code, exitCodeOf(fromErrorRecord({ ...NOTHING, code }, code))])
  expect(Object.fromEntries(exitCodes)).toEqual(pinned('error-codes', Object.fromEntries(exitCodes)))
})

const NOTHING = { name: 'PypetError', message: '', stack: '' }

function pinned(name: string, found: object): object {
  const path = fileURLToPath(new URL(`../fixtures/pinned/${name}.json`, import.meta.url))
  if (process.env.PYPET_TEST_PIN === '1') writeFileSync(path, `${JSON.stringify(found, undefined, 2)}\n`)
  return JSON.parse(readFileSync(path, 'utf8'))
}
