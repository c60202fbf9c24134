/** Others remove, move, replace or cut the HDF5 file while it is written; programs have it open to the end. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { whenOver } from '../when-over.ts'
import { factsOf, pypet, type Started, start } from './pypet.ts'

/** Ten runs; from the fifth on they wait while there is a file `wait`, from the eighth on for `later`. */
const JOB = `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  async run(traj) {
    const { x } = traj.par
    while (x >= 4 && existsSync(new URL('wait', import.meta.url))) await delay(5)
    while (x >= 7 && existsSync(new URL('later', import.meta.url))) await delay(5)
    traj.addResult('z', 2 * x)
  },
})`

const RUN = ['run', 'job.mjs', '--json', '--no-provenance']

/** The experiment, when its first runs are stored. */
async function begun(words: readonly string[]): Promise<{ folder: string; file: string; running: Started }> {
  const folder = fileTree({ 'job.mjs': JOB, wait: '' })
  const running = start(folder, [...RUN, ...words])
  await running.until(({ stdout }) => /"stored_count":[1-9]/.test(stdout))
  return { folder, file: join(folder, 'hdf5/demo.h5'), running }
}

async function completedIn(file: string): Promise<unknown> {
  using content = await Hdf5Content.open(file)
  return content.column('/demo/overview/runs', 'completed')
}

const ALL = Array.from({ length: 10 }, () => 1)

describe.skipIf(process.platform !== 'linux').each(['queue', 'lock'])(
  '%s: a file that is written',
  (wrapMode) => {
    const words = ['--wrap-mode', wrapMode, '--ncores', '1', '--executor', 'pool']

    test.each([
      ['removed', (file: string) => rmSync(file), undefined],
      ['removed with its folder', (file: string) => rmSync(join(file, '..'), { recursive: true }), undefined],
      ['left without its .cnt file', (file: string) => rmSync(file.replace(/h5$/, 'cnt')), undefined],
      [
        'moved',
        (file: string) => renameSync(file, `${file}.elsewhere`),
        (file: string) => renameSync(`${file}.elsewhere`, file),
      ],
      [
        'replaced',
        (file: string) => {
          writeFileSync(`${file}.other`, 'another file')
          renameSync(`${file}.other`, file)
        },
        (file: string) => renameSync(`${file}.rescued`, file),
      ],
    ])(
      'and is %s: exit code 1 says what was found, and continue completes it',
      async (_, displace, restore) => {
        const { folder, file, running } = await begun(words)
        displace(file)
        rmSync(join(folder, 'wait'))
        const ended = await running.ended()
        expect(ended).toMatchObject({ exitCode: 1, temporaries: [] })
        const error = JSON.parse(ended.stderr.trim().split('\n').at(-1) as string)
        expect(error).toMatchObject({ code: 'PYPET_FILE_MOVED' })
        expect(error.message).toContain('Every run reported as stored is safe')
        expect(error.hint).toContain('pypet-ts continue hdf5/demo.cnt')
        if (existsSync(`${file}.rescued`)) expect(readFileSync(file, 'utf8') === 'another file').toBe(true)
        restore?.(file)
        const announced = [...ended.stdout.matchAll(/"runs-stored".*?"stored_count":(\d+)/g)].map(
          ([, count]) => Number(count),
        )
        const plan = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--dry-run', '--json'])
        expect(factsOf(plan).stored_count).toBeGreaterThanOrEqual(Math.max(...announced))
        const continued = await pypet(folder, ['continue', 'hdf5/demo.cnt', '--json'])
        expect(factsOf(continued)).toMatchObject({ stored_count: 10, complete: true })
        expect(continued.exitCode).toBe(0)
        expect(await completedIn(file)).toEqual(ALL)
      },
    )
  },
)

describe.skipIf(process.platform !== 'linux').each(['queue', 'lock'])(
  '%s: a file that is written, and is harmed',
  (wrapMode) => {
    test.each([
      ['cut', (file: string) => truncateSync(file, 4096), 'was truncated during writing'],
      [
        'overwritten',
        (file: string, folder: string) =>
          writeFileSync(file, readFileSync(join(folder, 'other')), { flag: 'r+' }),
        'was overwritten by another program',
      ],
      [
        'put back as it was before',
        (file: string, folder: string) => copyFileSync(join(folder, 'older'), file),
        'was (truncated|overwritten)',
      ],
    ])('%s: is never said to be whole', async (_, harm, message) => {
      const { folder, file, running } = await begun([
        '--ncores',
        '1',
        '--executor',
        'pool',
        '--wrap-mode',
        wrapMode,
      ])
      writeFileSync(join(folder, 'other'), new Uint8Array(1_000_000))
      const snapshot = await pypet(folder, ['snapshot', 'hdf5/demo.h5', 'older'])
      expect(snapshot.exitCode).toBe(0)
      // The older state lacks runs that are announced by then.
      writeFileSync(join(folder, 'later'), '')
      rmSync(join(folder, 'wait'))
      await running.until(({ stdout }) => stdout.includes('"stored_count":7'))
      harm(file, folder)
      rmSync(join(folder, 'later'))
      const { exitCode, stderr } = await running.ended()
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) })
      expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(true)
    })
  },
)

const hasFlock = spawnSync('flock', ['--version']).status === 0

