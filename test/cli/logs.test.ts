import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { jobFixture, pypet } from './pypet.ts'

const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const
const SAID = {
  ERROR: ['an error of'],
  WARN: ['a warning of'],
  // What a job prints is logged like a remark.
  INFO: ['a remark of', 'printed by', 'complained by'],
  DEBUG: ['a detail of'],
} as const
const RUNS = [0, 1, 2, 3, 4, 5].map((run) => `run_0000000${run}`)

/** The lines about runs that a level lets through, without their times, sorted. */
function expectedLines(levels: readonly (typeof LEVELS)[number][]): string[] {
  return levels
    .flatMap((level) =>
      SAID[level].flatMap((said) => RUNS.map((run) => `${level.padEnd(5)} ${run}: ${said} ${run}`)),
    )
    .sort()
}

/** The lines about what runs said, of one or several log files. */
function linesOf(folder: string, ...names: readonly string[]): string[] {
  return names
    .flatMap((name) =>
      readFileSync(join(folder, 'logs/talking', name), 'utf8')
        .trimEnd()
        .split('\n'),
    )
    .map((line) => line.slice('2026-01-31 12:34:56.789 '.length))
    .filter((line) => /(of|by) run_\d{8}$/.test(line))
    .sort()
}

describe.each([
  ['inline', ['--executor', 'inline']],
  ['pool', ['--ncores', '2']],
])('the logs of a job that prints and logs, %s', (_, flags) => {
  test.each([
    ['error', 1],
    ['info', 3],
    ['debug', 4],
  ])('--log-level %s', async (level, count) => {
    const folder = fileTree({})
    const words = ['run', jobFixture('talking.ts'), '--log-level', level, ...flags]
    const { exitCode, stdout, stderr } = await pypet(folder, words)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    // What a job prints is for its log; it would tear the progress apart.
    expect(stdout).not.toMatch(/printed|complained|remark/)
    const levels = LEVELS.slice(0, count)
    const files = readdirSync(join(folder, 'logs/talking'))
    const workers = files.filter((name) => /^process_\d{4}\.txt$/.test(name))
    expect(workers.length).toBeGreaterThan(0)
    expect(files.filter((name) => !workers.includes(name)).sort()).toEqual([
      'main.txt',
      'warnings_and_errors.txt',
    ])
    expect(linesOf(folder, 'main.txt')).toEqual(expectedLines(levels))
    expect(linesOf(folder, ...workers)).toEqual(expectedLines(levels))
    expect(linesOf(folder, 'warnings_and_errors.txt')).toEqual(
      expectedLines(levels.filter((name) => name === 'ERROR' || name === 'WARN')),
    )
  })
})

test.each([
  ['inline', '1'],
  ['pool', '2'],
])('--verbose shows what runs say on stderr, with worker and run: %s', async (_, ncores) => {
  const folder = fileTree({})
  const { stderr } = await pypet(folder, ['run', jobFixture('talking.ts'), '--verbose', '--ncores', ncores])
  expect(stderr).toMatch(/^info worker [012] run 3: a remark of run_00000003$/m)
  expect(stderr).toMatch(/^info worker [012] run 3: printed by run_00000003$/m)
  expect(stderr.match(/a remark of run_00000003$/gm)?.length).toBe(1)
  expect(stderr).not.toContain('a detail of')
})
