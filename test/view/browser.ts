/** A real browser for the page, without a window. */
import { existsSync } from 'node:fs'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, describe } from 'vitest'

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = [process.env.PYPET_TEST_BROWSER ?? '', ...BROWSERS].find((path) => existsSync(path))
if (executablePath === undefined && process.env.PYPET_TEST_REQUIRE_BROWSER === '1') {
  throw new Error('there is no browser; install chromium, PYPET_TEST_REQUIRE_BROWSER=1 demands it')
}

/** Tests with a browser. Without one, they are skipped, and say why. */
export function describeInBrowser(title: string, tests: () => void): void {
  const isMissing = executablePath === undefined
  // Only where no browser is installed: `.ci/run` installs chromium, and forbids this.
  describe.skipIf(isMissing)(isMissing ? `${title} (there is no chromium)` : title, tests)
}

export interface OpenedPage {
  readonly page: Page
  /** Addresses that were asked for. */
  readonly requested: readonly string[]
  /** Errors of scripts, and what the console has got. */
  readonly complaints: readonly string[]
}

let browser: Browser | undefined
afterAll(async () => {
  await browser?.close()
})

/** Opens an address in a fresh tab with its own storage. */
export async function openPage(url: string, size = { width: 1280, height: 800 }): Promise<OpenedPage> {
  browser ??= await puppeteer.launch({
    ...(executablePath !== undefined && { executablePath }),
    // As root, the browser refuses its sandbox.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  await page.setViewport(size)
  const requested: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requested.push(request.url()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(url)
  return { page, requested, complaints }
}
