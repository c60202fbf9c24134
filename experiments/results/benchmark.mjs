/**
 * What it costs to get results out of a file: processor time beyond the start of the command, as multiples of `node -e 0`,
 * and memory, measured in one execution.
 *
 *     node experiments/results/benchmark.mjs [RUNS]     default: 1,000,000; takes some minutes
 *
 * The reference needs Python with h5py: Debian's python3-h5py. Memory and processor time are those of GNU time.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLI = join(HERE, '../../bin/pypet-ts.js')
const JOB = join(HERE, 'job.mjs')
const PYTHON = '/usr/bin/python3'
const RUNS = Number(process.argv[2] ?? 1_000_000)
const ROUNDS = 3
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-results-'))
const rows = []

try {
  const side = Math.round(Math.sqrt(RUNS))
  const wideRuns = Math.round(RUNS / 10)
  const treeRuns = Math.round(RUNS / 20)
  const million = experiment('million.h5', ['--layout', 'columns', ...grid(side, side)])
  const wide = experiment('wide.h5', ['--layout', 'columns', ...grid(wideRuns / 100, 100)], {
    RESULTS_WIDTH: '98',
  })
  const arrays = experiment('arrays.h5', ['--layout', 'columns', ...grid(wideRuns / 100, 100)], {
    RESULTS_LENGTH: '100',
  })
  const tree = experiment('tree.h5', ['--layout', 'tree', ...grid(treeRuns / 100, 100)])
  const bare = best(() => measured(process.execPath, ['-e', '0']))
  const start = best(() => command('table', experimentOfOne(), '--limit', '1'))
  const beyond = (name, goal, words) => {
    const { cpu, kilobytes } = best(() => command(...words))
    add(name, 's of CPU', cpu - start.cpu, goal)
    add('  the same', 'times node -e 0', (cpu - start.cpu) / bare.cpu, '')
    add('  its memory', 'MB', kilobytes / 1000, '≤ 400')
  }
  const count = side * side
  beyond(`table --where, ${count} runs in columns`, '≤ 1', [
    'table',
    million,
    '--where',
    `x > ${side / 2} && z < 1000`,
    '--limit',
    '5',
  ])
  beyond('the same to CSV', '≤ 2', ['export', million, join(folder, 'a.csv'), '--force'])
  beyond('the same to Parquet', '≤ 1.5', ['export', million, join(folder, 'a.parquet'), '--force'])
  beyond('the same to NetCDF', '', ['export', million, join(folder, 'a.nc'), '--force'])
  beyond(`${wideRuns} runs of 100 values to CSV`, '', ['export', wide, join(folder, 'w.csv'), '--force'])
  beyond(`${wideRuns} runs of 100 values to Parquet`, '', [
    'export',
    wide,
    join(folder, 'w.parquet'),
    '--force',
  ])
  for (const ending of ['parquet', 'nc', 'jsonl']) {
    const words = ['export', arrays, join(folder, `a.${ending}`), '--force']
    beyond(`${wideRuns} runs of an array of 100 values to .${ending}`, '', words)
  }
  const ours = best(() => command('table', tree, '--select', 'z', '--csv')).cpu - start.cpu
  const leaves = `
import h5py, sys
f = h5py.File('${tree}')
runs = f['results/results/runs']
print(sum(runs[name]['z/z'][()] for name in runs))`
  const imports = best(() => measured(PYTHON, ['-c', 'import h5py'])).cpu
  const h5py = best(() => measured(PYTHON, ['-c', leaves])).cpu - imports
  add(`one result of ${treeRuns} runs of the tree, as h5py needs`, 'times', ours / h5py, '≤ 2')
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, figure, goal] of rows)
    process.stdout.write(`${name.padEnd(width)}  ${figure.padStart(22)}  ${goal}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function grid(width, height) {
  return ['--explore', `x=0:${width}:1`, '--explore', `y=0:${height}:1`]
}

function experiment(name, words, env = {}) {
  const file = join(folder, name)
  execFileSync(process.execPath, [CLI, 'run', JOB, '--file', file, '--quiet', '--no-log', ...words], {
    cwd: folder,
    env: { ...process.env, ...env },
  })
  return file
}

function experimentOfOne() {
  const file = join(folder, 'one.h5')
  spawnSync(process.execPath, [CLI, 'run', JOB, '--file', file, '--quiet', '--no-log', '--overwrite'], {
    cwd: folder,
  })
  return file
}

function command(...words) {
  return measured(process.execPath, [CLI, ...words])
}

/** Seconds of processor time, and the largest memory. */
function measured(program, words) {
  const { stderr, status } = spawnSync('/usr/bin/time', ['-f', '%U %S %M', program, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(stderr)
  const [user, system, kilobytes] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
  return { cpu: user + system, kilobytes }
}

function best(measure) {
  const all = Array.from({ length: ROUNDS }, measure)
  return all.reduce((one, other) => (other.cpu < one.cpu ? other : one))
}

function add(name, unit, figure, goal) {
  rows.push([name, `${figure.toPrecision(3)} ${unit}`, goal])
}
