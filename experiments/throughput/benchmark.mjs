/**
 * How far pypet-ts is from the physical limit, as ratios measured in one run on one machine: bare seconds
 * would say more about the machine than about the program.
 *
 *     npm run benchmark              all of it, some minutes
 *     npm run benchmark -- scalars   one section: scalars, arrays, work, start, memory, durable
 *
 * Each row pairs pypet-ts with its reference, alternating, and compares the medians.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLI = join(HERE, '../../bin/pypet-ts.js')
const WITHOUT_SYNC = { NODE_OPTIONS: `--import=${new URL('no-sync.mjs', import.meta.url)}` }
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-benchmark-'))
const rows = []
/** Early is from the given number of runs to so many times that; late is all that follows. */
const EARLY = 10

const sections = { scalars, arrays, work, start, memory, durable }
const wanted = process.argv.slice(2)
try {
  for (const [name, section] of Object.entries(sections)) {
    if (wanted.length === 0 || wanted.includes(name)) await section()
  }
  printTable()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** One scalar a run, against a loop that creates the same objects. */
function scalars() {
  const perRun = new Map()
  for (const [runCount, repeats] of [
    [1000, 7],
    [10_000, 5],
    [50_000, 3],
  ]) {
    const { ours, reference } = alternate(
      repeats,
      () => durationMs('job.ts', ['--explore', `i=0:${runCount}`, '--ncores', '2']),
      () => bareLoopMs('scalars', runCount),
    )
    perRun.set(runCount, ours / runCount)
    add(
      `${runCount.toLocaleString('en')} scalar results, 2 cores`,
      'bare h5wasm loop',
      ours / reference,
      '≤ 1.25',
    )
  }
  add('cost of a run at 50,000', 'cost of a run at 1,000', perRun.get(50_000) / perRun.get(1000), '≤ 1.2')
  note(`a run costs ${perRun.get(50_000).toFixed(2)} ms at 50,000 runs`)
}

/** Large results; the ratio is of throughputs, so larger is better. */
function arrays() {
  const made = alternate(
    7,
    () => durationMs('arrays.ts', ['--ncores', '2']),
    () => bareLoopMs('arrays', 200),
  )
  add('200 arrays of 100,000 random float64, MB/s', 'bare h5wasm loop', made.reference / made.ours, '≥ 0.8')
  const prepared = alternate(
    7,
    () => durationMs('arrays.ts', ['--ncores', '2', '--set', 'prepared=true']),
    () => bareLoopMs('prepared-arrays', 200),
  )
  add('the same, numbers made beforehand', 'the same', prepared.reference / prepared.ours, '')
}

/** Jobs that compute, against half of their time, and against the same work without pypet-ts. */
async function work() {
  const { work: spin } = await import('./spin.mjs')
  const iterations = calibrate(spin, 50)
  const bare = `import { work } from ${JSON.stringify(join(HERE, 'spin.mjs'))}
    const start = performance.now()
    for (let run = 0; run < 200; run += 1) work(${iterations})
    console.log(performance.now() - start)`
  const { ours, reference } = alternate(
    1,
    () => durationMs('work.ts', ['--ncores', '2', '--set', `iterations=${iterations}`]),
    // Two bare processes at once: the cores of one machine are not as fast together as each alone.
    () => parallelMs([bare, bare]),
  )
  add('400 jobs of 50 ms, 2 cores', '400 × 50 ms / 2, each alone', ours / ((400 * 50) / 2), '≤ 1.05')
  add('the same', 'the same jobs in two bare loops at once', ours / reference, '')
}

/** From typing the command to the first result stored, and to the help. */
function start() {
  const bareNode = () => wallMs(['-e', '0'])
  const first = alternate(9, () => firstResultMs(), bareNode)
  add('time to the first result', '`node -e 0`', first.ours / first.reference, '≤ 8')
  const help = alternate(9, () => wallMs([CLI, '--help']), bareNode)
  add('`--help`', '`node -e 0`', help.ours / help.reference, '≤ 3')
}

/** All processes together, from run 1,000 to run 50,000. */
async function memory() {
  if (!existsSync('/proc/self/smaps_rollup')) {
    note('memory is measured on Linux only')
    return
  }
  const grown = await grownBytes('job.ts', ['--explore', 'i=0:50000', '--ncores', '2'], 1000)
  add('memory from run 1,000 to run 50,000', 'MB grown', grown / 1e6, '≤ 100')
  const arraysGrown = await grownBytes('arrays.ts', ['--explore', 'i=0:1000', '--ncores', '2'], 50)
  add('memory while jobs outrun the writer (800 MB of arrays)', 'MB grown', arraysGrown / 1e6, '≤ 100')
}

/** What it costs that runs survive a power cut: the same without a single sync. */
function durable() {
  const flags = ['--explore', 'i=0:10000', '--ncores', '2']
  const scalar = alternate(
    7,
    () => durationMs('job.ts', flags),
    () => durationMs('job.ts', flags, WITHOUT_SYNC),
  )
  add(
    '10,000 scalar results, every commit durable',
    'no sync at all',
    scalar.ours / scalar.reference,
    '≤ 1.1',
  )
  const array = alternate(
    5,
    () => durationMs('arrays.ts', ['--ncores', '2']),
    () => durationMs('arrays.ts', ['--ncores', '2'], WITHOUT_SYNC),
  )
  add(
    '200 arrays of 100,000 float64, every commit durable',
    'no sync at all',
    array.ours / array.reference,
    '≤ 1.1',
  )
}

function add(what, against, ratio, goal) {
  rows.push([what, against, ratio.toFixed(2), goal])
  process.stderr.write(`${what} / ${against}: ${ratio.toFixed(2)} ${goal && `(${goal})`}\n`)
}

function note(text) {
  rows.push([text, '', '', ''])
}

function printTable() {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const machine = `${cpus().length} cores (${cpus()[0].model}), ${gigabytes} GiB, ${process.platform}`
  process.stdout.write(`Measured on ${machine}, Node.js ${process.versions.node}.\n\n`)
  const lines = [['measured', 'against', 'ratio', 'goal'], ['---', '---', '---:', '---:'], ...rows]
  for (const line of lines) process.stdout.write(`| ${line.join(' | ')} |\n`)
}

/** Medians of both, measured in turn, so that what else the machine does meets both alike. */
function alternate(repeats, ours, reference) {
  const times = { ours: [], reference: [] }
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    times.ours.push(ours())
    times.reference.push(reference())
  }
  return { ours: median(times.ours), reference: median(times.reference) }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function runArguments(job, flags) {
  const files = ['--file', join(folder, 'ours.h5'), '--overwrite', '--log-folder', join(folder, 'logs')]
  return [CLI, 'run', join(HERE, job), ...flags, ...files]
}

/** From the first run started to the last one stored, as the experiment itself reports it. */
function durationMs(job, flags, env = {}) {
  const printed = execFileSync(process.execPath, [...runArguments(job, flags), '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...env },
  })
  const finished = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ event }) => event === 'experiment-finished')
  if (finished.stored_count !== finished.run_count) throw new Error('a run of the benchmark failed')
  return finished.duration_ms
}

