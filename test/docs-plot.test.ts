/** `docs/plot.md`: its examples run. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'

const page = readFileSync(new URL('../docs/plot.md', import.meta.url), 'utf8')

test('the commands, in their order', async () => {
  const [job = ''] = codeIn(page, 'ts')
  const folder = fileTree({ 'oscillator.ts': job })
  const lines = codeIn(page, 'sh').flatMap((code) => code.trim().split('\n'))
  expect(lines).toHaveLength(12)
  const printed: string[] = []
  for (const line of lines) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, plain]) => (quoted ?? plain) as string,
    )
    const { exitCode, stdout, stderr } = await pypet(folder, words.slice(1))
    expect([line, exitCode, stderr.replace(/^other results: .*\n/, '')]).toEqual([line, 0, ''])
    if (words[1] === 'plot') expect([line, stdout === '']).toEqual([line, words.includes('--to')])
    printed.push(stdout)
  }
  const [head = ''] = codeIn(page, 'text')
  expect(printed.join('')).toContain(head)
  for (const name of ['energy.svg', 'energy.html']) expect(existsSync(join(folder, name))).toBe(true)
})
