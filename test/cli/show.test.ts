/** `pypet-ts show`: everything about one run, with real experiments. */
import { copyFileSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { addItem, addLeaf, addTrajectory, writeHdf5 } from '../results/trajectory-file.ts'
import { ROOT } from '../source-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `import { defineExperiment, parameter } from 'pypet-ts'
const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => ['c' + at, at]))
export default defineExperiment({
  name: 'job',
  parameters: { x: parameter(1, { unit: 'mV', comment: 'the drive' }), many, note: 'a note' },
  run(traj) {
    const { x } = traj.par
    for (let step = 0; step < 30; step += 1) traj.log.info('step ' + step + ' of ' + x)
    if (x === 3) {
      throw new RangeError('three is too much')
    }
    traj.addDerivedParameter('twice', 2 * x)
    traj.addResult('z', x, { unit: 'mm' })
    traj.addResult('trace', Float64Array.from({ length: 8 }, (_, at) => (at === 3 ? NaN : at * x)))
    if (x === 4) traj.addResult('rare', 'only here')
  },
})`

/** Three of them: the first, the middle and the last run have nothing that the fourth has alone. */
const POINTS = ['--explore', 'x=1,2,3,4,5,6,7,8']

let folder = ''
beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  for (const layout of ['tree', 'columns'])
    await pypet(folder, [
      'run',
      'job.mjs',
      '--file',
      `${layout}.h5`,
      '--name',
      layout,
      '--layout',
      layout,
      ...POINTS,
    ])
}, 60_000)

async function shown(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await pypet(folder, ['show', ...words])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

async function document(...words: string[]) {
  return JSON.parse(await shown(...words, '--json'))
}

describe.each(['tree', 'columns'])('in the layout %s', (layout) => {
  test('a stored run is shown with its values, units, times, log and the command to debug it', async () => {
    const text = await shown(`${layout}.h5`, '3')
    expect(text).toMatch(
      new RegExp(`^run_00000003 {2}run 3 of 8 in ${layout}, ${layout}.h5\n {2}status {4}stored\n`),
    )
    expect(text).toMatch(/^ {2}time {6}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d to \d{4}-\S+ \S+ \(.*s\)$/m)
    expect(text).toMatch(/^ {2}attempts {2}1$/m)
    expect(text).toMatch(/^ {2}made by {3}environment_/m)
    expect(text).toMatch(/^explored parameters\n.*\n {2}x +4 +mV +float64 +the drive$/m)
    expect(text).toMatch(/^derived parameters\n.*\n {2}twice +8 +float64$/m)
    expect(text).toMatch(/^ {2}z +4 +mm +float64$/m)
    expect(text).toMatch(/^ {2}trace +▁▂▃ ▅▆▇█ {2}0 \.\. 28, mean 14\.2857, 1 NaN +float64\[8\]$/m)
    expect(text).toMatch(/^ {2}rare +'only here' +str$/m)
    expect(text).toContain('and 11 more (--all shows them)')
    expect(text).toContain(`log  logs/${layout}/main.txt, 10 earlier lines not shown (--all shows them)`)
    expect(text).toMatch(/ INFO {2}run_00000003: step 29 of 4$/m)
    expect(text).not.toContain('run_00000002')
    expect(text).toContain(
      `debug it      pypet-ts run job.mjs --explore x=1,2,3,4,5,6,7,8 --point 3 --inspect`,
    )
    expect(text).not.toContain('run it again')
    expect(text).not.toContain('\u001b')
    const all = await shown(`${layout}.h5`, '3', '--all')
    expect(all).toMatch(/^ {2}many\.c29 +29 /m)
    expect(all).toContain('run_00000003: step 0 of 4')
    expect(all).not.toContain('--all')
  })

  test('a failed run is shown with its error, the stack, and the command to run it again', async () => {
    const text = await shown(`${layout}.h5`, '2')
    expect(text).toContain('status    failed')
    expect(text).toMatch(/^error\n {2}RangeError: three is too much\n {6}at .*job\.mjs:10:13\)$/m)
    expect(text).not.toMatch(/^results/m)
    expect(text).toMatch(/^ {2}x +3 +mV/m)
    expect(text).toContain('run_00000002: step 29 of 3')
    expect(text).not.toContain('run_00000002: failed')
    expect(text).toContain(`run it again  pypet-ts continue ${layout}.cnt --retry-failed`)
  })

  test('a program reads the same as JSON', async () => {
    const failed = await document(`${layout}.h5`, 'run_00000002')
    expect(failed).toMatchObject({
      trajectory: layout,
      run: 2,
      name: 'run_00000002',
      run_count: 8,
      status: 'failed',
      attempts: 1,
      failure: {
        error: 'RangeError',
        message: 'three is too much',
        stack: expect.stringContaining('job.mjs:10:13'),
      },
      results: [],
      again_command: `pypet-ts continue ${layout}.cnt --retry-failed`,
    })
    const stored = await document(`${layout}.h5`, '-1')
    expect(stored).toMatchObject({ run: 7, failure: null, again_command: null })
    expect(stored.constants).toHaveLength(31)
    expect(stored.results.find(({ name }: { name: string }) => name === 'trace')).toMatchObject({
      full_name: 'results.trace',
      type: 'float64 array [8]',
      shape: [8],
      minimum: 0,
      maximum: 56,
      nan_count: 1,
      value: [0, 8, 16, 'NaN', 32, 40, 48, 56],
    })
  })
})

test('a command that debugs a run runs that run', async () => {
  const { debug_command: command } = await document('tree.h5', '5')
  const words = command.split(' ').slice(1)
  const { exitCode, stdout } = await pypet(folder, words.slice(0, -1))
  expect(exitCode).toBe(0)
  expect(stdout).toContain('x = 6')
})

test('a log that cannot be read is named, and everything else is shown', async () => {
  const elsewhere = fileTree({ 'job.mjs': JOB })
  await pypet(elsewhere, ['run', 'job.mjs', '--file', 'c.h5'])
  const log = join(elsewhere, 'logs/job/main.txt')
  rmSync(log)
  // Reading from its start fails, whoever reads.
  symlinkSync('/proc/self/mem', log)
  const { stdout, exitCode } = await pypet(elsewhere, ['show', 'c.h5', '0'])
  expect(exitCode).toBe(0)
  expect(stdout).toContain('cannot read logs/job/main.txt: ')
  expect(stdout).toContain('trace')
})

test('where there is no log, it says where it looked', async () => {
  const elsewhere = fileTree({})
  copyFileSync(join(folder, 'columns.h5'), join(elsewhere, 'c.h5'))
  const { log } = JSON.parse((await pypet(elsewhere, ['show', 'c.h5', '0', '--json'])).stdout)
  // The folder that the experiment has recorded is still there.
  expect(log.file).toBe(join(folder, 'logs/columns/main.txt'))
  const sample = copySample('a_multiplication.h5')
  const text = await shown(sample, '0')
  expect(text).toMatch(/^log\n {2}not found; looked in\n {2}logs\/Multiplication\n/m)
})

test("a run of pypet's own file is shown", async () => {
  const sample = copySample('b_alltypes.h5')
  const text = await shown(sample, '1', '--all')
  expect(text).toContain('run 1 of 3 in AllTypes')
  expect(text).toMatch(/^ {2}s +'two' +str +explored str$/m)
  expect(text).toMatch(/^ {2}arrays\.nanarr +.*1 NaN/m)
  expect(text).toMatch(/^ {2}xsp +<sparse float64 matrix/m)
  expect((await document(sample, '1')).results.map(({ name }: { name: string }) => name)).toContain('multi.a')
})

function copySample(name: string): string {
  const path = join(folder, name)
  if (!existsSync(path))
    writeFileSync(path, gunzipSync(readFileSync(join(ROOT, `test/fixtures/pypet/${name}.gz`))))
  return path
}

test.each([
  [['tree.h5', '8'], 'tree in tree.h5 has no run 8', 'Its runs are 0 to 7.'],
  [['tree.h5', '-9'], 'tree in tree.h5 has no run -9', 'Its runs are 0 to 7.'],
  [['tree.h5', 'run_00000008'], 'has no run run_00000008', 'Its runs are 0 to 7.'],
  [['tree.h5', 'three'], 'expected the number of a run, found "three"', 'Write a number'],
  [['tree.h5', '1.5'], 'expected the number of a run, found "1.5"', 'Write a number'],
  [['tree.h5', '0', '--trajectory', 'tre'], 'holds no trajectory "tre"', 'Did you mean "tree"?'],
  [['none.h5', '0'], 'none.h5', ''],
  [['job.mjs', '0'], 'job.mjs', ''],
])('%j is refused: %s', async (words, message, hint) => {
  const { exitCode, stdout, stderr } = await pypet(folder, ['show', ...words])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain(hint)
})

test('a run that is missing is told apart, with the command that runs it', async () => {
  const path = await writeHdf5(join(folder, 'missing.h5'), (file) =>
    addTrajectory(file, 'T', { runCount: 2, isDone: () => false }),
  )
  const text = await shown(path, '1')
  expect(text).toContain('status    missing: not run yet')
  rmSync(path)
})

test('what a hostile file holds cannot move the cursor', async () => {
  const path = await writeHdf5(join(folder, 'hostile.h5'), (file) => {
    addTrajectory(file, 'T\u001b[2J', { runCount: 1, stored: [0] })
    const leaf = addLeaf(
      file,
      '/T\u001b[2J/results/runs/run_00000000/a\u009b31m',
      'Result',
      'com\u001b[Hment\u202e',
    )
    addItem(leaf, 'a\u009b31m', ['te\u001b]0;title\u0007xt\r'], [])
  })
  for (const words of [
    ['show', path, '0'],
    ['show', path, '0', '--json'],
    ['compare', path, '0', '0'],
    ['show', path, '5'],
  ]) {
    const { stdout, stderr } = await pypet(folder, words)
    expect(stdout + stderr).toContain('T')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  }
})
