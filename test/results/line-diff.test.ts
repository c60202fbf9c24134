import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lineDiff } from '../../src/results/line-diff.ts'
import { fileTree } from '../experiment/file-tree.ts'

const LINES = Array.from({ length: 30 }, (_, at) => `line ${at}`)

test('equal texts have no difference', () => {
  expect(lineDiff('a\nb\n', 'a\nb\n')).toEqual([])
  expect(lineDiff('', '')).toEqual([])
})

test('a changed line stands with three lines around it', () => {
  expect(lineDiff(LINES.join('\n'), LINES.join('\n').replace('line 9\n', 'other\n'))).toEqual([
    '@@ -7,7 +7,7 @@',
    ' line 6',
    ' line 7',
    ' line 8',
    '-line 9',
    '+other',
    ' line 10',
    ' line 11',
    ' line 12',
  ])
})

test('a file that is new has only added lines', () => {
  expect(lineDiff('', 'a\nb\n')).toEqual(['@@ -0,0 +1,2 @@', '+a', '+b'])
})

test('patch makes the new text from the old one and the difference, wherever lines were changed', () => {
  let seed = 7
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * below)
  }
  for (let round = 0; round < 12; round += 1) {
    const before = Array.from({ length: 20 }, () => `${next(6)}`)
    const after = before.flatMap((line) => [[line], [], [line, 'new'], ['other']][next(8)] ?? [line])
    const folder = fileTree({ old: `${before.join('\n')}\n` })
    const diff = lineDiff(before.join('\n'), after.join('\n'))
    if (diff.length === 0) continue
    writeFileSync(join(folder, 'diff'), `--- old\n+++ old\n${diff.join('\n')}\n`)
    const patched = execFileSync('git', ['apply', '--unidiff-zero', 'diff'], { cwd: folder, stdio: 'pipe' })
    expect(String(patched)).toBe('')
    expect(String(execFileSync('cat', ['old'], { cwd: folder }))).toBe(`${after.join('\n')}\n`)
  }
})

test('texts of many thousand other lines are replaced whole', () => {
  const lines = (word: string) => Array.from({ length: 5000 }, (_, at) => `${word} ${at}`).join('\n')
  const diff = lineDiff(lines('a'), lines('b'))
  expect(diff).toHaveLength(10_001)
  expect(diff[5001]).toBe('+b 0')
})
