/** `pypet-ts plot`: from a real experiment to a drawing on a pipe and to pictures. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `
import { defineExperiment, parameter } from 'pypet-ts'
export default defineExperiment({
  parameters: { temperature: parameter(1), size: 8 },
  run(traj) {
    const { temperature, size } = traj.par
    if (temperature === 3 && size === 16) throw new Error('too hot')
    traj.addResult('m', 1 / (1 + temperature) + traj.par.trial * 0.01)
    traj.addResult('trace', Float64Array.from({ length: 50 }, (_, index) => Math.sin(index * temperature)))
    traj.addResult('method', size > 8 ? 'large' : '<script>alert(1)</script>')
  },
})`

let folder = ''
const plot = (...words: string[]) => pypet(folder, ['plot', ...words])

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  const explore = ['--explore', 'temperature=1,2,3', '--explore', 'size=8,16', '--repeat', '2']
  const ended = await pypet(folder, ['run', 'job.mjs', '--quiet', '--no-log', '--file', 'job.h5', ...explore])
  expect(ended.exitCode).toBe(3)
})

describe('on a pipe', () => {
  test('80 columns without colours, notices apart', async () => {
    const { exitCode, stdout, stderr, temporaries } = await plot('job.h5')
    expect({ exitCode, temporaries }).toEqual({ exitCode: 0, temporaries: [] })
    expect(stderr).toBe('other results: trace; choose one with --y\n')
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('job.h5 · job')
    expect(lines[1]).toBe('10 runs · 2 failed · mean over 2 repeats')
    expect(stdout).toMatch(/^m {2}\S+ ░+▒+▓+█+ \S+$/m)
    expect(stdout).not.toContain('\u001b')
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
  })

  test('lines with the spread of repeats, in colours if they are wanted', async () => {
    const words = ['plot', 'job.h5', '--x', 'temperature', '--y', 'm']
    const { stdout, stderr } = await pypet(folder, words, { FORCE_COLOR: '1' })
    expect(stderr).toBe('')
    expect(stdout).toContain('mean ± standard deviation over 2 repeats')
    expect(stdout).toContain('\u001b[38;5;')
    expect((await pypet(folder, words, { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain('\u001b')
  })

  test('arrays', async () => {
    expect((await plot('job.h5', '--y', 'trace')).stdout).toMatch(/index\n/)
  })

  test('runs of a condition; none is no error', async () => {
    expect((await plot('job.h5', '--where', 'size == 8')).stdout).toContain('6 runs')
    const none = await plot('job.h5', '--where', 'size > 99')
    expect(none).toMatchObject({ exitCode: 0, stdout: '', stderr: 'no run is selected\n' })
  })
})

describe('pictures', () => {
  test('SVG, and HTML with the same in it; nothing else is left in the folder', async () => {
    expect(await plot('job.h5', '--to', 'a.svg')).toMatchObject({ exitCode: 0, stdout: '' })
    expect(await plot('job.h5', '--to', 'a.html')).toMatchObject({ exitCode: 0, stdout: '' })
    const svg = readFileSync(join(folder, 'a.svg'), 'utf8')
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*<\/svg>\n$/s)
    expect(svg).toContain('>temperature<')
    expect(readFileSync(join(folder, 'a.html'), 'utf8')).toContain(svg)
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('a.'))
        .sort(),
    ).toEqual(['a.html', 'a.svg'])
  })

  test('markup in values stays text', async () => {
    await plot('job.h5', '--y', 'm', '--x', 'temperature', '--facet', 'method', '--to', 'nasty.html')
    const html = readFileSync(join(folder, 'nasty.html'), 'utf8')
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toContain('<script')
  })

  test('an existing file is replaced only with --force', async () => {
    writeFileSync(join(folder, 'kept.svg'), 'mine')
    const refused = await plot('job.h5', '--to', 'kept.svg')
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toMatch(/cannot write kept\.svg: it exists\n {2}hint: Replace it with --force/)
    expect(readFileSync(join(folder, 'kept.svg'), 'utf8')).toBe('mine')
    expect((await plot('job.h5', '--to', 'kept.svg', '--force')).exitCode).toBe(0)
    expect(readFileSync(join(folder, 'kept.svg'), 'utf8')).toContain('<svg')
  })

  test.each([
    ['fig.png', /--to: expected a file ending in \.svg or \.html, found fig\.png/],
    ['nowhere/fig.svg', /cannot write nowhere\/fig\.svg: the folder .*nowhere does not exist/],
    ['job.mjs/fig.svg', /job\.mjs is not a folder/],
    ['folder.svg', /cannot write folder\.svg: it is a folder/],
  ])('--to %s', async (to, message) => {
    mkdirSync(join(folder, 'folder.svg'), { recursive: true })
    const { exitCode, stdout, stderr } = await plot('job.h5', '--to', to)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  test.skipIf(process.getuid?.() === 0)('a folder without permission', async () => {
    mkdirSync(join(folder, 'locked'))
    chmodSync(join(folder, 'locked'), 0o555)
    expect((await plot('job.h5', '--to', 'locked/fig.svg')).stderr).toMatch(/permission denied/)
  })
})

describe('bad input', () => {
  test.each([
    [['--y', 'tracee'], /no column "tracee"\n {2}hint: Did you mean trace\?/],
    [['--kind', 'lines'], /expected one of line, .*\n {2}hint: Did you mean line\?/],
    [['--where', 'size >'], /--where size >: expected .* at position/],
    [['--trajectory', 'jobb'], /no trajectory "jobb"/],
    [['--y', 'method', '--kind', 'line'], /--y: method is str; lines need numbers/],
  ])('%o', async (words, message) => {
    const { exitCode, stdout, stderr } = await plot('job.h5', ...words)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  test('a file that is not there, or is none', async () => {
    expect((await plot('none.h5')).exitCode).toBe(2)
    expect((await plot('job.mjs')).stderr).toMatch(/HDF5/)
  })
})
