/** `pypet-ts continue` with the real command. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { factsOf, jobFixture, pypet, start, treeOf } from './pypet.ts'

/** Ten runs of which those named in the file `failing` fail, and which stop to wait when the file `wait` is there. */
const JOB = `
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
import { factor } from './factor.ts'
const here = new URL('.', import.meta.url)
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0, y: 2 },
  async run(traj) {
    const { x, y } = traj.par
    while (x >= 4 && existsSync(new URL('wait', here))) await delay(5)
    if (readFileSync(new URL('failing', here), 'utf8').split(',').includes(String(x))) throw new Error('as asked')
    traj.addResult('z', x * y * factor, { comment: 'a product' })
    return { x }
  },
})`

const FILES = { 'job.ts': JOB, 'factor.ts': 'export const factor = 3\n', failing: '', wait: '' }
const hasFlock = spawnSync('flock', ['--version']).status === 0
const RUN = ['run', 'job.ts', '--explore', 'x=0:10']

/** The experiment, killed once for all tests that have no other job. */
let killed: string
beforeAll(async () => {
  killed = await interruptedWith(FILES)
})

/** A copy of an experiment of which four runs are stored, because it was killed. Its `.cnt` also names the original's folder. */
function interrupted(): string {
  const folder = fileTree({})
  cpSync(killed, folder, { recursive: true, preserveTimestamps: true })
  return folder
}

/** The same, with a job or flags of its own. */
async function interruptedWith(files: Readonly<Record<string, string>>, flags: readonly string[] = []) {
  const folder = fileTree(files)
  const running = start(folder, [...RUN, '--json', ...flags])
  await running.until(({ stdout }) => stdout.includes('"stored_count":4') || /"stored_count":4/.test(stdout))
  process.kill(-(running.process.pid as number), 'SIGKILL')
  await running.ended()
  rmSync(join(folder, 'wait'), { force: true })
  return folder
}

async function valuesIn(file: string): Promise<unknown[]> {
  using content = await Hdf5Content.open(file)
  return content
    .names('/demo/results/runs')
    .map((run) => content.dataset(`/demo/results/runs/${run}/z/z`).value)
}

const ALL = Array.from({ length: 10 }, (_, x) => x * 6)

