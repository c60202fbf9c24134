/** A kill of everything while a run has stored a part of its results. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet, start } from './pypet.ts'

/** Stores, and then waits until the file `go` is there; without it only run 0 ends. */
const JOB = `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
const go = new URL('go', import.meta.url)
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2] },
  async run(traj) {
    const { x } = traj.par
    traj.addResult('early', { x, hasWaited: existsSync(go) ? 'no' : 'yes' })
    await traj.storeItem('early')
    console.error('stored by ' + x)
    while (x > 0 && !existsSync(go)) await delay(5)
    traj.addResult('late', x)
  },
})`

test.skipIf(process.platform === 'win32').each(['queue', 'lock'])(
  'a kill in the middle of a run leaves nothing of it, and continue performs it again: %s',
  async (mode) => {
    const folder = fileTree({ 'job.mjs': JOB })
    const words = ['--no-log', '--no-log-stdout', '--wrap-mode', mode]
    const running = start(folder, ['run', 'job.mjs', '--ncores', '2', '--file', 'h5/demo.h5', ...words])
    await running.until(({ stderr }) => stderr.includes('stored by 1') && stderr.includes('stored by 2'))
    const parts = readdirSync(join(folder, 'h5')).filter((name) => name.includes('.parts.'))
    expect(parts).toEqual([expect.stringMatching(/^demo\.h5\.parts\.\d+-[0-9a-f]{6}\.1$/)])
    process.kill(-(running.process.pid as number), 'SIGKILL')
    await running.ended()
    writeFileSync(join(folder, 'go'), '')
    const ended = await pypet(folder, ['continue', 'h5/demo.cnt', '--no-log', '--job', 'job.mjs'])
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(readdirSync(join(folder, 'h5'))).toEqual(['demo.h5'])
    using traj = await loadTrajectory(join(folder, 'h5/demo.h5'))
    expect(traj.getFromRuns('late')).toEqual({ run_00000000: 0, run_00000001: 1, run_00000002: 2 })
    expect(traj.getFromRuns('early.x')).toEqual({ run_00000000: 0, run_00000001: 1, run_00000002: 2 })
    const waited = Object.values(traj.getFromRuns('early.hasWaited'))
    expect(waited.slice(1)).toEqual(['no', 'no'])
  },
)
