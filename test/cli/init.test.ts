/** What a newcomer does first: an experiment to begin with, and a shell that completes. */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

test('init writes an experiment that is planned, run and looked at as it says', async () => {
  const folder = fileTree({})
  const made = await pypet(folder, ['init', 'mine'])
  expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  expect(made.stdout.split('\n').slice(2, 6)).toEqual([
    '  cd mine',
    '  pypet-ts plan job.ts',
    '  pypet-ts run job.ts',
    '  pypet-ts overview hdf5/pendulum.h5',
  ])
  const inside = join(folder, 'mine')
  const planned = await pypet(inside, ['plan', 'job.ts'])
  expect(planned.stdout).toContain('15 runs would be run')
  const ran = await pypet(inside, ['run', 'job.ts'])
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ran.stdout).toContain('15 runs stored in hdf5/pendulum.h5')
  const shown = await pypet(inside, ['overview', 'hdf5/pendulum.h5'])
  expect(shown.stdout).toContain('simulated, in s')
  expect(readdirSync(inside).sort()).toEqual(
    ['.gitignore', 'README.md', 'hdf5', 'job.ts', 'logs', 'pypet.config.yaml'].sort(),
  )
})

test('init replaces nothing unless it is told to', async () => {
  const folder = fileTree({ 'job.ts': 'mine' })
  const refused = await pypet(folder, ['init'])
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('already contains job.ts')
  expect(readdirSync(folder)).toEqual(['job.ts'])
  expect((await pypet(folder, ['init', '--force'])).exitCode).toBe(0)
})

/** What bash would offer behind these words. */
function offered(script: string, words: readonly string[]): string[] {
  const program = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_pypet_ts
printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split('\n')
}

test('bash completes commands, flags and values', async () => {
  const { stdout: script } = await pypet(fileTree({}), ['completion', 'bash'])
  expect(offered(script, ['pypet-ts', 'ov'])).toEqual(['overview'])
  expect(offered(script, ['pypet-ts', 're'])).toEqual(['restore'])
  expect(offered(script, ['pypet-ts', 'run', 'job.ts', '--nco'])).toEqual(['--ncores'])
  expect(offered(script, ['pypet-ts', 'continue', 'x.cnt', '--only', ''])).toEqual(['failed', 'missing'])
  expect(offered(script, ['pypet-ts', 'run', '--wrap-mode', 'l'])).toEqual(['lock'])
  expect(offered(script, ['pypet-ts', 'run', '--wrap-mode', '=', 'l'])).toEqual(['lock'])
  expect(offered(script, ['pypet-ts', 'continue', 'x.cnt', '--only', '='])).toEqual(['failed', 'missing'])
  // Files are readline's, which quotes the blanks in their names.
  expect(offered(script, ['pypet-ts', 'run', '--config', ''])).toEqual([''])
  expect(offered(script, ['pypet-ts', 'run', 'my'])).toEqual([''])
  const said = execFileSync('bash', ['-c', `${script}complete -p pypet-ts`], { encoding: 'utf8' })
  expect(said).toBe('complete -o default -F _pypet_ts pypet-ts\n')
})

const has = (shell: string): boolean => {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.skipIf(!has('zsh'))('zsh reads its script', async () => {
  const folder = fileTree({})
  const { stdout } = await pypet(folder, ['completion', 'zsh'])
  writeFileSync(join(folder, '_pypet-ts'), stdout)
  execFileSync('zsh', ['-n', join(folder, '_pypet-ts')])
})

test.skipIf(!has('fish'))('fish reads its script', async () => {
  const folder = fileTree({})
  const { stdout } = await pypet(folder, ['completion', 'fish'])
  writeFileSync(join(folder, 'pypet-ts.fish'), stdout)
  execFileSync('fish', ['-n', join(folder, 'pypet-ts.fish')])
})

test('a shell that is not known is refused with those that are', async () => {
  const { exitCode, stderr } = await pypet(fileTree({}), ['completion', 'powershell'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('bash, zsh, fish')
})
