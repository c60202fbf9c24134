/** Commands that a signal ends half way: nothing is left, and the same command works at once. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { temporaryPrefix } from '../../src/temporary-names.ts'
import { pypet, type Started, start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  run(traj) {
    for (const name of ['z', 'y']) traj.addResult(name, new Float64Array(50).fill(traj.par.x))
  },
})`

let folder = ''

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  for (const [file, values] of [
    ['a.h5', 'x=0:600:1'],
    ['b.h5', 'x=5000:5600:1'],
  ] as const) {
    const words = ['run', 'job.mjs', '--no-log', '--quiet', '--explore', values, '--file', file]
    expect(await pypet(folder, words)).toMatchObject({ exitCode: 0, stderr: '' })
  }
}, 60_000)

/** Names below a folder, which may not be there. */
function namesIn(place: string): string[] {
  return existsSync(place) ? readdirSync(place).sort() : []
}

/** Resolves when something is in the folder of which the name tells that it is half made. */
async function halfMade(started: Started, place: string, pattern: RegExp): Promise<void> {
  while (!namesIn(place).some((name) => pattern.test(name))) {
    if (started.process.exitCode !== null) throw new Error(`ended too early: ${started.stderr}`)
    await delay(2)
  }
}

describe.skipIf(process.platform === 'win32')('merge', () => {
  test.each([
    ['SIGINT', 'copies the first file', /^c\.h5\.merge\./, 130],
    ['SIGTERM', 'copies the first file', /^c\.h5\.merge\./, 143],
    ['SIGINT', 'adds runs', /\.edit\.cnt$/, 130],
    ['SIGTERM', 'adds runs', /\.edit\.cnt$/, 143],
  ] as const)('%s while it %s leaves nothing, not even folders', async (signal, _, pattern, exitCode) => {
    const before = namesIn(folder)
    const words = ['merge', 'a.h5', 'b.h5', '--into', 'new/deep/c.h5']
    const merging = start(folder, words)
    await halfMade(merging, join(folder, 'new/deep'), pattern)
    merging.process.kill(signal)
    expect(await merging.ended()).toEqual({
      exitCode,
      stdout: '',
      stderr: `merge was interrupted by ${signal}: nothing was written\n`,
      temporaries: [],
    })
    expect(namesIn(folder)).toEqual(before)
  })

  test.each([/^c\.h5\.merge\./, /\.edit\.cnt$/])(
    'killed where there is %s, leaves what the same command sweeps, and works at once',
    async (pattern) => {
      const place = join(folder, `killed-${pattern.source.length}`)
      mkdirSync(place)
      const words = ['merge', 'a.h5', 'b.h5', '--into', join(place, 'c.h5')]
      const merging = start(folder, words)
      await halfMade(merging, place, pattern)
      merging.process.kill('SIGKILL')
      await merging.ended()
      expect(namesIn(place).length).toBeGreaterThan(0)
      expect(namesIn(place)).not.toContain('c.h5')
      const again = await pypet(folder, words)
      expect([again.exitCode, again.stderr]).toEqual([0, ''])
      expect(namesIn(place)).toEqual(['c.h5'])
    },
  )

  test.each(['SIGINT', 'SIGKILL'] as const)(
    '%s while it appends to a file leaves the file as it was, and the same command works at once',
    async (signal) => {
      const place = join(folder, `appended-${signal}`)
      mkdirSync(place)
      copyFileSync(join(folder, 'a.h5'), join(place, 'a.h5'))
      const before = readFileSync(join(place, 'a.h5'))
      const words = ['merge', 'b.h5', '--into', join(place, 'a.h5')]
      const merging = start(folder, words)
      await halfMade(merging, place, /\.edit\.cnt$/)
      merging.process.kill(signal)
      const { exitCode, stderr } = await merging.ended()
      expect(readFileSync(join(place, 'a.h5')).equals(before)).toBe(true)
      if (signal === 'SIGINT') {
        expect([exitCode, stderr]).toEqual([
          130,
          `merge was interrupted by SIGINT: ${join(place, 'a.h5')} is unchanged\n`,
        ])
        expect(namesIn(place)).toEqual(['a.h5'])
      }
      const again = await pypet(folder, words)
      expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining(': demo, 1,200 runs')])
      expect(namesIn(place)).toEqual(['a.h5'])
    },
  )

  test('killed as it replaces a file, leaves what continue and snapshot of that file sweep', async () => {
    const place = join(folder, 'replaced')
    for (const sweep of [
      ['continue', 'replaced/c.h5'],
      ['snapshot', 'b.h5', 'replaced/c.h5', '--overwrite'],
    ]) {
      mkdirSync(place, { recursive: true })
      await pypet(folder, ['snapshot', 'a.h5', 'replaced/c.h5', '--overwrite'])
      const merging = start(folder, ['merge', 'a.h5', 'b.h5', '--into', 'replaced/c.h5', '--overwrite'])
      await halfMade(merging, place, /\.edit\.cnt$/)
      merging.process.kill('SIGKILL')
      await merging.ended()
      expect(namesIn(place).length).toBeGreaterThan(1)
      const ended = await pypet(folder, sweep)
      expect([ended.exitCode, ended.stderr]).toEqual([0, ''])
      // A snapshot takes no lock, so it removes none.
      expect(namesIn(place).filter((name) => name !== 'c.h5.lock')).toEqual(['c.h5'])
      if (sweep[0] === 'continue') expect(namesIn(place)).toEqual(['c.h5'])
    }
  })

  test('an experiment that begins under the name of the new file is refused meanwhile', async () => {
    const place = join(folder, 'taken')
    mkdirSync(place)
    const merging = start(folder, ['merge', 'a.h5', 'b.h5', '--into', 'taken/c.h5'])
    await halfMade(merging, place, /^c\.h5\.merge\./)
    const words = ['run', 'job.mjs', '--no-log', '--quiet', '--explore', 'x=1', '--file', 'taken/c.h5']
    const run = await pypet(folder, words)
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining('taken/c.h5 is being written by')])
    expect((await merging.ended()).exitCode).toBe(0)
    expect(namesIn(place)).toEqual(['c.h5'])
  })
})

