/** `--isolate` with the real command: what the terminal, a kill and a continuation do to processes of runs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { eventsOf, factsOf, pypet, start } from './pypet.ts'

/** Tells its process, then computes or waits until the file `go` is there. Run 0 fails when it is not. */
const JOB = `
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0, how: 'waits' },
  explore: { x: [0, 1, 2] },
  async run(traj) {
    const { x, how } = traj.par
    writeFileSync(here('pid-' + x), String(process.pid))
    if (how === 'fails' && !existsSync(here('go'))) throw new Error('as asked')
    while (how === 'computes') {}
    while (!existsSync(here('go'))) await delay(5)
    traj.addResult('z', x)
  },
})`

const RUN = ['run', 'job.mjs', '--json']

describe.skipIf(process.platform === 'win32')('a run in a process of its own', () => {
  test('ends with main, also where it computes without pause and main is killed', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const running = start(folder, [...RUN, '--isolate', '--set', 'how=computes'])
    const pid = await activeProcess(folder)
    expect(isAlive(pid)).toBe(true)
    running.process.kill('SIGKILL')
    while (isAlive(pid)) await delay(5)
    await running.ended()
  })

  test('hears nothing of Ctrl-C: it finishes and is stored; the rest goes on elsewhere', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const running = start(folder, [...RUN, '--isolate', '--memory-limit', '2000'])
    const pid = await activeProcess(folder)
    // As a terminal does: to everybody in the group.
    process.kill(-(running.process.pid as number), 'SIGINT')
    await running.until(({ stderr }) => stderr.includes('again to stop'))
    expect(isAlive(pid)).toBe(true)
    writeFileSync(join(folder, 'go'), '')
    const ended = await running.ended()
    expect(ended).toMatchObject({ exitCode: 130, temporaries: [] })
    expect(factsOf(ended)).toMatchObject({ stored_count: 1, failed_count: 0, left_count: 2 })
    const rest = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--json', '--executor', 'pool'])
    expect(rest).toMatchObject({ exitCode: 0, stderr: '' })
    expect(eventsOf(rest)[1]).toMatchObject({ event: 'experiment-started', executor: 'pool' })
    expect(factsOf(rest)).toMatchObject({ stored_count: 3 })
  })

  test('is given up by a second Ctrl-C, whatever it does, and nothing is left', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const running = start(folder, [...RUN, '--isolate', '--set', 'how=computes'])
    const pid = await activeProcess(folder)
    running.process.kill('SIGINT')
    await running.until(({ stderr }) => stderr.includes('again to stop'))
    running.process.kill('SIGINT')
    expect(await running.ended()).toMatchObject({ exitCode: 130, temporaries: [] })
    expect(isAlive(pid)).toBe(false)
  })

  test('may take over what has begun on a pool', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const flags = ['--set', 'how=fails', '--ncores', '2', '--on-error', 'stop']
    expect(await pypet(folder, [...RUN, ...flags])).toMatchObject({ exitCode: 3 })
    writeFileSync(join(folder, 'go'), '')
    const words = ['continue', 'hdf5/demo.cnt', '--json', '--retry-failed', '--isolate']
    const rest = await pypet(folder, words)
    expect(rest).toMatchObject({ exitCode: 0, stderr: '', temporaries: [] })
    expect(eventsOf(rest)[1]).toMatchObject({ event: 'experiment-started', executor: 'process', ncores: 2 })
    expect(factsOf(rest)).toMatchObject({ stored_count: 3, failed_count: 0 })
  })
})

test.each([
  ['in processes, which store by themselves', ['--isolate', '--wrap-mode', 'lock']],
  ['on threads', ['--ncores', '2']],
])('a CommonJS job requires pypet-ts, %s', async (_, flags) => {
  const job = `const { defineExperiment, PypetError } = require('pypet-ts')
    module.exports = defineExperiment({
      parameters: { x: 0 },
      explore: { x: [1, 2] },
      run(traj) {
        try { traj.addResult('z', () => 1) } catch (error) { traj.addResult('isOurs', error instanceof PypetError) }
      },
    })`
  const ended = await pypet(fileTree({ 'job.cjs': job }), ['run', 'job.cjs', '--json', ...flags])
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(factsOf(ended)).toMatchObject({ stored_count: 2, failed_count: 0 })
})

test('a cap that holds every run back says so once, and Ctrl-C ends the wait', async () => {
  const folder = fileTree({ 'job.mjs': JOB, go: '' })
  const running = start(folder, [...RUN, '--memory-cap', '0.001', '--ncores', '2'])
  await running.until(({ stdout }) => stdout.includes('no new runs for now'))
  running.process.kill('SIGINT')
  const ended = await running.ended()
  expect(ended).toMatchObject({ exitCode: 130, temporaries: [] })
  expect(factsOf(ended)).toMatchObject({ stored_count: 0, left_count: 3 })
  const log = readFileSync(join(folder, 'logs/demo/main.txt'), 'utf8')
  expect(log.match(/no new runs for now: memory use is [\d.]+ % \(cap 0\.001 %\)/g)?.length).toBe(1)
})

async function activeProcess(folder: string): Promise<number> {
  const file = join(folder, 'pid-0')
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await delay(5)
  return Number(readFileSync(file, 'utf8'))
}

/** A process that has ended, and whose parent has not looked yet, is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
