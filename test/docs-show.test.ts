/** `docs/show.md`: its commands run, and print what it says. */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'

const page = readFileSync(new URL('../docs/show.md', import.meta.url), 'utf8')
const commands = codeIn(page, 'sh').flatMap((code) => code.trim().split('\n'))
const printed = new Map<string, string>()

beforeAll(async () => {
  const folder = fileTree({ 'decay.ts': codeIn(page, 'ts')[0] ?? '' })
  for (const line of commands) {
    const { exitCode, stdout } = await pypet(folder, line.split(' ').slice(1))
    // One point of the job fails.
    expect([line, exitCode]).toEqual([line, line.startsWith('pypet-ts run') ? 3 : 0])
    printed.set(line, stdout)
  }
}, 60_000)

const outputOf = (part: string) => [...printed].find(([line]) => line.includes(part))?.[1] ?? ''

test('the page has eight commands', () => {
  expect(commands).toHaveLength(8)
})

test('a run is shown as the page says', () => {
  const [, course = '', range = ''] = /`level {2}(\S+) {2}([^`]*)`/.exec(page) ?? []
  expect(outputOf('h5 1')).toMatch(new RegExp(`^ {2}level +${course} {2}${range} `, 'm'))
  expect(outputOf('h5 -1')).toContain('RangeError: nothing decays')
  expect(JSON.parse(outputOf('run_00000001 --json'))).toMatchObject({ run: 1, status: 'stored' })
})

test('runs are compared as the page says', () => {
  const [example = ''] = codeIn(page, 'text')
  expect(example.trim().length).toBeGreaterThan(100)
  expect(outputOf('0 2')).toContain(example.trim())
  expect(JSON.parse(outputOf('0 1 2 --json')).results.differing).toHaveLength(2)
  expect(outputOf('second.h5:decay#0')).toMatch(/^ {2}amount +10 +20 \(\+10, \+100 %\)$/m)
})
