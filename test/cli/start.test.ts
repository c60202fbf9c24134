/** What is started before it is known what is asked: nobody sees it, and it leaves nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { eventsOf, pypet, start } from './pypet.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 1 }, explore: { x: [1, 2] }, run: (traj) => traj.addResult('z', 1) })`

test.each([
  ['a job that is not there', ['run', 'missing.ts']],
  ['an option that is not there', ['run', 'job.ts', '--ncoers', '2']],
  ['a value that is not a number', ['run', 'job.ts', '--ncores', 'many']],
  ['another wrap mode in the config file', ['run', 'job.ts', '--config', 'none.json']],
  ['a .cnt file that is not there', ['continue', 'missing.cnt']],
  ['a file that is not there', ['expand', 'missing.h5', '--explore', 'x=1,2']],
])('the writer that was started ahead is gone before the command that refuses %s', async (_, words) => {
  const folder = fileTree({ 'job.ts': JOB, 'none.json': '{ "wrapMode": "none" }' })
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-test-')))
  const before = readdirSync(folder)
  const { PATH } = process.env
  const child = spawn(process.execPath, [join(ROOT, 'bin/pypet-ts.js'), ...words], {
    cwd: folder,
    env: { PATH, HOME: folder, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'ignore'],
    detached: true,
  })
  const [exitCode] = await once(child, 'exit')
  // At this very moment: its group of processes is empty, and so is the folder for temporary files.
  expect(() => process.kill(-(child.pid as number), 0)).toThrow('ESRCH')
  expect(readdirSync(temporary)).toEqual([])
  expect(readdirSync(folder)).toEqual(before)
  expect(exitCode).toBe(2)
})

const SPY = `const processes = require('node:child_process')
const { fork } = processes
processes.fork = (file, ...more) => {
  require('node:fs').appendFileSync(process.env.SPY_FILE, require('node:path').basename(file) + '\\n')
  return fork(file, ...more)
}
require('node:module').syncBuiltinESMExports()`

test.each([
  ['is started before the command line is read', ['run', 'job.ts', '--ncoers', '2'], ['writer-process.js']],
  ['is started once', ['run', 'job.ts'], ['writer-process.js']],
  ['is not started for a plan', ['plan', 'job.ts'], []],
  ['is not started for a dry run', ['run', 'job.ts', '--dry-run'], []],
  ['is not started where workers store', ['run', 'job.ts', '--wrap-mode', 'lock', '--name', 'lock'], []],
  ['is not started for the help', ['run', '--help'], []],
  ['is not started to look', ['overview', 'missing.h5'], []],
])('the writer %s', async (_, words, started) => {
  const folder = fileTree({ 'job.ts': JOB, 'spy.cjs': SPY, forked: '' })
  await pypet(folder, words, {
    NODE_OPTIONS: `--require=${join(folder, 'spy.cjs')}`,
    SPY_FILE: join(folder, 'forked'),
  })
  expect(readFileSync(join(folder, 'forked'), 'utf8').split('\n').filter(Boolean)).toEqual(started)
})

test.each([
  ['text', [], /^error: cannot create a temporary folder .*\n {2}hint: Set TMPDIR to a folder/],
  ['JSON', ['--json'], /^\{"event":"error","code":"PYPET_FILE_NOT_WRITABLE"/],
])('a temporary folder that is not there is told as any error is, as %s', async (_, flags, message) => {
  const folder = fileTree({ 'job.ts': JOB })
  const ended = await pypet(folder, ['run', 'job.ts', ...flags], { TMPDIR: join(folder, 'nowhere') })
  expect(ended.exitCode).toBe(2)
  expect(ended.stderr).toMatch(message)
})

test.skipIf(process.platform === 'win32')('a Ctrl-C leaves nothing, however early it comes', async () => {
  const folder = fileTree({ 'job.ts': JOB })
  for (let delayMs = 0; delayMs <= 400; delayMs += 80) {
    const running = start(folder, ['run', 'job.ts', '--overwrite'])
    await delay(delayMs)
    process.kill(-(running.process.pid as number), 'SIGINT')
    const { temporaries } = await running.ended()
    expect(temporaries, `after ${delayMs} ms`).toEqual([])
  }
})

test('a V8 that does not know the flags of the writer does without, and nobody sees it', async () => {
  const folder = fileTree({
    'job.ts': JOB,
    // As if a later V8 had dropped them.
    'unknown.cjs': `const v8 = require('node:v8')
      const { setFlagsFromString } = v8
      v8.setFlagsFromString = (flag) => setFlagsFromString(flag.replace('--', '--no-such-'))`,
  })
  const ended = await pypet(folder, ['run', 'job.ts', '--json'], {
    NODE_OPTIONS: `--require=${join(folder, 'unknown.cjs')}`,
  })
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(eventsOf(ended).at(-1)).toMatchObject({ event: 'experiment-finished', stored_count: 2 })
})
