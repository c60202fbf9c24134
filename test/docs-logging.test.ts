/** `docs/logging.md`: its commands and its script run, and it names every option of logs and progress. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { expect, test } from 'vitest'
import { LOG_OPTION_NAMES } from '../src/experiment/log-option-table.ts'
import { start } from './cli/pypet.ts'
import { fileTree } from './experiment/file-tree.ts'
import { ROOT } from './source-tree.ts'

const PAGE = readFileSync(join(ROOT, 'docs/logging.md'), 'utf8')

function codeBlocks(language: string): string[] {
  const blocks = PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...blocks].map(([, code]) => code as string)
}

test('it names every option of logs and progress', () => {
  for (const name of LOG_OPTION_NAMES) expect(PAGE).toContain(`\`${name}`)
})

test('its commands and its script do what it says', async () => {
  const [job = '', transports = '', script = ''] = codeBlocks('ts')
  const { code } = await transform(script, { loader: 'ts' })
  const local = code.replace(/["']pypet-ts["']/, JSON.stringify(join(ROOT, 'dist/index.js')))
  const folder = fileTree({ 'job.ts': job, 'transports.ts': transports, 'script.mjs': local })
  const commands = codeBlocks('sh').flatMap((block) => block.trim().split('\n'))
  expect(commands.length).toBe(6)
  // Into a file each, so that they need not wait for each other.
  const ended = await Promise.all(
    commands.map((command, index) => {
      const words = command
        .split(' ')
        .slice(1)
        .map((word) => word.replaceAll("'", ''))
      return start(folder, [...words, '--file', `${index}.h5`]).ended()
    }),
  )
  for (const [index, { exitCode, stdout, stderr }] of ended.entries()) {
    expect({ command: commands[index], exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: '' })
    expect(stdout).toContain(`4 runs stored in ${index}.h5`)
  }
  const [, , , printed, silent] = ended.map(({ stdout }) => stdout)
  expect(printed?.match(/^printed$/gm)?.length).toBe(4)
  expect(silent).not.toContain('%')
  const [environment = ''] = readdirSync(join(folder, 'logs/decay')).filter((name) => name.startsWith('env'))
  const run = readFileSync(join(folder, 'logs/decay', environment, 'run_00000002.txt'), 'utf8')
  expect(run).toMatch(/^\S+ \S+ INFO {2}run_00000002: tau is 4$/m)
  expect(existsSync(join(folder, 'decay.json'))).toBe(true)

  const { stdout } = await promisify(execFile)(process.execPath, ['script.mjs'], { cwd: folder })
  expect(stdout).toMatch(/^\d more$/m)
  expect(stdout).toMatch(/^4 of 4$/m)
})
