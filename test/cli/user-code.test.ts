/** What a job does beside its runs: while it is loaded, when its run has ended, when all runs have. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const EXECUTORS = [
  ['inline', ['--ncores', '1']],
  ['pool', ['--ncores', '2']],
] as const

/** A job of two runs, each with its result `z`. */
function jobThat(run: string, top = ''): Readonly<Record<string, string>> {
  return {
    'job.ts': `import { defineExperiment, type Run } from 'pypet-ts'
import { existsSync, writeFileSync } from 'node:fs'; import { setTimeout as delay } from 'node:timers/promises'; import { isMainThread } from 'node:worker_threads'; const here = (name: string) => new URL(name, import.meta.url)
${top}
export default defineExperiment({
  parameters: { x: 1 },
  explore: { x: [1, 2] },
  async run(traj: Run) {
    traj.addResult('z', 1)
    ${run}
    void [existsSync, writeFileSync, delay, isMainThread, here]
  },
})
`,
  }
}

/**
 * Run 0 does something that comes after its end, in five milliseconds at the latest. Run 1 lasts until then; it is performed
 * beside run 0 where there is another thread.
 */
function late(code: string): string {
  const waitFor = (name: string) => `while (!existsSync(here('${name}'))) await delay(2)`
  const first = `if (!isMainThread) ${waitFor('begun')}; ${code}; setTimeout(() => writeFileSync(here('late'), ''), 30)`
  return `if (traj.idx === 0) { ${first} } else { writeFileSync(here('begun'), ''); ${waitFor('late')} }`
}

/** Longer than the timers of the module, which begin before the runs. */
const WAIT = 'await new Promise((resolve) => setTimeout(resolve, 60))'

function read(folder: string, name: string): string {
  return readFileSync(join(folder, 'logs/job', name), 'utf8')
}

describe.each(EXECUTORS)('%s: what comes after the end of a run', (_, flags) => {
  test('a result that comes too late is told at once, logged, and no success', async () => {
    const folder = fileTree(jobThat(late("setTimeout(() => traj.addResult('late', 5), 5)")))
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 3, stderr: '', temporaries: [] })
    const notices = stdout.split('\n').filter((line) => line.startsWith('error: '))
    expect(notices).toEqual([
      expect.stringMatching(
        /after its run had ended: PypetError: results\.late cannot be added: run_00000000 has ended.* \(job\.ts:9:\d+\)$/,
      ),
    ])
    expect(stdout).toContain('2 runs stored in hdf5/job.h5')
    expect(stdout).toContain(
      '1 error after the end of a run, results may be missing: see logs/job/warnings_and_errors.txt',
    )
    expect(read(folder, 'warnings_and_errors.txt')).toContain('results.late cannot be added')
  })

  test('--json counts such errors, one notice stands for many, --quiet shows it', async () => {
    const code = "for (let i = 0; i < 3; i += 1) setTimeout(() => { throw new Error('late ' + i) }, 5)"
    const folder = fileTree(jobThat(late(code)))
    const json = await pypet(folder, ['run', 'job.ts', '--json', ...flags])
    expect(json.exitCode).toBe(3)
    const events = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.filter(({ event }) => event === 'log').map(({ level }) => level)).toEqual([
      'error',
      'error',
      'error',
    ])
    expect(events.at(-1)).toMatchObject({
      event: 'experiment-finished',
      stored_count: 2,
      stray_error_count: 3,
    })
    for (const name of ['begun', 'late']) rmSync(join(folder, name))
    const quiet = await pypet(folder, ['run', 'job.ts', '--quiet', '--name', 'b', ...flags])
    expect({ exitCode: quiet.exitCode, stdout: quiet.stdout }).toEqual({ exitCode: 3, stdout: '' })
    expect(quiet.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^error: .*after its run had ended: Error: late 0 \(job\.ts:9:\d+\)$/),
      '3 errors after the end of a run; all of them are in logs/b',
    ])
  })

  test('an interval that never ends does not keep the command', async () => {
    const folder = fileTree(jobThat('setInterval(() => undefined, 10)'))
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 0, stderr: '', temporaries: [] })
    expect(stdout.trimEnd()).toMatch(/next: {2}pypet-ts overview hdf5\/job\.h5$/)
  })
})

