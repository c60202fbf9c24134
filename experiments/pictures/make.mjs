/**
 * Makes the pictures of the README from the real thing: a terminal during a run, a plot, and the page in a browser.
 *
 *     npm run build && node experiments/pictures/make.mjs
 *
 * Needs chromium and tmux.
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
/** By the codes of a terminal. */
const COLOURS = {
  1: 'font-weight: bold',
  2: 'opacity: 0.6',
  31: 'color: #e06c75',
  32: 'color: #98c379',
  36: 'color: #56b6c2',
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
  await terminal(explored)
  await plot()
  await view()
} finally {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
}

/** A real terminal while runs are being made. Its colours become those of a page, of which a picture is taken. */
async function terminal(explored) {
  const socket = join(folder, 'tmux')
  const tmux = (...words) => execFileSync('tmux', ['-S', socket, ...words], { encoding: 'utf8' })
  const words = ['run', 'ising.ts', '--file', 'terminal.h5', '--ncores', '2', '--repeat', '40', ...explored]
  const size = ['-x', '96', '-y', '9']
  tmux('-f', '/dev/null', 'new-session', '-d', '-c', folder, ...size, `PS1='$ ' sh`)
  try {
    tmux('send-keys', `alias pypet-ts="${process.execPath} ${CLI}"; clear`, 'Enter')
    tmux('send-keys', `pypet-ts ${words.join(' ')}`, 'Enter')
    let screen = ''
    // In the middle of it, after a failure.
    while (!/\b[3-6]\d %/.test(screen)) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      screen = tmux('capture-pane', '-e', '-p')
    }
    const page = await browser.newPage()
    await page.setViewport({ width: 790, height: 118 })
    const style = `body { margin: 0; background: #1e2127; color: #d7dae0 }
      pre { margin: 14px 18px; font: 13px/18px 'DejaVu Sans Mono', monospace }`
    await page.setContent(`<style>${style}</style><pre>${htmlOf(screen.trimEnd())}</pre>`)
    await page.screenshot({ path: join(DOCS, 'terminal.png') })
  } finally {
    tmux('kill-server')
  }
}

/** Text with colours of a terminal as HTML. */
function htmlOf(text) {
  let style = ''
  return text
    .split(new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`))
    .map((part, index) => {
      if (index % 2 === 0) {
        const plain = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
        return style === '' ? plain : `<span style="${style}">${plain}</span>`
      }
      for (const code of part.split(';')) {
        const added = COLOURS[code]
        style = added === undefined ? '' : `${style}${added};`
      }
      return ''
    })
    .join('')
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
