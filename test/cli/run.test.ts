import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { eventsOf, jobFixture, pypet, start } from './pypet.ts'

const PLAIN = {
  'job.ts': `import { defineExperiment, cartesianProduct } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 1, y: 2, neuron: { tau: 20, kind: 'lif' } },
  explore: cartesianProduct({ x: [1, 2, 3], y: [5, 6] }),
  run(traj) { traj.addResult('z', traj.par.x * traj.par.y * traj.par.neuron.tau) },
})
`,
}

/** The trajectories of a file as the command itself shows them. */
async function overviewOf(folder: string, file: string): Promise<Trajectory[]> {
  const { exitCode, stdout, stderr } = await pypet(folder, ['overview', file, '--json', '--runs'])
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout).trajectories
}

interface Trajectory {
  readonly name: string
  readonly comment: string
  readonly runs: {
    readonly total: number
    readonly done: number
    readonly failed: number
    readonly left: number
    readonly table: { readonly rows: readonly { readonly run: number; readonly state: string }[] }
  }
}

describe('what is printed', () => {
  test('on a pipe: a line at the start, lines of progress, and a summary that ends with the next command', async () => {
    const folder = fileTree(PLAIN)
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts'])
    expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 0, stderr: '', temporaries: [] })
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]?.replace(/ \(--ncores 0 uses all \d+\)/, '')).toBe(
      'job: 6 runs on 1 core into hdf5/job.h5',
    )
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^6 runs stored in hdf5\/job\.h5, in \d.* s \(.* runs\/s\)$/),
      'logs:  logs/job',
      'next:  pypet-ts overview hdf5/job.h5',
    ])
    for (const line of lines.slice(1, -3)) expect(line).toMatch(/^ *\d+ % {2}\d of 6 runs/)
    expect(readdirSync(join(folder, 'logs/job')).sort()).toEqual(['main.txt', 'warnings_and_errors.txt'])
    const next = await pypet(folder, ['overview', 'hdf5/job.h5'])
    expect(next.stdout).toContain('6: 6 done, 0 failed, 0 left')
  })

  test('--quiet prints nothing when nothing is wrong', async () => {
    const folder = fileTree(PLAIN)
    const quiet = await pypet(folder, ['run', 'job.ts', '--quiet'])
    expect(quiet).toEqual({ exitCode: 0, stdout: '', stderr: '', temporaries: [] })
  })

  test('--json prints events only, one JSON object a line', async () => {
    const folder = fileTree(PLAIN)
    const { stdout, stderr } = await pypet(folder, ['run', 'job.ts', '--json', '--ncores', '2'])
    expect(stderr).toBe('')
    const events = eventsOf({ stdout })
    expect(events[0]).toMatchObject({
      event: 'experiment-started',
      run_count: 6,
      ncores: 2,
      executor: 'pool',
    })
    expect(events.at(-1)).toMatchObject({ event: 'experiment-finished', stored_count: 6, complete: true })
    const stored = events
      .filter(({ event }) => event === 'runs-stored')
      .flatMap(({ runs }) => runs as number[])
    expect(stored.sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('--verbose tells where each option comes from', async () => {
    const folder = fileTree({ ...PLAIN, 'pypet.config.json': '{ "purgeDuplicateComments": false }' })
    const env = { PYPET_COMMENT: 'from outside' }
    const { stderr } = await pypet(folder, ['run', 'job.ts', '--verbose', '--name', 'a'], env)
    const lines = stderr.replaceAll(folder, '~').split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        '  name = "a" (--name)',
        '  comment = "from outside" (PYPET_COMMENT)',
        '  purgeDuplicateComments = false (~/pypet.config.json)',
        '  ncores = 1 (the default)',
      ]),
    )
  })
})

