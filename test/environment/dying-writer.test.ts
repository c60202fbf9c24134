/** Writers that die at a moment when little, or nothing, is left to do. It runs as it is installed. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventsOf, factsOf, pypet, start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
import { existsSync } from 'node:fs'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  explore: { x: [1, 2, 3] },
  async run(traj) {
    while (traj.par.x > 1 && existsSync(new URL('wait', import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 5))
    traj.addResult('z', traj.par.x)
  },
})`

/** In a writer: it dies as it would send a message of this type, once, when it may. */
const KILL = `
const { existsSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const killed = join(__dirname, 'killed')
if (process.argv[1]?.includes('writer-process')) {
  const { send } = process
  process.send = function (message, ...rest) {
    if (message?.type === process.env.PYPET_TEST_KILL_AT && existsSync(join(__dirname, 'may-die')) && !existsSync(killed)) {
      writeFileSync(killed, '')
      process.kill(process.pid, 'SIGKILL')
      return true
    }
    return send.call(this, message, ...rest)
  }
}`

const WORDS = ['run', 'job.mjs', '--json', '--no-provenance', '--ncores', '1']
const hasFlock = spawnSync('flock', ['--version']).status === 0

function folderAndEnv(files: Readonly<Record<string, string>>, at: string) {
  const folder = fileTree({ 'job.mjs': JOB, 'kill.cjs': KILL, ...files })
  return {
    folder,
    env: { NODE_OPTIONS: `--require ${join(folder, 'kill.cjs')}`, PYPET_TEST_KILL_AT: at },
  }
}

test.skipIf(process.platform === 'win32')(
  'one that dies when everything is in the file, and its .cnt file removed, costs nothing',
  async () => {
    const { folder, env } = folderAndEnv({ 'may-die': '' }, 'closed')
    const ended = await pypet(folder, WORDS, env)
    expect(factsOf(ended)).toMatchObject({ stored_count: 3, complete: true })
    expect(ended.exitCode).toBe(0)
    expect(existsSync(join(folder, 'killed'))).toBe(true)
    expect(readdirSync(join(folder, 'hdf5'))).toEqual(['demo.h5'])
    using content = await Hdf5Content.open(join(folder, 'hdf5/demo.h5'))
    expect(content.column('/demo/overview/runs', 'completed')).toEqual([1, 1, 1])
  },
)

test.skipIf(!hasFlock)(
  'one that cannot be replaced, because other programs have the file open, ends the experiment with exit code 1 and the command to go on',
  async () => {
    const { folder, env } = folderAndEnv({ wait: '' }, 'committed')
    const file = join(folder, 'hdf5/demo.h5')
    const running = start(folder, [...WORDS, '--reader-wait-ms', '200'], env)
    await running.until(({ stdout }) => stdout.includes('"runs-stored"'))
    const reader = spawn('flock', ['-s', file, 'sh', '-c', 'echo open; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(reader.stdout, 'data')
    writeFileSync(join(folder, 'may-die'), '')
    rmSync(join(folder, 'wait'))
    const ended = await running.ended()
    reader.stdin.end()
    await once(reader, 'exit')
    const error = JSON.parse(ended.stderr.trim().split('\n').at(-1) as string)
    expect(error).toMatchObject({ code: 'PYPET_STORAGE_FAILED', exit_code: 1 })
    expect(error.message).toContain('is open in another program')
    expect(error.hint).toContain('pypet-ts continue hdf5/demo.cnt')
    expect(ended.exitCode).toBe(1)
    const continued = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--json', '--dry-run'])
    expect(eventsOf(continued).at(-1)?.stored_count).toBeGreaterThanOrEqual(2)
  },
)
