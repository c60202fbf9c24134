/** JSON that commands print: one object a line, and names of fields in snake_case, whatever the command. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
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
    ['restore', 'b.h5', '--to', 'restored'],
    ['snapshot', 'b.h5', 'copy.h5'],
    ['merge', 'b.h5', 'copy.h5', '--into', 'c.h5'],
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
    restore: ['restore', 'b.h5', '--to', 'restored'],
    snapshot: ['snapshot', 'b.h5', 'copy.h5'],
    merge: ['merge', 'b.h5', 'copy.h5', '--into', 'c.h5'],
    error: ['overview', join(folder, 'nope.h5')],
  }
  const printed: Record<string, string> = { run: first.stdout }
  for (const [command, words] of Object.entries(commands)) {
    const { stdout, stderr } = await pypet(folder, [...words, '--json'])
    expect([command, stderr === '']).toEqual([command, command !== 'error'])
    printed[command] = stdout + stderr
  }
  for (const [command, text] of Object.entries(printed)) {
    const documents = command === 'overview' ? [text] : text.trim().split('\n')
    const keys = documents.flatMap((line) => keysOf(JSON.parse(line)))
    expect(keys.length, command).toBeGreaterThan(0)
    expect(
      keys.filter((key) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(key)),
      command,
    ).toEqual([])
  }
})
