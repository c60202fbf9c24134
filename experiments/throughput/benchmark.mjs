/**
 * How far pypet-ts is from the physical limit, as ratios measured in one run on one machine: bare seconds
 * would say more about the machine than about the program.
 *
 *     npm run benchmark              all of it, some minutes
 *     npm run benchmark -- scalars   one section: scalars, arrays, work, start, memory, durable
 *
 * Each row pairs pypet-ts with its reference, alternating, and compares the medians.
 */
import { execFileSync, spawn } from 'node:child_process'
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
/** How often each command is started, in turn. */
const START_TURNS = 15
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
  const reference = 'bare h5wasm loop and fdatasync'
  add('200 arrays of 100,000 random float64, MB/s', reference, made.reference / made.ours, '≥ 0.8')
  const prepared = alternate(
    7,
    () => durationMs('arrays.ts', ['--ncores', '2', '--set', 'prepared=true']),
    () => bareLoopMs('prepared-arrays', 200),
  )
  add('the same, numbers made beforehand', 'the same', prepared.reference / prepared.ours, '≥ 0.9')
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

/** What a short command costs, in multiples of `node -e 0`: wall time, and processor time of all of its processes. */
async function start() {
  const thousand = join(folder, 'thousand.h5')
  const logs = ['--log-folder', join(folder, 'logs')]
  execFileSync(process.execPath, [
    ...[CLI, 'run', join(HERE, 'job.ts'), '--explore', 'i=0:1000', '--ncores', '2', '--quiet'],
    ...['--file', thousand, ...logs],
  ])
  const twoPoints = (ncores) => runArguments('job.ts', ['--explore', 'i=0:2', '--ncores', ncores])
  const commands = [
    { what: '`run` of 2 points, `--ncores 2`', words: twoPoints('2'), wallMax: 6.5, cpuMax: 10 },
    { what: '`run` of 2 points, `--ncores 1`', words: twoPoints('1'), wallMax: 6.5, cpuMax: 9 },
    { what: '`overview` of 1,000 runs', words: [CLI, 'overview', thousand], wallMax: 4.3, cpuMax: 4.8 },
    { what: '`--help`', words: [CLI, '--help'], wallMax: 1.5, cpuMax: 1.55 },
  ]
  const bare = []
  const times = commands.map(() => [])
  const firstLines = []
  // The first turn warms the disk's cache up, and does not count.
  for (let turn = 0; turn <= START_TURNS; turn += 1) {
    const ofNode = treeMs(['-e', '0'], 3)
    const ofCommands = commands.map(({ words }) => treeMs(words))
    const ofLine = await firstLineMs(twoPoints('2'))
    if (turn === 0) continue
    bare.push(ofNode)
    for (const [index, ms] of ofCommands.entries()) times[index].push(ms)
    firstLines.push(ofLine)
  }
  const bareOf = (kind) => median(bare.map((ms) => ms[kind]))
  for (const [index, { what, wallMax, cpuMax }] of commands.entries()) {
    const of = (kind) => median(times[index].map((ms) => ms[kind])) / bareOf(kind)
    add(what, '`node -e 0`', of('wall'), `≤ ${wallMax}`)
    add(`${what}: processor time`, 'the same', of('cpu'), `≤ ${cpuMax}`)
  }
  if (firstLines.includes(undefined))
    note('the first line on a terminal is measured where there is `script` (util-linux)')
  else add('the first line on a terminal', '`node -e 0`', median(firstLines) / bareOf('wall'), '≤ 2.5')
}

/** Of one command, as the mean of several; `times` of the shell tells what all processes of its tree took. */
function treeMs(words, count = 1) {
  const command = [process.execPath, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const script = `${Array(count)
    .fill(`${command} > ${join(folder, 'printed')} || exit 1`)
    .join('\n')}\ntimes`
  const startMs = performance.now()
  const printed = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })
  const wall = (performance.now() - startMs) / count
  const [, ofChildren = ''] = printed.trim().split('\n')
  const parts = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => 60 * minutes + Number(seconds),
  )
  return { wall, cpu: (1000 * parts.reduce((sum, seconds) => sum + seconds, 0)) / count }
}

/** Until a terminal shows something; undefined where there is no program that gives a command a terminal. */
async function firstLineMs(words) {
  const command = [process.execPath, ...words].map((word) => `'${word}'`).join(' ')
  const startMs = performance.now()
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] })
  let shownMs
  child.stdout.once('data', () => {
    shownMs = performance.now() - startMs
    child.stdout.resume()
  })
  await new Promise((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  return shownMs
}

/** All processes together, from run 1,000 to run 50,000. */
async function memory() {
  if (!existsSync('/proc/self/smaps_rollup')) {
    note('memory is measured on Linux only')
    return
  }
  const grown = await grownBytes('job.ts', ['--explore', 'i=0:50000', '--ncores', '2'], 1000)
  add('memory from run 1,000 to run 50,000', 'MB grown', grown / 1e6, '≤ 100')
  const arraysGrown = await grownBytes('arrays.ts', ['--explore', 'i=0:3000', '--ncores', '2'], 100)
  add('memory while jobs outrun the writer (2.4 GB of arrays)', 'MB grown', arraysGrown / 1e6, '≤ 100')
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
