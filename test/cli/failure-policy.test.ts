/** What failed runs do to an experiment: retries, time limits, and when it stops. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { type Ended, eventsOf, pypet } from './pypet.ts'

/** Each run does what the word for it says. */
const JOB = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const tries = new URL('tries', import.meta.url)
const log = new URL('logs/demo/warnings_and_errors.txt', import.meta.url)
async function untilFailureIsTold(): Promise<void> {
  while (!existsSync(log) || !readFileSync(log, 'utf8').includes('as asked')) await new Promise((resolve) => setTimeout(resolve, 5))
}
export default defineExperiment({
  name: 'demo',
  parameters: { way: 'fine' },
  run(traj): unknown {
    appendFileSync(tries, traj.idx + ' ')
    const count = readFileSync(tries, 'utf8').split(' ').filter((run) => run === String(traj.idx)).length
    switch (traj.par.way) {
      case 'busy': for (;;) {}
      case 'never': return new Promise(() => undefined)
      case 'throws': throw new Error('as asked')
      case 'null': throw null
      case 'text': throw 'a text'
      case 'rejects': return Promise.reject(new Error('rejected'))
      case 'unhandled': void Promise.reject(new Error('nobody handles it')); return new Promise(() => setInterval(() => undefined, 1000).unref())
      case 'patient': return untilFailureIsTold().then(() => traj.addResult('z', count))
      case 'third': if (count < 3) throw new Error('not yet'); break
      case 'function': return () => 1
      case 'symbol': return Promise.resolve({ inside: Symbol('s') })
    }
    traj.addResult('z', count)
    return { count, when: new Date(0), map: new Map([[1, NaN]]) }
  },
})`

async function perform(
  ways: readonly string[],
  flags: readonly string[],
): Promise<Ended & { readonly folder: string }> {
  const folder = fileTree({ 'job.ts': JOB })
  const explore = `way=${ways.join(',')}`
  return { folder, ...(await pypet(folder, ['run', 'job.ts', '--json', '--explore', explore, ...flags])) }
}

function failuresOf(ended: Ended): Record<number, string> {
  const failures = eventsOf(ended).filter(({ event }) => event === 'run-failed')
  return Object.fromEntries(
    failures.map(({ run, error }) => {
      const { name, message } = error as { name: string; message: string }
      return [run, `${name}: ${message}`]
    }),
  )
}

const INLINE: readonly string[] = []
const POOL = ['--ncores', '2']

describe.each([
  ['inline', INLINE],
  ['on two threads', POOL],
])('%s', (_name, cores) => {
  test('whatever a job throws or returns that cannot be kept fails its run, with a reason', async () => {
    const ways = ['fine', 'throws', 'null', 'text', 'rejects', 'unhandled', 'function', 'symbol', 'fine']
    const ended = await perform(ways, cores)
    expect(ended).toMatchObject({ exitCode: 3, temporaries: [] })
    expect(failuresOf(ended)).toEqual({
      1: 'Error: as asked',
      2: 'NonError: thrown: null',
      3: 'NonError: thrown: "a text"',
      4: 'Error: rejected',
      5: 'Error: nobody handles it',
      6: "PypetError: cannot keep the job's return value: () => 1 could not be cloned.",
      7: expect.stringMatching(/^PypetError: cannot keep the job's return value: /),
    })
    expect(eventsOf(ended).at(-1)).toMatchObject({ stored_count: 2, failed_count: 7, left_count: 0 })
  })

  test('a run that fails is performed again as often as --retries says, and only its last word counts', async () => {
    const ended = await perform(['third', 'fine', 'throws', 'third'], [...cores, '--retries', '2'])
    expect(ended.exitCode).toBe(3)
    expect(failuresOf(ended)).toEqual({ 2: 'Error: as asked' })
    const retried = eventsOf(ended).filter(({ event }) => event === 'run-retried')
    expect(retried.map(({ run, attempt }) => `${run}.${attempt}`).sort()).toEqual([
      '0.1',
      '0.2',
      '2.1',
      '2.2',
      '3.1',
      '3.2',
    ])
    expect(eventsOf(ended).at(-1)).toMatchObject({ stored_count: 3, failed_count: 1 })
  })

  test('--on-error stop begins no run after a failed one, and the rest can be continued', async () => {
    const ended = await perform(
      ['fine', 'throws', ...Array(30).fill('patient')],
      [...cores, '--on-error', 'stop'],
    )
    expect(ended.exitCode).toBe(3)
    const summary = eventsOf(ended).at(-1) as Record<string, unknown>
    expect(summary).toMatchObject({ failed_count: 1, stopped_by: 'failures' })
    expect(Number(summary.left_count)).toBeGreaterThan(20)
    const rest = await pypet(ended.folder, ['continue', 'hdf5/demo.cnt', '--json'])
    expect(rest.exitCode).toBe(3)
    expect(eventsOf(rest).at(-1)).toMatchObject({ stored_count: 31, failed_count: 1, left_count: 0 })
  })

  test.each([
    ['2', 3],
    ['10%', 3],
    ['0', 1],
  ])('--max-failures %s stops at failure number %i of 20 runs', async (maxFailures, failedCount) => {
    const ended = await perform(Array(20).fill('throws'), [...cores, '--max-failures', maxFailures])
    expect(ended.exitCode).toBe(3)
    const summary = eventsOf(ended).at(-1) as Record<string, unknown>
    expect(summary).toMatchObject({ stopped_by: 'failures', stored_count: 0 })
    // Runs that were active on other threads end, too.
    expect(Number(summary.failed_count)).toBeGreaterThanOrEqual(failedCount)
    expect(Number(summary.failed_count)).toBeLessThan(failedCount + 4)
  })
})

describe('--timeout', () => {
  test.each([
    ['on one core', []],
    ['on two', ['--ncores', '2']],
    ['in two processes', ['--isolate', '--ncores', '2']],
  ])(
    'ends a run that computes for ever and one that waits for ever, %s; the others are stored',
    async (_name, cores) => {
      const ended = await perform(['fine', 'busy', 'never', 'fine', 'fine'], [...cores, '--timeout', '0.4'])
      expect(ended).toMatchObject({ exitCode: 3, temporaries: [] })
      expect(failuresOf(ended)).toEqual({
        1: 'TimeoutError: run_00000001 exceeded its time limit of 0.4 s (--timeout)',
        2: 'TimeoutError: run_00000002 exceeded its time limit of 0.4 s (--timeout)',
      })
      expect(eventsOf(ended).at(-1)).toMatchObject({ stored_count: 3, failed_count: 2 })
    },
  )

  test('is refused for runs in the main thread, which nobody could end', async () => {
    const { exitCode, stderr } = await perform(['fine'], ['--timeout', '1', '--executor', 'inline'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('a run in the main thread cannot be stopped')
  })

  test.each([
    ['--timeout', 'soon', 'a number >= 0'],
    ['--timeout', '-1', 'a number >= 0'],
    ['--retries', '1.5', 'a whole number >= 0'],
    ['--cpu-cap', '0', 'a number > 0 and <= 100'],
    ['--max-failures', '200%', 'a number of runs such as 5, or a part such as 10%'],
    ['--on-error', 'ask', 'one of continue, stop'],
  ])('%s %s is refused', async (flag, value, expected) => {
    const { exitCode, stderr, folder } = await perform(['fine'], [flag, value])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(expected)
    expect(existsSync(join(folder, 'hdf5'))).toBe(false)
  })
})