test('an error of a timer that outlives the last inline run leaves nothing behind, and no raw stack', async () => {
  const folder = fileTree(jobThat(`setTimeout(() => traj.addResult('late', 5), 1)`))
  const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts', '--ncores', '1'])
  expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 3, stderr: '', temporaries: [] })
  expect(stdout).toContain('2 runs stored')
})

describe.each(EXECUTORS)('%s: what a job does while it is loaded', (name, flags) => {
  test('what it prints is in the log, and --json stays JSON', async () => {
    const top = `console.log('hello from the top')
console.error('complaint from the top')
process.stdout.write('no end of line')
if (isMainThread) setTimeout(() => console.log('later'), 20)`
    const folder = fileTree({
      ...jobThat(WAIT, top),
      'pypet.config.mjs': `console.log('hello from the config')\nexport default {}\n`,
    })
    const { exitCode, stdout, stderr } = await pypet(folder, ['run', 'job.ts', '--json', ...flags])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    expect(new Set(events)).toEqual(new Set(['experiment-started', 'runs-stored', 'experiment-finished']))
    const log = read(folder, 'main.txt')
    for (const line of ['hello from the config', 'hello from the top', 'complaint from the top', 'later']) {
      expect(log, name).toContain(line)
    }
    expect(log.match(/no end of line/g)?.length).toBe(name === 'inline' ? 1 : 3)
  })

  test.each([
    ['process.exit(0)', 0],
    ['process.exit(7)', 7],
    ['try { process.exit(0) } catch {}', 0],
    ['await new Promise(() => setTimeout(() => process.exit(0), 1))', 0],
    ['function stop() { process.exit(0) }\nstop()', 0],
  ])('%j is refused as a job that does not load, and nothing is touched', async (top, code) => {
    const folder = fileTree(jobThat('', top))
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect({ exitCode, stdout, temporaries }).toEqual({ exitCode: 2, stdout: '', temporaries: [] })
    expect(stderr).toMatch(
      new RegExp(`^error: cannot load the job .*job\\.ts:3:\\d+: it calls process\\.exit\\(${code}\\)\n`),
    )
    expect(readdirSync(folder)).toEqual(['job.ts'])
  })

  test('a callback that throws while the module waits is refused with its line', async () => {
    const top = 'await new Promise(() => setTimeout(() => { throw new TypeError("not a callback") }, 1))'
    const folder = fileTree(jobThat('', top))
    const { exitCode, stderr } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(
      /^error: cannot load the job .*job\.ts:3:\d+: it threw TypeError: not a callback\n/,
    )
  })

  test('what it prints before it fails is not lost', async () => {
    const folder = fileTree(jobThat('', `console.log('tau is', 7)\nthrow new Error('tau is odd')`))
    const { exitCode, stdout, stderr } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^tau is 7\nerror: cannot load the job .*tau is odd/)
  })

  test('a timer of the module that throws during the runs is told, and no success', async () => {
    const top = `if (isMainThread) setTimeout(() => { throw new Error('from the module') }, 1)`
    const folder = fileTree(jobThat(WAIT, top))
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['run', 'job.ts', ...flags])
    expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 3, stderr: '', temporaries: [] })
    expect(stdout).toContain('Error: from the module (job.ts:3:')
  })
})