describe.skipIf(!hasFlock)('a file that other programs have open', () => {
  /** Three readers that overlap: there is no moment without one. */
  function readInLoops(file: string): () => Promise<void> {
    const loop = `while [ ! -e ${file}.stop ]; do flock -s ${file} sleep 0.2; done`
    const readers = [0, 1, 2].map(() =>
      spawn('sh', ['-c', `sleep 0.$RANDOM; ${loop}`], { stdio: 'ignore', detached: true }),
    )
    const end = async () => {
      writeFileSync(`${file}.stop`, '')
      await Promise.all(readers.map((reader) => reader.exitCode ?? once(reader, 'exit')))
      rmSync(`${file}.stop`, { force: true })
    }
    whenOver(() => readers.forEach((reader) => void reader.kill('SIGKILL')))
    return end
  }

  test('in readers of ours, however many overlap, is whole in the end', async () => {
    const loop = `import { existsSync } from 'node:fs'
import { loadTrajectory } from 'pypet-ts'
while (!existsSync('stop')) {
  const traj = await loadTrajectory('hdf5/demo.h5', { name: 'demo' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  traj.close()
}`.replace('pypet-ts', new URL('../../dist/index.js', import.meta.url).href)
    const folder = fileTree({ 'job.mjs': JOB, wait: '', 'loop.mjs': loop })
    const words = [
      'run',
      'job.mjs',
      '--json',
      '--no-provenance',
      '--reader-wait-ms',
      '30000',
      '--ncores',
      '1',
    ]
    const running = start(folder, words)
    await running.until(({ stdout }) => stdout.includes('"runs-stored"'))
    const readers = [0, 1, 2].map(() =>
      spawn(process.execPath, ['loop.mjs'], { cwd: folder, stdio: 'ignore' }),
    )
    whenOver(() => readers.forEach((reader) => void reader.kill('SIGKILL')))
    rmSync(join(folder, 'wait'))
    const ended = await running.ended()
    expect(ended.exitCode).toBe(0)
    expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(false)
    writeFileSync(join(folder, 'stop'), '')
    await Promise.all(readers.map(async (reader) => reader.exitCode ?? (await once(reader, 'exit'))))
    expect(await completedIn(join(folder, 'hdf5/demo.h5'))).toEqual(ALL)
  })

  test('to the end is not said to be whole, and continue brings all into it', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const file = join(folder, 'hdf5/demo.h5')
    writeFileSync(join(folder, 'wait'), '')
    const running = start(folder, [
      'run',
      'job.mjs',
      '--no-provenance',
      '--reader-wait-ms',
      '600',
      '--ncores',
      '1',
    ])
    await running.until(() => existsSync(file))
    const endReading = readInLoops(file)
    rmSync(join(folder, 'wait'))
    const ended = await running.ended()
    expect(ended.stdout).toContain('10 runs stored in hdf5/demo.h5')
    expect(ended.stdout).toContain(
      'hdf5/demo.h5 is still open in another program: its last changes are not in it. All runs are safe in hdf5/demo.cnt\n',
    )
    expect(ended.stdout).toContain('continue: pypet-ts continue hdf5/demo.cnt\n')
    expect(ended.exitCode).toBe(1)
    await endReading()
    const continued = await pypet(folder, ['continue', 'hdf5/demo.cnt'])
    expect(continued.stdout).toContain('all 10 runs are stored in hdf5/demo.h5')
    expect(continued.exitCode).toBe(0)
    expect(existsSync(join(folder, 'hdf5/demo.cnt'))).toBe(false)
    expect(await completedIn(file)).toEqual(ALL)
  })
})

test.skipIf(process.platform === 'win32')(
  'a link stays a link: the file, its .cnt file and its lock lie where it leads, and messages show what was typed',
  async () => {
    const folder = fileTree({
      'job.mjs': JOB.replace('2 * x', 'x === 3 ? nothing : 2 * x'),
      'links/readme': '',
      'data/readme': '',
    })
    const link = join(folder, 'links/link.h5')
    symlinkSync('../data/real.h5', link)
    const ended = await pypet(folder, ['run', 'job.mjs', '--file', 'links/link.h5', '--no-provenance'])
    expect(ended.exitCode).toBe(3)
    expect(ended.stdout).toContain('9 of 10 runs stored in links/link.h5')
    expect(readdirSync(join(folder, 'links')).sort()).toEqual(['link.h5', 'readme'])
    expect(readdirSync(join(folder, 'data')).sort()).toEqual(['demo.cnt', 'readme', 'real.h5'])
    const table = await pypet(folder, ['table', 'links/link.h5', '--agg', 'count(z)', '--csv'])
    expect([table.stderr, table.stdout]).toEqual(['', 'count(z)\n9\n'])
    const again = ['run', 'job.mjs', '--file', 'links/link.h5', '--overwrite', '--no-provenance']
    expect((await pypet(folder, again)).exitCode).toBe(3)
    writeFileSync(join(folder, 'job.mjs'), JOB)
    const retry = ['continue', 'links/link.h5', '--retry-failed', '--allow-changed-job']
    expect((await pypet(folder, retry)).exitCode).toBe(0)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readdirSync(join(folder, 'data')).sort()).toEqual(['readme', 'real.h5'])
    expect(await completedIn(join(folder, 'data/real.h5'))).toEqual(ALL)
  },
)
