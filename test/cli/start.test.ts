/** What is started before it is known what is asked: nobody sees it, and it leaves nothing. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
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
  [
    'text',
    [],
    /^error: cannot write .*: cannot create a folder there: .*\n {2}hint: Set TMPDIR to an existing/,
  ],
  ['JSON', ['--json'], /^\{"event":"error","code":"PYPET_FILE_NOT_WRITABLE"/],
])('a TMPDIR that does not exist is told like every error, as %s', async (_, flags, message) => {
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

const INTERRUPTED_AT_ONCE = `const fs = require('node:fs')
const { mkdtempSync } = fs
fs.mkdtempSync = (prefix, ...more) => {
  const folder = mkdtempSync(prefix, ...more)
  if (prefix.includes('pypet-ts-writer-')) process.kill(process.pid, 'SIGINT')
  return folder
}
require('node:module').syncBuiltinESMExports()`

test.skipIf(process.platform === 'win32')(
  'a Ctrl-C leaves nothing, though it comes with the first folder',
  async () => {
    const folder = fileTree({ 'job.ts': JOB, 'interrupt.cjs': INTERRUPTED_AT_ONCE })
    const ended = await pypet(folder, ['run', 'job.ts'], {
      NODE_OPTIONS: `--require=${join(folder, 'interrupt.cjs')}`,
    })
    expect(ended).toMatchObject({ exitCode: 130, temporaries: [] })
  },
)

const WAITING = `import { defineExperiment } from 'pypet-ts'
import { existsSync, writeFileSync } from 'node:fs'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4, 5] },
  async run(traj) {
    writeFileSync(here('begun'), '')
    while (!existsSync(here('go'))) await new Promise((resolve) => setTimeout(resolve, 5))
    traj.addResult('z', traj.par.x)
  },
})`

test.skipIf(process.platform === 'win32')(
  'one that turns out not to be needed is gone before the runs begin, and Ctrl-C lets them finish',
  async () => {
    const folder = fileTree({ 'job.mjs': WAITING })
    const isThere = (name: string) => readdirSync(folder).includes(name)
    const killed = start(folder, ['run', 'job.mjs', '--wrap-mode', 'lock', '--ncores', '2'])
    await killed.until(() => isThere('begun'))
    process.kill(-(killed.process.pid as number), 'SIGKILL')
    await killed.ended()
    rmSync(join(folder, 'begun'))
    // Only the .cnt file says that workers store: a writer was started ahead in vain.
    const running = start(folder, ['continue', 'hdf5/job.cnt', '--ncores', '2'])
    await running.until(() => isThere('begun'))
    expect(
      childrenOf(running.process.pid as number).filter((line) => line.includes('writer-process')),
    ).toEqual([])
    running.process.kill('SIGINT')
    await running.until(({ stderr }) => stderr.includes('active runs finish'))
    writeFileSync(join(folder, 'go'), '')
    const { exitCode, stdout, temporaries } = await running.ended()
    expect({ exitCode, temporaries }).toEqual({ exitCode: 130, temporaries: [] })
    expect(stdout).toMatch(/2 of 6 runs stored/)
  },
)

function childrenOf(processId: number): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,command='], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => Number(line.trim().split(' ')[0]) === processId)
}

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