describe('flags', () => {
  test('--explore flags replace the exploration and form a product, --set presets the others', async () => {
    const folder = fileTree(PLAIN)
    const flags = ['--explore', 'x=0:1:0.25', '--explore', 'neuron.kind=lif,"a,b"', '--set', 'neuron.tau=10']
    const { exitCode, stdout } = await pypet(folder, ['run', 'job.ts', '--dry-run', '--json', ...flags])
    expect(exitCode).toBe(0)
    const plan = JSON.parse(stdout)
    expect(plan).toMatchObject({ event: 'plan', run_count: 8, explored: ['x', 'neuron.kind'] })
    expect(plan.points.at(0).point).toEqual({ x: 0, 'neuron.kind': 'lif' })
    expect(plan.points.at(-1).point).toEqual({ x: 0.75, 'neuron.kind': 'a,b' })
  })

  test('--dry-run shows count, points and estimates of ten million runs at once, and runs and writes nothing', async () => {
    const folder = fileTree(PLAIN)
    const flags = ['--explore', 'x=0:1:0.1', '--explore', 'y=1:1000001', '--set', 'neuron.tau=10']
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, [
      'run',
      'job.ts',
      '--dry-run',
      ...flags,
    ])
    expect({ exitCode, temporaries }).toEqual({ exitCode: 0, temporaries: [] })
    expect(stderr).toMatch(
      /^warning: 10,000,000 runs as groups take about .*; --layout columns takes about .*\n$/,
    )
    expect(stdout).toContain('job: 10,000,000 runs would be run; nothing was run')
    expect(stdout).toContain('neuron.tau = 10')
    expect(stdout).toMatch(/file: +hdf5\/job\.h5, about \d.* GB/)
    expect(stdout).toMatch(/memory: +about \d+ MB/)
    expect(stdout.trimEnd().split('\n').slice(-7)).toEqual([
      '  run 0: x = 0, y = 1',
      '  run 1: x = 0, y = 2',
      '  run 2: x = 0, y = 3',
      '  ... 9,999,994 more',
      '  run 9999997: x = 0.9, y = 999998',
      '  run 9999998: x = 0.9, y = 999999',
      '  run 9999999: x = 0.9, y = 1000000',
    ])
    expect(readdirSync(folder)).toEqual(['job.ts'])
  })

  test('--add-time appends the time to the name, and so to file and log folder', async () => {
    const folder = fileTree(PLAIN)
    expect((await pypet(folder, ['run', 'job.ts', '--add-time', '--quiet'])).exitCode).toBe(0)
    const [file = ''] = readdirSync(join(folder, 'hdf5'))
    expect(file).toMatch(/^job_\d{4}_\d\d_\d\d_\d\dh\d\dm\d\ds\.h5$/)
    expect(readdirSync(join(folder, 'logs'))).toEqual([file.slice(0, -'.h5'.length)])
    const [trajectory] = await overviewOf(folder, join('hdf5', file))
    expect(trajectory?.name).toBe(file.slice(0, -'.h5'.length))
  })

  test('one file takes several trajectories, --overwrite replaces the file', async () => {
    const folder = fileTree(PLAIN)
    const run = (...flags: string[]) =>
      pypet(folder, ['run', 'job.ts', '--quiet', '--file', 'all.h5', ...flags])
    expect((await run('--name', 'a', '--comment', 'first')).exitCode).toBe(0)
    expect((await run('--name', 'b')).exitCode).toBe(0)
    const both = await overviewOf(folder, 'all.h5')
    expect(both.map(({ name }) => name).sort()).toEqual(['a', 'b'])
    expect(both.find(({ name }) => name === 'a')?.comment).toBe('first')
    expect((await run('--name', 'a', '--overwrite')).exitCode).toBe(0)
    expect((await overviewOf(folder, 'all.h5')).map(({ name }) => name)).toEqual(['a'])
  })
})