describe.skipIf(process.platform === 'win32')('an experiment that was killed', () => {
  test('goes on with what is missing, says so, and leaves no .cnt file', async () => {
    const folder = interrupted()
    const before = treeOf(folder)
    const dry = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--dry-run'])
    expect(dry).toMatchObject({ exitCode: 0, stderr: '', temporaries: [] })
    expect(dry.stdout).toBe(
      [
        'demo: 6 runs would be run; nothing was run',
        '  stored:   4 of 10 runs',
        '  failed:   0',
        '  missing:  6',
        '  would be: runs 4 to 9',
        '  file:     hdf5/demo.h5',
        '  job:      job.ts',
        '',
      ].join('\n'),
    )
    expect(treeOf(folder)).toEqual(before)
    const { exitCode, stdout, stderr } = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect({ exitCode, stderr: stderr.replaceAll(folder, '~') }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^job: job\.ts\n/)
    expect(stdout).toMatch(
      /^demo: 6 of 10 runs left, on 1 core( \(--ncores 0 uses all \d+\))? into hdf5\/demo\.h5$/m,
    )
    expect(stdout).toMatch(/\n10 runs stored in hdf5\/demo\.h5, 4 of them before, in /)
    expect(await valuesIn(join(folder, 'hdf5/demo.h5'))).toEqual(ALL)
    expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(false)
    expect(existsSync(join(folder, 'hdf5/demo.h5.lock'))).toBe(false)
    const again = await pypet(folder, ['continue', 'hdf5/demo.h5'])
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: 'every run in hdf5/demo.h5 is stored: there is nothing to continue\n',
    })
  })

  test('goes on from its HDF5 file, on other cores, and keeps its .cnt file on request', async () => {
    const folder = interrupted()
    const ended = await pypet(folder, ['continue', 'hdf5/demo.h5', '--ncores', '2', '--keep-cnt', '--json'])
    expect(ended.exitCode).toBe(0)
    expect(factsOf(ended)).toMatchObject({ stored_count: 10, previously_stored_count: 4, complete: true })
    expect(await valuesIn(join(folder, 'hdf5/demo.h5'))).toEqual(ALL)
    const again = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--keep-cnt'])
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: 'all 10 runs are stored in hdf5/demo.h5: there is nothing to continue\n',
    })
  })

  test('goes on where its folder was moved to, with its logs', async () => {
    const folder = await interruptedWith(FILES)
    const moved = fileTree({})
    rmSync(moved, { recursive: true })
    renameSync(folder, moved)
    // What is at the old place is another experiment's.
    mkdirSync(folder)
    writeFileSync(join(folder, 'job.ts'), 'throw new Error("not this one")')
    const { exitCode, stdout } = await pypet(moved, ['continue', 'hdf5/demo.cnt'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('logs:  logs/demo\n')
    expect(await valuesIn(join(moved, 'hdf5/demo.h5'))).toEqual(ALL)
  })

  test('does not go on with a changed job, unless that is allowed, for an environment of its own', async () => {
    const folder = interrupted()
    writeFileSync(join(folder, 'factor.ts'), 'export const factor = 5\n')
    const before = treeOf(folder)
    const refused = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', temporaries: [] })
    expect(refused.stderr.replaceAll(folder, '~')).toBe(
      [
        'error: ~/job.ts is not the job that made hdf5/demo.h5: factor.ts changed',
        '  hint: Restore the original job. Or run the changed job: --allow-changed-job (allowChangedJob: true in a script).',
        '',
      ].join('\n'),
    )
    expect(treeOf(folder)).toEqual(before)
    const allowed = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--allow-changed-job'])
    expect(allowed.exitCode).toBe(0)
    expect((await valuesIn(join(folder, 'hdf5/demo.h5'))).slice(3, 5)).toEqual([18, 40])
    using content = await Hdf5Content.open(join(folder, 'hdf5/demo.h5'))
    expect(content.names('/demo/config/environment')).toHaveLength(2)
    const hexshas = content.column('/demo/overview/runs', 'short_environment_hexsha')
    expect([new Set(hexshas.slice(0, 4)).size, new Set(hexshas).size]).toEqual([1, 2])
  })

  test('finds its job nowhere, and says where it has looked', async () => {
    const folder = await interruptedWith(FILES)
    renameSync(join(folder, 'job.ts'), join(folder, 'renamed.ts'))
    const { exitCode, stderr } = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(exitCode).toBe(2)
    expect(stderr.replaceAll(folder, '~')).toMatch(
      /^error: cannot find the job of ~\/hdf5\/demo\.cnt: looked for ~\/job\.ts/,
    )
  })

  test('is not begun anew by run, which names the command to go on', async () => {
    const folder = interrupted()
    const { exitCode, stderr } = await pypet(folder, RUN)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('already holds a trajectory named demo')
    expect(stderr).toContain('pypet-ts continue')
  })

  test('is recovered when another experiment joins its file, and both end', async () => {
    const folder = interrupted()
    const joined = await pypet(folder, [...RUN, '--name', 'other', '--file', 'hdf5/demo.h5', '--quiet'])
    expect(joined.exitCode).toBe(0)
    const { exitCode } = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--quiet'])
    expect(exitCode).toBe(0)
    using content = await Hdf5Content.open(join(folder, 'hdf5/demo.h5'))
    for (const name of ['demo', 'other']) {
      expect(content.column(`/${name}/overview/runs`, 'completed')).toEqual(Array(10).fill(1))
    }
  })
})

describe('failed runs', () => {
  test('are left alone, until they are to be retried', async () => {
    const folder = fileTree({ ...FILES, failing: '2,7' })
    rmSync(join(folder, 'wait'))
    const first = await pypet(folder, RUN)
    expect(first.exitCode).toBe(3)
    expect(first.stdout).toContain('retry: pypet-ts continue hdf5/demo.cnt --retry-failed\n')
    const left = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(left.exitCode).toBe(3)
    expect(left.stdout).toContain('no run is missing in hdf5/demo.h5, and 2 runs failed\n')
    writeFileSync(join(folder, 'failing'), '7')
    const some = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--retry-failed', '--json'])
    expect(some.exitCode).toBe(3)
    expect(factsOf(some)).toMatchObject({ stored_count: 9, failed_count: 1, left_count: 0 })
    writeFileSync(join(folder, 'failing'), '')
    const all = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--only', 'failed', '--json'])
    expect(all.exitCode).toBe(0)
    expect(factsOf(all)).toMatchObject({ stored_count: 10, failed_count: 0, complete: true })
    expect(await valuesIn(join(folder, 'hdf5/demo.h5'))).toEqual(ALL)
    using content = await Hdf5Content.open(join(folder, 'hdf5/demo.h5'))
    expect(content.column('/demo/overview/failed_runs', 'idx')).toEqual([])
    expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(false)
  })
})