function bareLoopMs(kind, runCount) {
  const command = [join(HERE, 'bare-loop.mjs'), kind, String(runCount), join(folder, 'bare.h5')]
  return Number(execFileSync(process.execPath, command, { encoding: 'utf8' }))
}

function wallMs(command) {
  const startMs = performance.now()
  const { status } = spawnSync(process.execPath, command)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`)
  return performance.now() - startMs
}

/** Until the event that announces the first stored run. */
function firstResultMs() {
  const script = `
    const { spawn } = require('node:child_process')
    const start = performance.now()
    const child = spawn(process.execPath, ${JSON.stringify([...runArguments('job.ts', ['--explore', 'i=0:10']), '--json'])})
    child.stdout.on('data', (text) => {
      if (!String(text).includes('runs-stored')) return
      console.log(performance.now() - start)
      child.stdout.removeAllListeners('data').resume()
    })`
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }))
}

function parallelMs(scripts) {
  const script = `
    const { spawn } = require('node:child_process')
    for (const code of ${JSON.stringify(scripts)}) {
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'inherit', 'inherit'] })
    }`
  const printed = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  return Math.max(...printed.trim().split('\n').map(Number))
}

/** How many iterations take about so long on one core, now. */
function calibrate(spin, targetMs) {
  const sample = 100_000
  spin(sample)
  const times = Array.from({ length: 15 }, () => {
    const startMs = performance.now()
    spin(sample)
    return performance.now() - startMs
  })
  return Math.round((sample * targetMs) / median(times))
}

/** Growth of the memory of the whole process tree: from the highest early to the highest late. */
async function grownBytes(job, flags, from) {
  const child = spawn(process.execPath, [...runArguments(job, flags), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let storedCount = 0
  let earlyPeak = 0
  let latePeak = 0
  const sample = () => {
    const bytes = treeBytes(child.pid)
    if (storedCount >= from && storedCount < EARLY * from) earlyPeak = Math.max(earlyPeak, bytes)
    if (storedCount >= EARLY * from) latePeak = Math.max(latePeak, bytes)
  }
  const timer = setInterval(sample, 50)
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, runs } = JSON.parse(line)
    if (event === 'runs-stored') storedCount += runs.length
  }
  clearInterval(timer)
  if (earlyPeak === 0 || latePeak === 0) throw new Error('too few samples: take more runs')
  return latePeak - earlyPeak
}

/** Proportional set size: pages that processes share count once. */
function treeBytes(root) {
  const parents = new Map()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const status = read(`/proc/${entry}/status`)
    parents.set(Number(entry), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]))
  }
  let bytes = 0
  for (const pid of parents.keys()) {
    let ancestor = pid
    while (ancestor > 1 && ancestor !== root) ancestor = parents.get(ancestor) ?? 0
    if (ancestor !== root) continue
    bytes += Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024
  }
  return bytes
}

/** A process may end between being listed and being read. */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