describe.each([
  ['inline', []],
  ['pool', ['--ncores', '2']],
  ['process', ['--isolate', '--ncores', '2']],
])('jobs that fail, %s', (_, flags) => {
  test('those runs fail, the others are stored; the exit code is 3', async () => {
    const folder = fileTree({})
    const { exitCode, stdout, temporaries } = await pypet(folder, ['run', jobFixture('failing.ts'), ...flags])
    expect({ exitCode, temporaries }).toEqual({ exitCode: 3, temporaries: [] })
    // Each kind of failure at once, not at the end, with the user's line where there is one.
    const failures = stdout.split('\n').filter((line) => /^run_\d+ failed: /.test(line))
    const of = (run: number) => failures.find((line) => line.startsWith(`run_0000000${run} `))
    expect(failures).toHaveLength(8)
    expect(of(2)).toMatch(/RangeError: deep inside \(.*failing\.ts:52:\d+\)$/)
    expect(of(3)).toMatch(/: thrown: null$/)
    expect(of(4)).toMatch(/TypeError: rejected \(.*failing\.ts:29:\d+\)$/)
    expect(of(5)).toMatch(/Error: nobody handles this \(.*failing\.ts:31:\d+\)$/)
    expect(of(6)).toMatch(/results\.f\.g cannot be stored: found a function \(.*failing\.ts:34:\d+\)$/)
    expect(of(7)).toMatch(/results\.z cannot be added: this run already has .*failing\.ts:37:\d+\)$/)
    expect(of(8)).toMatch(/results\.a b: "a b" is not a legal name.*failing\.ts:39:\d+\)$/)
    expect(of(9)).toBeDefined()
    expect(stdout.indexOf('run_00000002 failed')).toBeLessThan(stdout.indexOf('3 of 11 runs stored'))
    expect(stdout).toContain('8 runs failed: see logs/failing/warnings_and_errors.txt')

    const [trajectory] = await overviewOf(folder, 'hdf5/failing.h5')
    expect(trajectory?.runs).toMatchObject({ total: 11, done: 3, failed: 8, left: 0 })
    const done = trajectory?.runs.table.rows.filter(({ state }) => state === 'done')
    expect(done?.map(({ run }) => run)).toEqual([0, 1, 10])

    const log = readFileSync(join(folder, 'logs/failing/warnings_and_errors.txt'), 'utf8')
    expect(log).toMatch(
      /ERROR run_00000002: failed: RangeError: deep inside\n +at deepInside \(.*failing\.ts:52:9\)\n/,
    )
    expect(log).toMatch(/ERROR run_00000006: failed: [\s\S]*? hint: Allowed here: /)
  })
})

describe('signals', () => {
  test.each([
    ['SIGINT', 130, ['--ncores', '2']],
    ['SIGTERM', 143, []],
  ] as const)(
    'after %s active runs finish, the file is closed, the exit code is %i',
    async (signal, code, flags) => {
      const folder = fileTree({})
      const running = start(folder, ['run', jobFixture('long.ts'), '--json', ...flags])
      await running.until(({ stdout }) => stdout.includes('"runs-stored"'))
      running.process.kill(signal)
      const { exitCode, stdout, stderr, temporaries } = await running.ended()
      expect({ exitCode, temporaries }).toEqual({ exitCode: code, temporaries: [] })
      const patience =
        signal === 'SIGINT'
          ? 'press Ctrl-C again to stop now'
          : 'those that take longer than 8 s are cancelled'
      expect(stderr).toBe(`\nstopping: active runs finish and are stored; ${patience}\n`)
      const events = eventsOf({ stdout })
      const finished = events.at(-1)
      expect(finished).toMatchObject({ event: 'experiment-finished', failed_count: 0, complete: false })
      const [trajectory] = await overviewOf(folder, 'hdf5/long.h5')
      expect(trajectory?.runs).toMatchObject({ total: 100_000, done: finished?.stored_count, failed: 0 })
      expect(trajectory?.runs.left).toBe(100_000 - Number(finished?.stored_count))
    },
  )

  test('a second Ctrl-C ends a run that never ends', async () => {
    const folder = fileTree({})
    const running = start(folder, ['run', jobFixture('endless.ts'), '--json', '--ncores', '2'])
    await running.until(({ stdout }) => stdout.includes('"begun"'))
    running.process.kill('SIGINT')
    await running.until(({ stderr }) => stderr.includes('again to stop'))
    running.process.kill('SIGINT')
    const { exitCode } = await running.ended()
    expect(exitCode).toBe(130)
    const [trajectory] = await overviewOf(folder, 'hdf5/endless.h5')
    expect(trajectory?.runs).toMatchObject({ total: 1, done: 0, failed: 0, left: 1 })
    expect(existsSync(join(folder, 'logs/endless/main.txt'))).toBe(true)
  })
})