/** Calls post-processing when every run has ended; it notes so, and does not end while there is a file `hold`. */
const SEEN_JOB = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4] },
  run(traj) {
    const { x } = traj.par
    if (readFileSync(here('failing'), 'utf8') === String(x)) throw new Error('as asked')
    traj.addResult('z', x)
    return x
  },
  async postprocess(traj, results) {
    writeFileSync(here('seen'), results.map(([run]) => run).join())
    while (existsSync(here('hold'))) await new Promise((resolve) => setTimeout(resolve, 5))
  },
})`

describe.skipIf(process.platform === 'win32')('an experiment that was killed at its end', () => {
  test.skipIf(!hasFlock)('is brought into its file by continue, also when runs have failed', async () => {
    const folder = fileTree({ ...FILES, failing: '7' })
    const file = join(folder, 'hdf5/demo.h5')
    const running = start(folder, [...RUN, '--json'])
    await running.until(({ stdout }) => stdout.includes('"runs-stored"'))
    const reader = spawn('flock', ['-s', file, 'sh', '-c', 'echo open; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await once(reader.stdout, 'data')
    rmSync(join(folder, 'wait'))
    await running.until(({ stdout }) => stdout.includes('is open in another program; waiting'))
    process.kill(-(running.process.pid as number), 'SIGKILL')
    await running.ended()
    reader.stdin.end()
    await once(reader, 'exit')
    const left = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(left.stdout).toContain('no run is missing in hdf5/demo.h5, and 1 run failed\n')
    expect(left.exitCode).toBe(3)
    // As other programs see it, which know nothing of the .cnt file.
    rmSync(join(folder, 'hdf5/demo.cnt'))
    using content = await Hdf5Content.open(file)
    expect(content.column('/demo/overview/runs', 'completed')).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 1, 1])
  })

  test('has its post-processing called by continue, also when a failed run was the last', async () => {
    const folder = fileTree({ 'job.mjs': SEEN_JOB, failing: '3' })
    expect((await pypet(folder, ['run', 'job.mjs'])).exitCode).toBe(3)
    expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('0,1,2,4')
    for (const name of ['failing', 'hold']) writeFileSync(join(folder, name), '')
    const retrying = start(folder, ['continue', 'hdf5/demo.cnt', '--retry-failed'])
    await retrying.until(() => readFileSync(join(folder, 'seen'), 'utf8') === '0,1,2,3,4')
    process.kill(-(retrying.process.pid as number), 'SIGKILL')
    await retrying.ended()
    for (const name of ['hold', 'seen']) rmSync(join(folder, name))
    const last = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(last.exitCode).toBe(0)
    expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('0,1,2,3,4')
    expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(false)
  })
})

describe('what cannot be continued', () => {
  test.each([
    ['nowhere.cnt', 'cannot continue nowhere.cnt: the file does not exist'],
    ['nowhere.h5', 'cannot open nowhere.h5: the file does not exist'],
    ['text.cnt', 'text.cnt is not a .cnt file of pypet-ts'],
  ])('%s is refused: %s', async (file, message) => {
    const folder = fileTree({
      'text.cnt': 'a text that somebody wrote, long enough to hold a header of eighty bytes and more',
    })
    const { exitCode, stderr } = await pypet(folder, ['continue', file])
    expect(exitCode).toBe(2)
    expect(stderr.replaceAll(`${folder}/`, '')).toContain(`error: ${message}`)
  })

  test.skipIf(process.platform === 'win32')(
    'a damaged .cnt file is refused, and nothing is touched',
    async () => {
      const folder = interrupted()
      const path = join(folder, 'hdf5/demo.cnt')
      const bytes = readFileSync(path)
      bytes[bytes.byteLength >> 1] = (bytes[bytes.byteLength >> 1] as number) ^ 1
      writeFileSync(path, bytes)
      const before = treeOf(folder)
      const { exitCode, stderr } = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
      expect(exitCode).toBe(2)
      expect(stderr).toContain('demo.cnt is damaged')
      expect(treeOf(folder)).toEqual(before)
    },
  )

  test('the job, the parameters and the exploration are not options of it', async () => {
    const { exitCode, stderr } = await pypet(fileTree({}), ['continue', 'x.cnt', '--set', 'x=1'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--set')
  })
})

describe.skipIf(process.platform === 'win32')('two at once', () => {
  test('the second is refused, with process and host of the first', async () => {
    const folder = fileTree(FILES)
    const first = start(folder, [...RUN, '--json'])
    await first.until(({ stdout }) => stdout.includes('"runs-stored"'))
    const { pid } = JSON.parse(readFileSync(join(folder, 'hdf5/demo.h5.lock'), 'utf8'))
    for (const words of [
      ['continue', 'hdf5/demo.cnt'],
      [...RUN, '--name', 'other', '--file', 'hdf5/demo.h5'],
    ]) {
      const second = await pypet(folder, words)
      expect(second.exitCode).toBe(2)
      expect(second.stderr).toContain(`is being written by process ${pid} on ${hostname()} (demo, since`)
    }
    rmSync(join(folder, 'wait'))
    expect((await first.ended()).exitCode).toBe(0)
  })

  test('a lock that a dead process has left is taken over with a notice, that of another host only when told to', async () => {
    const folder = interrupted()
    const lock = join(folder, 'hdf5/demo.h5.lock')
    const left = JSON.parse(readFileSync(lock, 'utf8'))
    writeFileSync(lock, JSON.stringify({ ...left, keptBy: 'name', host: 'another-host', bootId: 'another' }))
    const refused = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('on another-host')
    expect(refused.stderr).toContain('--break-lock')
    writeFileSync(lock, JSON.stringify(left))
    const taken = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(taken.exitCode).toBe(0)
    expect(taken.stdout).toContain('was taken over from process')
  })

  test('the lock of another host is taken over by --break-lock', async () => {
    const folder = interrupted()
    const lock = join(folder, 'hdf5/demo.h5.lock')
    const left = JSON.parse(readFileSync(lock, 'utf8'))
    const elsewhere = { keptBy: 'name', host: 'another-host', bootId: 'another' }
    writeFileSync(lock, JSON.stringify({ ...left, ...elsewhere }))
    const taken = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--break-lock'])
    expect(taken.exitCode).toBe(0)
  })
})

test.skipIf(process.platform === 'win32')(
  'after a Ctrl-C the closing lines name the command to go on, and it does',
  async () => {
    const folder = fileTree(FILES)
    const running = start(folder, RUN)
    await running.until(() => existsSync(join(folder, 'logs/demo')))
    running.process.kill('SIGINT')
    await running.until(({ stderr }) => stderr.includes('again to stop'))
    rmSync(join(folder, 'wait'))
    const { exitCode, stdout } = await running.ended()
    expect(exitCode).toBe(130)
    expect(stdout).toContain('continue: pypet-ts continue hdf5/demo.cnt\n')
    expect((await pypet(folder, ['continue', 'hdf5/demo.cnt', '--quiet'])).exitCode).toBe(0)
    expect(await valuesIn(join(folder, 'hdf5/demo.h5'))).toEqual(ALL)
  },
)

test.skipIf(process.platform === 'win32')(
  'SIGTERM ends a run that never ends within ten seconds',
  async () => {
    const folder = fileTree({})
    const beforeMs = performance.now()
    const running = start(folder, ['run', jobFixture('endless.ts'), '--json', '--ncores', '2'])
    await running.until(({ stdout }) => stdout.includes('"begun"'))
    const startMs = performance.now()
    running.process.kill('SIGTERM')
    const { exitCode, stdout, temporaries } = await running.ended()
    expect({ exitCode, temporaries }).toEqual({ exitCode: 143, temporaries: [] })
    // Eight seconds of grace, and two to end: as much as a busy machine takes to begin.
    const endMs = Math.max(2000, 2 * (startMs - beforeMs))
    expect(performance.now() - startMs).toBeLessThan(8000 + endMs)
    expect(stdout).toContain('"stopped_by":"signal"')
    const plan = await pypet(folder, ['continue', 'hdf5/endless.cnt', '--dry-run', '--json'])
    expect(factsOf(plan)).toMatchObject({ missing_count: 1 })
  },
)
