/**
 * The real command is killed at random moments: the whole of it, its main process, its writer. Then it goes on, may be
 * killed again, and ends like an experiment that nobody has touched.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { jobFixture, pypet, type Started, start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { contentOf, differences } from './file-content.ts'
import { isLongForm, randomFrom, seedOf } from './long-form.ts'

const ROUNDS = isLongForm ? 200 : 4
/** Kills of one experiment; after them it is let end. */
const KILLS_MAX = 2

test.skipIf(process.platform === 'win32')(
  'an experiment that is killed again and again loses no run that was announced, and ends like an unbroken one',
  async () => {
    const seed = seedOf()
    const random = randomFrom(seed)
    const unbroken = fileTree({})
    const whole = await pypet(unbroken, ['run', jobFixture('crash.ts'), '--json'])
    expect(whole.exitCode).toBe(3)
    const expected = await contentOf(join(unbroken, 'hdf5/crash.h5'))
    for (let round = 0; round < ROUNDS; round += 1) {
      const where = `round ${round} (seed ${seed})`
      const folder = fileTree({})
      const cores = random() < 0.5 ? '1' : '2'
      const announced = new Set<number>()
      const mode = () => (random() < 0.6 ? 'queue' : 'lock')
      let words = ['run', jobFixture('crash.ts'), '--json', '--ncores', cores, '--wrap-mode', mode()]
      for (let kill = 0; kill < KILLS_MAX; kill += 1) {
        const running = start(folder, words)
        await killSoon(running, random)
        await running.ended()
        for (const run of announcedIn(running.stdout)) announced.add(run)
        // Before the file was opened there is nothing to go on with.
        if (!existing(folder).includes('crash.cnt')) break
        const plan = await pypet(folder, ['continue', 'hdf5/crash.cnt', '--dry-run', '--json'])
        expect(plan.stderr, where).toBe('')
        const { would_run: missing } = JSON.parse(plan.stdout)
        expect(
          [...announced].filter((run) => isIn(run, missing)),
          where,
        ).toEqual([])
        words = [
          'continue',
          'hdf5/crash.h5',
          '--job',
          jobFixture('crash.ts'),
          '--json',
          '--ncores',
          cores,
          '--wrap-mode',
          mode(),
        ]
      }
      const isBegun = existing(folder).some((name) => name === 'crash.cnt')
      const last = await pypet(
        folder,
        isBegun ? words : ['run', jobFixture('crash.ts'), '--json', '--overwrite'],
      )
      expect({ exitCode: last.exitCode, stderr: last.stderr }, where).toEqual({
        exitCode: 3,
        stderr: expect.any(String),
      })
      const content = await contentOf(join(folder, 'hdf5/crash.h5'))
      expect(differences(comparable(content), comparable(expected)), where).toEqual([])
      expect(existing(folder).sort(), where).toEqual(['crash.cnt', 'crash.h5'])
    }
  },
  1_500_000,
)

/** Kills the command, its main process or its writer, some time after it has begun. */
async function killSoon(running: Started, random: () => number): Promise<void> {
  const main = running.process.pid as number
  const target = random()
  await delay(100 + random() * 600)
  if (running.process.exitCode !== null) return
  const writers = childrenOf(main)
  if (target < 0.4) process.kill(-main, 'SIGKILL')
  else if (target < 0.7) process.kill(main, 'SIGKILL')
  else {
    // A writer that dies is replaced once; a second death ends the experiment.
    for (const writer of writers) killIfThere(writer)
    await delay(random() * 600)
    for (const writer of childrenOf(main)) killIfThere(writer)
    if (random() < 0.5 && running.process.exitCode === null) killIfThere(main)
  }
}

function killIfThere(id: number): void {
  try {
    process.kill(id, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

function childrenOf(main: number): number[] {
  try {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    return lines
      .map((line) => line.trim().split(/\s+/).map(Number))
      .flatMap(([id, parent]) => (parent === main ? [id as number] : []))
  } catch {
    return []
  }
}

/** The last line may have been cut by the kill. */
function announcedIn(stdout: string): number[] {
  return stdout.split('\n').flatMap((line) => {
    try {
      const event = JSON.parse(line)
      return event.event === 'runs-stored' ? event.runs : []
    } catch {
      return []
    }
  })
}

function isIn(run: number, ranges: readonly number[]): boolean {
  return ranges.some((start, index) => index % 2 === 0 && run >= start && run < (ranges[index + 1] as number))
}

function existing(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'hdf5')).filter((name) => !name.endsWith('.lock'))
  } catch {
    return []
  }
}

/**
 * Without what depends on the order in which runs arrive, which with two cores differs from time to time: which run
 * keeps a comment that many have; and without names that hold a time or a digest of one.
 */
function comparable(content: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(content).map(([path, text]) => [
    path.replace(/environment_[0-9a-f]{7}_[^/]*/, 'environment'),
    text
      .replace(/environment_[0-9a-f]{7}_\w*/g, 'environment')
      .replace(/,?\{"name":"SRVC_INIT_COMMENT","dtype":"[^"]*","shape":\[\],"value":"the square"\}/, ''),
  ])
  return Object.fromEntries(entries.filter(([path]) => !VARYING.test(String(path))))
}

const VARYING = /\/(ncores|executor|multiproc|wrap_mode|results_summary|config_overview)(\/|$)/
