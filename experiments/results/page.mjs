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
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  say(`the server used ${(100 * share).toPrecision(2)} % of a core meanwhile`)
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

/** Seconds of an experiment, and the processor time of the server meanwhile. */
async function sleeping(hasPage) {
  rmSync(join(folder, 'sleeping.h5'), { force: true })
  const words = [
    'run',
    'sleeping.mjs',
    '--file',
    'sleeping.h5',
    '--ncores',
    '1',
    '--quiet',
    '--no-log',
    '--explore',
    'x=0:10000:1',
  ]
  const start = performance.now()
  const running = spawn(process.execPath, [CLI, ...words], { cwd: folder })
  const ended = new Promise((resolve) => running.on('exit', resolve))
  if (!hasPage) {
    await ended
    return { seconds: (performance.now() - start) / 1000, cpu: 0 }
  }
  while (!existsSync(join(folder, 'sleeping.h5'))) await new Promise((resolve) => setTimeout(resolve, 20))
  const { server, url } = await serve('sleeping.h5')
  const page = await browser.newPage()
  await page.goto(url)
  await ended
  const seconds = (performance.now() - start) / 1000
  const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${server.pid}/stat`, 'utf8')
    .split(') ')[1]
    .split(' ')
  await page.close()
  server.kill()
  return { seconds, cpu: (Number(user) + Number(system)) / 100 }
}