test.each([
  ['run', ['run', 'job.ts', '--name', 'again']],
  ['run on threads', ['run', 'job.ts', '--name', 'again', '--ncores', '2']],
  ['run --dry-run', ['run', 'job.ts', '--name', 'again', '--dry-run']],
  ['run --point', ['run', 'job.ts', '--point', '0']],
  ['plan', ['plan', 'job.ts']],
  ['continue', ['continue', 'hdf5/job.cnt', '--retry-failed']],
  ['expand', ['expand', 'hdf5/job.h5', '--explore', 'x=1,2,3']],
  ['verify', ['verify', 'hdf5/job.h5', '--all']],
])('what a job prints before it does not load is shown by %s', async (_, words) => {
  const top = `if (existsSync(here('odd'))) {
  console.log('tau is', 7)
  process.stdout.write('no end of line')
  throw new Error('tau is odd')
}`
  const folder = fileTree(jobThat(`if (traj.idx === 1) throw new Error('as asked')`, top))
  expect((await pypet(folder, ['run', 'job.ts'])).exitCode).toBe(3)
  // Without its failed run the trajectory can be expanded; with it, the experiment can be continued.
  if (words[0] === 'expand') rmSync(join(folder, 'hdf5/job.cnt'))
  writeFileSync(join(folder, 'odd'), '')
  const { exitCode, stdout, stderr, temporaries } = await pypet(folder, words)
  expect({ exitCode, stdout: stdout.replace(/^job: job\.ts\n/, ''), temporaries }).toEqual({
    exitCode: 2,
    stdout: '',
    temporaries: [],
  })
  expect(stderr).toMatch(/^tau is 7\nno end of line\nerror: cannot load the job .*tau is odd/)
})

test('a config file that ends the process is refused', async () => {
  const folder = fileTree({ ...jobThat(''), 'pypet.config.mjs': 'process.exit(0)\nexport default {}\n' })
  const { exitCode, stderr, temporaries } = await pypet(folder, ['run', 'job.ts'])
  expect({ exitCode, temporaries }).toEqual({ exitCode: 2, temporaries: [] })
  expect(stderr).toMatch(
    /^error: cannot load the config file .*pypet\.config\.mjs:1:\d+: it calls process\.exit\(0\)/,
  )
})

test.each([
  [
    'throws',
    `if (!isMainThread) { console.log('tau is', 7); throw new Error('main only') }`,
    /^(tau is 7\n)+error: .*it threw Error: main only/,
  ],
  ['ends', 'if (!isMainThread) process.exit(1)', /it calls process\.exit\(1\)/],
])('a job that %s in threads alone is refused before any file is touched', async (_, top, message) => {
  const folder = fileTree(jobThat('', top))
  const first = await pypet(folder, ['run', 'job.ts', '--ncores', '2'])
  expect(first).toMatchObject({ exitCode: 2, stdout: '', temporaries: [] })
  expect(first.stderr).toMatch(message)
  expect(readdirSync(folder)).toEqual(['job.ts'])
  // An earlier file is not replaced either.
  expect((await pypet(folder, ['run', 'job.ts'])).exitCode).toBe(0)
  const before = readFileSync(join(folder, 'hdf5/job.h5'))
  const second = await pypet(folder, ['run', 'job.ts', '--ncores', '2', '--overwrite'])
  expect(second.exitCode).toBe(2)
  expect(readFileSync(join(folder, 'hdf5/job.h5')).equals(before)).toBe(true)
  expect(existsSync(join(folder, 'logs/job/process_0001.txt'))).toBe(false)
})

test.each([
  ['a run that calls process.reallyExit(0)', `if (traj.idx === 1) process.reallyExit(0)`, '', 3],
  [
    'a timer of a run that calls process.reallyExit(0)',
    `if (traj.idx === 1) setTimeout(() => process.reallyExit(0), 1)\n${WAIT}`,
    '',
    3,
  ],
  [
    'a handler of exit that sets the code',
    `if (traj.idx === 1) throw new Error('as asked')`,
    `process.on('exit', () => { process.exitCode = 0 })`,
    3,
  ],
  [
    'a handler of exit that exits by itself',
    `if (traj.idx === 1) throw new Error('as asked')`,
    `process.on('exit', () => process.reallyExit(0))`,
    3,
  ],
  [
    'a timer that sets the code again and again',
    `if (traj.idx === 1) throw new Error('as asked')`,
    `setInterval(() => { process.exitCode = 0 }, 0)`,
    3,
  ],
])('%s does not decide how the command ends', async (_, body, top, expected) => {
  const folder = fileTree(jobThat(body, top))
  const { exitCode, stdout } = await pypet(folder, ['run', 'job.ts', '--json', '--ncores', '1'])
  expect(exitCode).toBe(expected)
  expect(JSON.parse(stdout.trim().split('\n').at(-1) as string)).toMatchObject({
    event: 'experiment-finished',
    stored_count: 1,
  })
})
