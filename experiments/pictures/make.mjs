/**
 * Makes the pictures of the README from the real thing: a plot, and the page in a browser.
 *
 *     npm run build && node experiments/pictures/make.mjs
 *
 * Needs chromium.
 */
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLI = join(HERE, '../../bin/pypet-ts.js')
const DOCS = join(HERE, '../../docs')
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-pictures-'))
const pypet = (...words) => {
  try {
    return execFileSync(process.execPath, [CLI, ...words], { cwd: folder, encoding: 'utf8' })
  } catch (error) {
    // Some runs fail, to be seen.
    if (error.status !== 3) throw error
    return error.stdout
  }
}
const executablePath = BROWSERS.find((path) => existsSync(path))
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })

try {
  copyFileSync(join(HERE, 'job.ts'), join(folder, 'ising.ts'))
  const explored = ['--explore', 'temperature=0.2:4.2:0.2', '--explore', 'field=0,0.2,0.5']
  pypet(
    'run',
    'ising.ts',
    '--file',
    'ising.h5',
    '--ncores',
    '2',
    '--repeat',
    '4',
    '--seed',
    '1',
    '--quiet',
    ...explored,
  )
  await plot()
  await view()
} finally {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
}

async function plot() {
  pypet(
    'plot',
    'ising.h5',
    '--x',
    'temperature',
    '--y',
    'magnetisation',
    '--color',
    'field',
    '--to',
    'plot.html',
  )
  const page = await browser.newPage()
  await page.setViewport({ width: 700, height: 500 })
  await page.goto(`file://${join(folder, 'plot.html')}`)
  await page.screenshot({ path: join(DOCS, 'plot.png') })
}

async function view() {
  const server = spawn(process.execPath, [CLI, 'view', 'ising.h5', '--no-open'], { cwd: folder })
  try {
    const url = await new Promise((resolve) => {
      let printed = ''
      server.stdout.setEncoding('utf8').on('data', (piece) => {
        printed += piece
        const found = /http:\S+/.exec(printed)
        if (found !== null) resolve(found[0])
      })
    })
    const page = await browser.newPage()
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }])
    await page.setViewport({ width: 1200, height: 700 })
    await page.goto(url)
    await page.waitForFunction(() => document.querySelectorAll('[role="row"]').length > 5)
    await page.keyboard.press('1')
    // A stored run with its arrays.
    await page.keyboard.press('g')
    await page.keyboard.type('128\n')
    await page.waitForFunction(() => document.querySelectorAll('canvas').length > 2)
    await page.waitForNetworkIdle()
    await page.screenshot({ path: join(DOCS, 'viewer.png') })
  } finally {
    server.kill()
  }
}
