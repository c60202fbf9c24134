/** `docs/executors.md`: its commands and its script run, and every option is one. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { ROOT } from './source-tree.ts'

const PAGE = readFileSync(join(ROOT, 'docs/executors.md'), 'utf8')

test('its commands run its job, one after the other, into one file', async () => {
  const [job = '', script = ''] = codeIn(PAGE, 'ts')
  const local = script.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js')))
  const folder = fileTree({ 'job.ts': job, 'script.mjs': local })
  const commands = codeIn(PAGE, 'sh').flatMap((block) => block.trim().split('\n'))
  expect(commands.length).toBe(6)
  for (const command of commands) {
    const { exitCode, stdout, stderr } = await pypet(folder, [
      ...command.split(' ').slice(1),
      '--file',
      'all.h5',
    ])
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: '' })
    expect(stdout).toContain('4 runs stored in all.h5')
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['script.mjs'], { cwd: folder })
  expect(stdout).toBe('4\n')
  expect(existsSync(join(folder, 'hdf5/decay_script.h5'))).toBe(true)
})

test('its threads fill one array', async () => {
  const [job = '', script = ''] = codeIn(PAGE, 'js')
  const local = script.replace("'pypet-ts'", JSON.stringify(join(ROOT, 'dist/index.js')))
  const folder = fileTree({ 'square.mjs': job, 'script.mjs': local })
  const { stdout } = await promisify(execFile)(process.execPath, ['script.mjs'], { cwd: folder })
  expect(stdout).toBe(`${/ \/\/ (.*)/.exec(script)?.[1]}\n`)
})
