/**
 * What the page of `pypet-ts view` costs: how long it takes until its table is filled, and how much an experiment loses
 * while the page is open.
 *
 *     node experiments/results/page.mjs [RUNS]     default: 1,000,000; takes some minutes
 *
 * Needs chromium.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLI = join(HERE, '../../bin/pypet-ts.js')
const JOB = join(HERE, 'job.mjs')
const RUNS = Number(process.argv[2] ?? 1_000_000)
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const SLEEPING = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ name: 'sleeping', parameters: { x: 0 }, run(traj) {
  const end = performance.now() + 5
  while (performance.now() < end);
  traj.addResult('z', traj.par.x)
} })`
/** The page is open then, and has its first columns. */
const STARTED_AFTER_MS = 10_000
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-page-'))
const executablePath = BROWSERS.find((path) => existsSync(path))
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
const say = (text) => process.stdout.write(`${text}\n`)

try {
  for (const runs of [RUNS / 10, RUNS]) {
    const side = Math.round(Math.sqrt(runs))
    const explored = ['--explore', `x=0:${side}:1`, '--explore', `y=0:${side}:1`]
    pypet(
      'run',
      JOB,
      '--file',
      'many.h5',
      '--layout',
      'columns',
      '--quiet',
      '--no-log',
      '--overwrite',
      ...explored,
    )
    const filled = []
    for (let round = 0; round < 3; round += 1) filled.push(await filledAfter('many.h5'))
    say(
      `first table of ${side * side} runs: ${Math.min(...filled).toPrecision(3)} s (goals: 100,000 in 1 s, 10^6 in 3 s)`,
    )
  }
  writeFileSync(join(folder, 'sleeping.mjs'), SLEEPING)
  const [without, withPage] = [[], []]
  for (let round = 0; round < 2; round += 1) {
    without.push(await sleeping(false))
    withPage.push(await sleeping(true))
  }
  const loss =
    Math.min(...withPage.map(({ seconds }) => seconds)) / Math.min(...without.map(({ seconds }) => seconds)) -
    1
  say(
    `an experiment of 5 ms runs with the page open takes ${(100 * loss).toPrecision(2)} % longer (goal: 3 %)`,
  )
  const share = Math.min(...withPage.map(({ cpu, seconds }) => cpu / seconds))
  say(`the server used ${(100 * share).toPrecision(2)} % of a core meanwhile, with its start`)
  const busy = await sleeping(true, { ncores: availableParallelism(), runs: 20_000 })
  say(
    `while runs kept all cores busy, it used ${(100 * busy.laterShare).toPrecision(2)} % after its start (goal: 5 %)`,
  )
} finally {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
}

function pypet(...words) {
  return execFileSync(process.execPath, [CLI, ...words], { cwd: folder, encoding: 'utf8' })
}

async function serve(file) {
  const server = spawn(process.execPath, [CLI, 'view', file, '--no-open'], { cwd: folder })
  const url = await new Promise((resolve) => {
    let printed = ''
    server.stdout.setEncoding('utf8').on('data', (piece) => {
      printed += piece
      const found = /http:\S+/.exec(printed)
      if (found !== null) resolve(found[0])
    })
  })
  return { server, url }
}

async function filledAfter(file) {
  const { server, url } = await serve(file)
  const page = await browser.newPage()
  try {
    const start = performance.now()
    await page.goto(url)
    await page.waitForFunction(() => document.querySelectorAll('[role="row"]').length > 5)
    return (performance.now() - start) / 1000
  } finally {
    await page.close()
    server.kill()
  }
}

/**
 * Seconds of an experiment, the processor time of the server meanwhile, and its share of a core from some seconds after
 * the page was opened.
 */
async function sleeping(hasPage, { ncores = 1, runs = 10_000 } = {}) {
  rmSync(join(folder, 'sleeping.h5'), { force: true })
  const words = ['--file', 'sleeping.h5', '--ncores', String(ncores), '--quiet', '--no-log']
  const start = performance.now()
  const running = spawn(
    process.execPath,
    [CLI, 'run', 'sleeping.mjs', ...words, '--explore', `x=0:${runs}:1`],
    {
      cwd: folder,
    },
  )
  const ended = new Promise((resolve) => running.on('exit', resolve))
  if (!hasPage) {
    await ended
    return { seconds: (performance.now() - start) / 1000, cpu: 0, laterShare: 0 }
  }
  while (!existsSync(join(folder, 'sleeping.h5'))) await pause(20)
  const { server, url } = await serve('sleeping.h5')
  const page = await browser.newPage()
  await page.goto(url)
  await pause(STARTED_AFTER_MS)
  const [later, laterCpu] = [performance.now(), cpuOf(server.pid)]
  await ended
  const seconds = (performance.now() - start) / 1000
  const cpu = cpuOf(server.pid)
  const laterShare = (cpu - laterCpu) / ((performance.now() - later) / 1000)
  await page.close()
  server.kill()
  return { seconds, cpu, laterShare }
}

/** In seconds. */
function cpuOf(pid) {
  const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .split(') ')[1]
    .split(' ')
  return (Number(user) + Number(system)) / 100
}
