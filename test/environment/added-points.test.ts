/** Points that post-processing has added, when the writer dies between their commit and its word. It runs as it is installed. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadTrajectory } from '../../dist/index.js'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'grown',
  parameters: { x: 1 },
  explore: { x: [1, 2, 3] },
  run(traj) {
    traj.addResult('z', traj.par.x)
    return traj.par.x
  },
  postprocess: (traj, results) => (results.length < 6 ? [{ x: results.length + 1 }] : undefined),
})`

/** In a writer: it dies as it would tell that the first points are committed. The second writer does not. */
const KILL = `
const { existsSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
if (process.argv[1]?.includes('writer-process')) {
  const { send } = process
  process.send = function (message, ...rest) {
    const killed = join(__dirname, 'killed')
    if (message?.type === 'extended' && !existsSync(killed) && process.env.PYPET_TEST_KILL_AT === String(++count)) {
      writeFileSync(killed, '')
      process.kill(process.pid, 'SIGKILL')
      return true
    }
    return send.call(this, message, ...rest)
  }
}
let count = 0`

test.skipIf(process.platform === 'win32').each([1, 2, 3])(
  'are performed, whichever answer is the last of the writer: %i',
  async (at) => {
    const folder = fileTree({ 'job.mjs': JOB, 'kill.cjs': KILL })
    const words = ['run', 'job.mjs', '--file', 'file.h5', '--json', '--executor', 'inline', '--no-provenance']
    const env = { NODE_OPTIONS: `--require ${join(folder, 'kill.cjs')}`, PYPET_TEST_KILL_AT: String(at) }
    const ended = await pypet(folder, words, env)
    expect(ended.exitCode).toBe(0)
    const events = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.at(-1)).toMatchObject({ run_count: 6, stored_count: 6, left_count: 0 })
    const isReplaced = events.some(({ message }) => String(message).includes('a new one continues'))
    expect(isReplaced).toBe(true)
    using traj = await loadTrajectory(join(folder, 'file.h5'))
    expect(Object.values(traj.getFromRuns('z'))).toEqual([1, 2, 3, 4, 5, 6])
  },
)