describe.skipIf(process.platform === 'win32')('what killed processes have left', () => {
  test('goes with a continue that finds nothing to do, which a dry run and an overview leave alone', async () => {
    const place = fileTree({ 'job.mjs': JOB })
    await pypet(place, ['run', 'job.mjs', '--no-log', '--quiet', '--explore', 'x=1,2', '--file', 'h.h5'])
    // Of a process that cannot be: its number is larger than any.
    const lock = {
      pid: 99_999_999,
      host: 'gone',
      since: '2026-01-01T00:00:00.000Z',
      trajectory: 'demo',
      by: 'flock',
    }
    writeFileSync(join(place, 'h.h5.lock'), JSON.stringify(lock))
    const left = ['h.h5', 'h.h5.lock', 'job.mjs']
    const temporaries = fileTree({})
    const bundle = `${temporaryPrefix('').replace(String(process.pid), String(lock.pid))}abcdef`
    mkdirSync(join(temporaries, bundle))
    for (const words of [
      ['overview', 'h.h5'],
      ['continue', 'h.h5', '--dry-run'],
    ]) {
      expect((await pypet(place, words)).exitCode).toBe(0)
      expect(namesIn(place)).toEqual(left)
    }
    const ended = await pypet(place, ['continue', 'h.h5'], { TMPDIR: temporaries })
    expect([ended.exitCode, ended.stderr]).toEqual([0, ''])
    expect(ended.stdout).toContain('there is nothing to continue')
    expect(namesIn(place)).toEqual(['h.h5', 'job.mjs'])
    expect(namesIn(temporaries)).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('a signal', () => {
  test('ends expand when the points that it adds are whole, and the same command goes on', async () => {
    const place = fileTree({ 'job.mjs': JOB })
    await pypet(place, ['run', 'job.mjs', '--no-log', '--quiet', '--explore', 'x=1,2', '--file', 'h.h5'])
    const words = ['expand', 'h.h5', '--explore', 'x=0:5000:1', '--no-log', '--json']
    const expanding = start(place, words)
    await halfMade(expanding, place, /\.edit\.cnt$/)
    expanding.process.kill('SIGINT')
    const ended = await expanding.ended()
    expect(ended).toMatchObject({ exitCode: 130, temporaries: [] })
    expect(namesIn(place)).toEqual(['h.h5', 'job.mjs'])
    const again = start(place, words)
    await again.until(() => again.stdout.includes('experiment-started'))
    expect(again.stdout).toContain('"run_count":5000')
    again.process.kill('SIGKILL')
    await again.ended()
  })
})
