/**
 * What a million runs in columns cost, as ratios and as figures per run, measured in one execution.
 *
 *     node experiments/million/benchmark.mjs [RUNS]     default: 1,000,000; takes some minutes
 *
 * The reference needs Python with h5py: Debian's python3-h5py.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLI = join(HERE, '../../bin/pypet-ts.js')
const JOB = join(HERE, 'job.ts')
const PYTHON = '/usr/bin/python3'
const RUNS = Number(process.argv[2] ?? 1_000_000)
/** The reference is slow, and its cost per run does not grow. */
const REFERENCE_RUNS = Math.min(RUNS, 100_000)
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-million-'))
const rows = []

try {
  const file = join(folder, 'million.h5')
  const whole = await run(['--explore', `i=0:${RUNS}`, '--file', file])
  const one = await run(['--explore', 'i=0:1', '--file', join(folder, 'one.h5')])
  const perRun = (whole.seconds * 1e6) / RUNS
  add('a run, all told', 'µs', perRun, '≤ 30 (60 at the worst)')
  add('the same without the start of the command', 'µs', ((whole.seconds - one.seconds) * 1e6) / RUNS, '')
  const reference = seconds(PYTHON, [join(HERE, 'append.py'), String(REFERENCE_RUNS), join(folder, 'ref.h5')])
  add('a run of h5py that appends', 'times ours', (reference * 1e6) / REFERENCE_RUNS / perRun, '≥ 4')
  add('a run in the file', 'bytes', statSync(file).size / RUNS, '≤ 70')
  for (const [name, kilobytes] of whole.peaks)
    add(`memory of the ${name} process`, 'MB', kilobytes / 1000, '< 400')
  const { load, fromRuns, count } = JSON.parse(execFileSync(process.execPath, [join(HERE, 'read.mjs'), file]))
  if (count !== RUNS) throw new Error(`${count} of ${RUNS} values were read`)
  add('loading the trajectory', 's', load / 1000, '')
  add("getFromRuns('z')", 's', fromRuns / 1000, '≤ 2')
  add(
    'pypet-ts overview',
    's',
    timed(() => execFileSync(process.execPath, [CLI, 'overview', file])),
    '≤ 1',
  )
  const column = `import h5py, time; f = h5py.File('${file}'); t = time.perf_counter(); f['million/results/columns/z'][:]; print(time.perf_counter() - t)`
  add('the column with h5py, beyond opening', 's', seconds(PYTHON, ['-c', column]), '≤ 0.3')
  rmSync(file)
  const failing = join(folder, 'failing.h5')
  await run(['--explore', `i=0:${RUNS}`, '--file', failing], { MILLION_FAILS: '1' })
  const cntFile = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.cnt')),
  )
  const missing = RUNS / 1000
  const continuing = Date.now() / 1000
  execFileSync(process.execPath, [CLI, 'continue', cntFile, '--retry-failed', '--quiet', '--job', JOB])
  const continued = { begin: firstStart(failing, 7, 1000) - continuing, all: Date.now() / 1000 - continuing }
  const plain = join(folder, 'plain.h5')
  const running = Date.now() / 1000
  const { seconds: all } = await run(['--explore', `i=0:${missing}`, '--file', plain])
  const begin = firstStart(plain, 0, 1) - running
  const beyond = `beyond a plain run of ${missing}`
  add(
    `continue with ${missing} runs missing: its first run begins, ${beyond}`,
    's',
    continued.begin - begin,
    '≤ 1',
  )
  add(`the same: it ends, ${beyond}`, 's', continued.all - all, '')
  printTable()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** When the first of these runs began, in seconds since 1970, as the file tells. */
function firstStart(file, first, step) {
  const read = `import h5py; print(h5py.File('${file}')['million/results/columns/_start'][${first}::${step}].min())`
  return seconds(PYTHON, ['-c', read])
}

/** Runs the experiment, and watches the memory of its processes. */
async function run(words, environment = {}) {
  const all = ['run', JOB, '--layout', 'columns', '--ncores', '2', '--quiet', '--no-provenance', ...words]
  const began = performance.now()
  const child = spawn(process.execPath, [CLI, ...all, '--log-folder', join(folder, 'logs')], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  })
  const peaks = new Map()
  const watching = setInterval(() => note(child.pid, peaks), 100)
  const exitCode = await new Promise((resolve) => child.on('exit', resolve))
  clearInterval(watching)
  if (exitCode !== 0 && environment.MILLION_FAILS === undefined) throw new Error(`exit code ${exitCode}`)
  return { seconds: (performance.now() - began) / 1000, peaks }
}

/** The largest resident memory so far, in kB. */
function note(pid, peaks) {
  const children = readOrEmpty(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean)
  for (const each of [String(pid), ...children]) {
    const words = readOrEmpty(`/proc/${each}/cmdline`)
    const name = each === String(pid) ? 'main' : words.includes('writer-process') ? 'writer' : undefined
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readOrEmpty(`/proc/${each}/status`))?.[1] ?? 0)
    if (name !== undefined) peaks.set(name, Math.max(peaks.get(name) ?? 0, peak))
  }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function seconds(command, words) {
  return Number(execFileSync(command, words, { encoding: 'utf8' }))
}

function timed(work) {
  const began = performance.now()
  work()
  return (performance.now() - began) / 1000
}

function add(measured, unit, value, goal) {
  rows.push([measured, unit, value < 10 ? value.toFixed(2) : value.toFixed(0), goal])
}

function printTable() {
  const { model } = cpus()[0]
  const memory = Math.round(totalmem() / 2 ** 30)
  const lines = [
    `${RUNS.toLocaleString('en')} runs on ${cpus().length} cores (${model}), ${memory} GiB, Node.js ${process.version}`,
    '| measured | unit | value | goal |',
    '| --- | --- | ---: | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
