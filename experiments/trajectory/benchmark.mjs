/**
 * What working with stored trajectories costs, as ratios in one run: opening and reading against h5py, expanding one by one
 * against expanding at once, merging against writing. `npm run build && node experiments/trajectory/benchmark.mjs`; needs
 * Debian's python3-h5py for the first two.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadTrajectory, mergeFiles, run, Trajectory } from '../../dist/index.js'

const REPEATS = 3
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-benchmark-'))
const job = fileURLToPath(new URL('job.mjs', import.meta.url))

/** The middle of several times, in milliseconds. */
async function median(measure, repeats = REPEATS) {
  const times = []
  for (let repeat = 0; repeat < repeats; repeat += 1) times.push(await measure())
  return times.sort((a, b) => a - b)[Math.floor(repeats / 2)]
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function write(file, first, end) {
  await run(job, {
    options: { filename: file, overwrite: true, logFolder: join(folder, 'logs'), ncores: 1 },
    explore: [`x=${first}:${end}`],
  })
}

const H5PY = `
import h5py, sys, time
f = h5py.File(sys.argv[1], 'r'); n = int(sys.argv[2])
start = time.perf_counter()
o = f['scalars/overview']; o['runs'][:]; o['info'][:]; f['scalars/parameters/x/explored_data'][:]
tables = time.perf_counter()
for i in range(n): f['scalars/results/runs/run_%08d/z/z' % i][()]
print((tables - start) * 1000, (time.perf_counter() - tables) * 1000)
`

function h5py(file, runCount) {
  const printed = execFileSync('/usr/bin/python3', ['-c', H5PY, file, String(runCount)], { encoding: 'utf8' })
  return printed.trim().split(' ').map(Number)
}

function show(what, ratio, goal) {
  process.stdout.write(`${what.padEnd(60)} ${ratio.toFixed(2).padStart(6)}   goal ${goal}\n`)
}

try {
  const large = join(folder, 'large.h5')
  await write(large, 0, 50_000)
  const open = async () => {
    const traj = await loadTrajectory(large)
    traj.isCompleted(0)
    traj.getParameter('x').getRange()
    return traj
  }
  // The library is compiled once a process, by the first opening.
  ;(await open()).close()
  const opening = await median(() => timed(async () => (await open()).close()))
  const reading = await median(async () => {
    const traj = await open()
    const time = await timed(() => traj.getFromRuns('z'))
    traj.close()
    return time
  })
  const python = [0, 1, 2].map(() => h5py(large, 50_000))
  const middle = (column) => python.map((row) => row[column]).sort((a, b) => a - b)[1]
  show('opening 50,000 runs to their tables, against h5py', opening / middle(0), 2)
  show('getFromRuns of a scalar over 50,000 runs, against h5py', reading / middle(1), 2)

  const fresh = () => {
    const traj = new Trajectory({ name: 'e', filename: join(folder, 'e.h5'), parameters: { x: 0, y: 0 } })
    return traj.explore({ x: [0], y: [0] })
  }
  const points = Array.from({ length: 1000 }, (_, index) => index)
  // Short enough that the compiler has to have seen both.
  const atOnce = await median(() => {
    const traj = fresh()
    return timed(() => traj.expand({ x: points, y: points }))
  }, 101)
  const oneByOne = await median(() => {
    const traj = fresh()
    return timed(() => {
      for (const point of points) traj.expand({ x: [point], y: [point] })
    })
  }, 101)
  show('expanding 1,000 times by one, against once by 1,000', oneByOne / atOnce, 3)

  const [a, b, c, whole] = ['a', 'b', 'c', 'whole'].map((name) => join(folder, `${name}.h5`))
  await write(a, 0, 20_000)
  await write(b, 20_000, 40_000)
  const writing = await timed(() => write(whole, 0, 40_000))
  const merging = await timed(() => mergeFiles([{ file: a }, { file: b }], { file: c }))
  show('merging 2 × 20,000 runs, against writing 40,000', merging / writing, 2)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
