/// <reference lib="dom" />
/** The page of `pypet-ts view` in a real browser, on real files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { HTTPRequest, Page } from 'puppeteer-core'
import { beforeAll, expect, test } from 'vitest'
import { pypet, start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { describeInBrowser, openPage } from './browser.ts'
import { HOSTILE, JOB, type Viewed, view } from './viewed.ts'

/** For what hangs: machines are shared, and busy. */
const LIMIT_MS = 60_000

/** Waits for a text in an element, and returns it. */
async function untilText(page: Page, selector: string, text: string | RegExp): Promise<string> {
  const source = typeof text === 'string' ? text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : text.source
  await page.waitForFunction(
    (selector: string, source: string) =>
      new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
    { timeout: LIMIT_MS },
    selector,
    source,
  )
  return page.$eval(selector, (element) => element.textContent ?? '')
}

/** The table as texts: heads and rows. */
function tableOf(page: Page): Promise<{ readonly heads: string[]; readonly rows: string[][] }> {
  return page.evaluate(() => {
    const texts = (parent: Element, selector: string) =>
      [...parent.querySelectorAll(selector)].map((each) => each.textContent ?? '')
    const rows = [...document.querySelectorAll('.grid .row')]
    const position = (row: Element) => Number(row.getAttribute('aria-rowindex'))
    return {
      heads: texts(document.body, '[role=columnheader]'),
      rows: rows
        .sort((one, other) => position(one) - position(other))
        .map((row) => texts(row, '[role=gridcell]')),
    }
  })
}

async function columnOf(page: Page, name: string): Promise<string[]> {
  const { heads, rows } = await tableOf(page)
  const at = heads.findIndex((head) => head.split(' ')[0] === name)
  return rows.map((row) => row[at] ?? '')
}

/** Until the table has the values of a column. */
async function untilColumn(
  page: Page,
  name: string,
  isRight: (texts: readonly string[]) => boolean,
): Promise<string[]> {
  const endMs = performance.now() + LIMIT_MS
  for (;;) {
    const texts = await columnOf(page, name)
    if (texts.length > 0 && isRight(texts)) return texts
    if (performance.now() > endMs) throw new Error(`the column ${name} has ${JSON.stringify(texts)}`)
    await delay(50)
  }
}

describeInBrowser('the page', () => {
  let folder: string
  let shown: Viewed
  beforeAll(async () => {
    folder = fileTree({ 'job.mjs': JOB })
    await pypet(folder, ['run', 'job.mjs', '--ncores', '1'])
    shown = await view(folder, ['hdf5/waves.h5'])
  })

  test('shows all runs, those that failed too, asks no other machine, and hides its token', async () => {
    const { page, requested, complaints } = await openPage(shown.url)
    await untilText(page, '#filter-outcome', '12 runs match')
    const z = await untilColumn(page, 'z', (texts) => texts.length === 12 && texts[0] === '0.5')
    expect(z).toEqual(['0.5', '5', '50', '1', '10', '100', '1.5', '15', '150', '2', '–', '–'])
    expect(await columnOf(page, 'big')).toContain('9007199254740993')
    expect(await untilColumn(page, 'status', (texts) => texts[0] !== '')).toEqual([
      ...Array(10).fill('stored'),
      'failed',
      'failed',
    ])
    await untilColumn(page, 'failure', (texts) => texts.at(-1)?.includes('too steep') === true)
    expect(await page.$eval('.top', (bar) => bar.textContent)).toContain('2 failed')
    expect(page.url()).not.toContain(shown.token)
    expect(requested.filter((url) => !url.startsWith(shown.origin))).toEqual([])
    expect(complaints).toEqual([])
    // A reload, and the same address in the history, still have it.
    await page.reload()
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('texts of strangers are texts', async () => {
    const { page, complaints } = await openPage(`${shown.url}&run=3&view=histogram&x=note`)
    await untilText(page, '.detail', HOSTILE.slice(0, 20))
    await page.evaluate(() => {
      for (const each of document.querySelectorAll('details')) each.open = true
    })
    await delay(300)
    expect(await page.$$eval('img', (images) => images.length)).toBe(0)
    expect(await page.title()).toBe('hdf5/waves.h5 · pypet-ts')
    expect(complaints).toEqual([])
  })

  test('a filter narrows, a wrong one is explained, and Escape takes it back', async () => {
    const { page } = await openPage(shown.url)
    await untilText(page, '#filter-outcome', '12 runs match')
    await page.keyboard.press('/')
    await page.keyboard.type('z > 1')
    await untilText(page, '#filter-outcome', '8 runs match')
    await page.keyboard.type('0 && y in [5, 50]')
    await untilText(page, '#filter-outcome', '4 runs match')
    expect(await untilColumn(page, 'run', (texts) => texts.length === 4)).toEqual(['2', '5', '7', '8'])
    expect(new URL(page.url()).hash).toContain('filter=')
    const command = await page.$eval('.filter [aria-label="Copy the command"]', (button) =>
      button.getAttribute('title'),
    )
    expect(command).toBe(`pypet-ts table hdf5/waves.h5 --where 'z > 10 && y in [5, 50]'`)
    await page.keyboard.press('Enter')
    await page.keyboard.type(' &&')
    await untilText(page, '#filter-outcome', /position/)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '4 runs match')
    // What was typed with pauses is one narrowing.
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('a head sorts, up and down and back; missing values are last', async () => {
    const { page } = await openPage(shown.url)
    await untilColumn(page, 'half', (texts) => texts.length === 12 && texts[3] === '1')
    const [head] = await page.$$(
      'xpath/.//*[@role="columnheader"]/button[starts-with(normalize-space(.),"half")]',
    )
    await head?.click()
    await untilColumn(page, 'half', (texts) => texts[0] === '1' && texts[8] === '–')
    await head?.click()
    const sorted = await untilColumn(page, 'half', (texts) => texts[0] === '2')
    expect(sorted).toEqual(['2', '1.5', '1.5', '1.5', '1', '1', '1', '–', '–', '–', '–', '–'])
    expect(await page.$$eval('[aria-sort=descending]', (heads) => heads.length)).toBe(1)
    await head?.click()
    await untilColumn(page, 'run', (texts) => texts[0] === '0')
  })

  test('a drag on an axis narrows the table, and a click on it shows all again', async () => {
    const { page } = await openPage(`${shown.url}&view=parallel&axis=x&axis=z`)
    await untilColumn(page, 'x', (texts) => texts.length === 12 && texts[0] === '1')
    await page.waitForSelector('canvas.above')
    const box = await (await page.$('canvas.above'))?.boundingBox()
    if (box === null || box === undefined) throw new Error('there is no picture')
    // The left axis, from its middle to above its top: x from 2.5 to 4.
    const [x, middle] = [box.x + 56, box.y + 30 + (box.height - 72) / 2]
    await page.mouse.move(x, middle)
    await page.mouse.down()
    await page.mouse.move(x, middle - 30, { steps: 4 })
    await page.mouse.move(x, box.y + 20, { steps: 4 })
    await page.mouse.up()
    await untilText(page, '#filter-outcome', '6 runs match')
    expect(await untilColumn(page, 'x', (texts) => texts.length === 6)).toEqual([
      '3',
      '3',
      '3',
      '4',
      '4',
      '4',
    ])
    expect(new URL(page.url()).hash).toContain('brush=')
    await page.mouse.click(x, middle + 10)
    await untilText(page, '#filter-outcome', '12 runs match')
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '6 runs match')
    // A drag is one narrowing too.
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('a run opens with its arrays; keys go to the next one, and others are drawn beside it', async () => {
    const { page } = await openPage(shown.url)
    await untilColumn(page, 'z', (texts) => texts.length === 12)
    await page.click('.grid .row[aria-rowindex="6"]')
    await untilText(page, '.run h2', 'Run 4')
    await untilText(page, '.detail', /trace/)
    await page.waitForSelector('.line canvas')
    await page.waitForSelector('.image canvas')
    const cell = await (await page.$('.image canvas'))?.boundingBox()
    if (cell === null || cell === undefined) throw new Error('there is no image')
    await page.mouse.move(cell.x + cell.width * 0.5, cell.y + cell.height * 0.75)
    await untilText(page, '.image .notes', '[1, 1] = 11')
    await page.keyboard.press('o')
    await page.keyboard.press(']')
    await untilText(page, '.run h2', 'Run 5')
    await untilText(page, '.line', /run 5[\s\S]*run 4/)
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => document.querySelector('.run h2') === null)
  })

  test('log, source and provenance are asked for when they are opened, and stay open for the next run', async () => {
    const { page, requested, complaints } = await openPage(`${shown.url}&run=4`)
    // What is above them is there, so that they do not move any more.
    await page.waitForSelector('.line canvas')
    await page.waitForSelector('.image canvas')
    const asked = () => requested.filter((url) => /api\/(?:log|source|provenance)/.test(url)).length
    expect(asked()).toBe(0)
    const open = async (part: number, text: RegExp) => {
      await page.click(`.origin:nth-child(${part} of .origin) > summary`)
      await untilText(page, `.origin:nth-child(${part} of .origin)`, text)
    }
    await open(1, /run_00000004: x is 2 <img /)
    await open(2, /defineExperiment/)
    await open(3, /argv[\s\S]*run job\.mjs --ncores 1[\s\S]*ncores = 1/)
    expect(await page.$eval('.origin .code', (code) => code.textContent)).toBe(JOB)
    await page.keyboard.press(']')
    await untilText(page, '.origin:nth-child(1 of .origin)', /run_00000005: x is 2 <img /)
    expect(
      await page.$$eval('.origin', (all) => all.map((each) => (each as HTMLDetailsElement).open)),
    ).toEqual([true, true, true])
    expect(asked()).toBe(6)
    expect([await page.title(), complaints]).toEqual(['hdf5/waves.h5 · pypet-ts', []])
  })

  test('the log of another run is dimmed until that of this run is here', async () => {
    const { page } = await openPage(`${shown.url}&run=4`)
    await page.waitForSelector('.image canvas')
    await page.click('.origin > summary')
    await untilText(page, '.origin', /run_00000004: x is 2/)
    const held: HTTPRequest[] = []
    await page.setRequestInterception(true)
    page.on('request', (request) => {
      if (request.url().includes('/api/log?')) held.push(request)
      else void request.continue()
    })
    await page.keyboard.press(']')
    await untilText(page, '.run h2', 'Run 5')
    await page.waitForSelector('.origin > .old[aria-busy=true]', { timeout: LIMIT_MS })
    await expect.poll(() => held.length).toBe(1)
    void held[0]?.continue()
    await untilText(page, '.origin', /run_00000005: x is 2/)
    expect(await page.$('.origin > .old')).toBeNull()
  })

  test('Escape closes what lies above before it takes back a narrowing', async () => {
    const { page } = await openPage(`${shown.url}&view=parallel`)
    await page.waitForSelector('canvas.above')
    await page.type('#filter', 'z > 1')
    await page.keyboard.press('Enter')
    await untilText(page, '#filter-outcome', '8 runs match')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.waitForSelector('.help')
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => document.querySelector('.help') === null)
    const openPopovers = () => page.$$eval('.popover[open]', (all) => all.length)
    for (const place of ['.space', '.table']) {
      await page.click(`${place} .popover summary`)
      await page.click(`${place} .popover .sheet input[type=checkbox]`)
      expect(await openPopovers()).toBe(1)
      await page.keyboard.press('Escape')
      expect(await openPopovers()).toBe(0)
    }
    await page.click('.table .popover summary')
    await page.click('.places ~ main .notes')
    expect(await openPopovers()).toBe(0)
    await untilText(page, '#filter-outcome', '8 runs match')
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('a click that narrows nothing is nothing to take back', async () => {
    const { page } = await openPage(`${shown.url}&view=parallel&axis=x&axis=z`)
    await page.waitForSelector('canvas.above')
    await page.type('#filter', 'z > 1')
    await page.keyboard.press('Enter')
    await untilText(page, '#filter-outcome', '8 runs match')
    await page.keyboard.press('Escape')
    const box = await (await page.$('canvas.above'))?.boundingBox()
    if (box === null || box === undefined) throw new Error('there is no picture')
    // The left axis, above which no line is: nothing opens.
    await page.mouse.click(box.x + 56, box.y + 20)
    await page.mouse.click(box.x + 56, box.y + 20)
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('a drag beside every axis leaves nothing behind that Escape brings back', async () => {
    const { page } = await openPage(`${shown.url}&view=parallel&axis=x&axis=z`)
    await untilText(page, '#filter-outcome', '12 runs match')
    await page.waitForSelector('canvas.above')
    const box = await (await page.$('canvas.above'))?.boundingBox()
    if (box === null || box === undefined) throw new Error('there is no picture')
    const [left, right, middle] = [box.x + 56, box.x + box.width / 2, box.y + 30 + (box.height - 72) / 2]
    const dragUp = async (x: number) => {
      await page.mouse.move(x, middle)
      await page.mouse.down()
      await page.mouse.move(x, box.y + 20, { steps: 4 })
      await page.mouse.up()
    }
    await dragUp(left)
    await untilText(page, '#filter-outcome', '6 runs match')
    await dragUp(right)
    await page.click('.filter button.quiet')
    await untilText(page, '#filter-outcome', '12 runs match')
    await dragUp(left)
    await untilText(page, '#filter-outcome', '6 runs match')
    await page.keyboard.press('Escape')
    await untilText(page, '#filter-outcome', '12 runs match')
  })

  test('a drag that returns to where it began narrows nothing', async () => {
    const { page } = await openPage(`${shown.url}&view=parallel&axis=x&axis=z`)
    await untilText(page, '#filter-outcome', '12 runs match')
    await page.waitForSelector('canvas.above')
    const box = await (await page.$('canvas.above'))?.boundingBox()
    if (box === null || box === undefined) throw new Error('there is no picture')
    const [x, y] = [box.x + 56, box.y + box.height / 2]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x, y + 60, { steps: 4 })
    await untilText(page, '.filter', /x ×/)
    await page.mouse.move(x, y, { steps: 4 })
    await page.mouse.up()
    await untilText(page, '#filter-outcome', '12 runs match')
    expect(await page.$$eval('.chip', (chips) => chips.length)).toBe(0)
    expect(await page.$('.run h2')).toBeNull()
  })

  test('a blank that is typed with a pause stays', async () => {
    const { page } = await openPage(shown.url)
    await page.type('#filter', 'y ')
    await page.waitForFunction(() => location.hash.includes('filter=y'))
    await page.type('#filter', 'in [5, 50]')
    await untilText(page, '#filter-outcome', '8 runs match')
    expect(await page.$eval('#filter', (field) => (field as HTMLInputElement).value)).toBe('y in [5, 50]')
  })

  test('a head of arrays does not sort', async () => {
    const { page } = await openPage(shown.url)
    await untilColumn(page, 'z', (texts) => texts.length === 12)
    const button = 'xpath/.//*[@role="columnheader"]/button[starts-with(normalize-space(.),"trace")]'
    expect(await page.$eval(button, (head) => (head as HTMLButtonElement).disabled)).toBe(true)
  })

  test('a failed run has its error and the command to look closer', async () => {
    const { page } = await openPage(`${shown.url}&run=11`)
    expect(await untilText(page, '.detail', /too steep/)).toContain('pypet-ts show hdf5/waves.h5 11')
  })

  test.each(['parallel', 'scatter', 'heatmap', 'histogram'] as const)(
    'the picture %s is saved as PNG and SVG, with its source in it',
    async (kind) => {
      const { page, complaints } = await openPage(`${shown.url}&view=${kind}&filter=z+%3E+1`)
      await untilText(page, '#filter-outcome', '8 runs match')
      await page.waitForSelector('#save-picture')
      const saved = await page.evaluate(async () => {
        const blobs: Blob[] = []
        const made = URL.createObjectURL
        URL.createObjectURL = (blob: Blob) => {
          blobs.push(blob)
          return made(blob)
        }
        const buttons = [...document.querySelectorAll('.space .tools button.quiet')] as HTMLElement[]
        for (const button of buttons) button.click()
        while (blobs.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
        return Promise.all(blobs.map(async (blob) => [blob.type, await blob.text()] as const))
      })
      const svg = saved.find(([type]) => type === 'image/svg+xml')?.[1] ?? ''
      expect(svg).toContain('hdf5/waves.h5 · waves · z &#62; 1')
      expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
      expect(saved.find(([type]) => type === 'image/png')?.[1]).toContain('PNG')
      expect(complaints).toEqual([])
    },
  )

  test('the table is saved as it is shown', async () => {
    const { page } = await openPage(`${shown.url}&filter=z+%3E+50&sort=-z&column=run&column=z`)
    await untilText(page, '#filter-outcome', '2 runs match')
    const text = await page.evaluate(async () => {
      const saved = new Promise<Blob>((resolve) => {
        URL.createObjectURL = (blob: Blob) => {
          resolve(blob)
          return 'blob:none'
        }
      })
      const buttons = [...document.querySelectorAll('.table .tools button')] as HTMLElement[]
      buttons.find((button) => button.textContent === 'CSV')?.click()
      return (await saved).text()
    })
    expect(text).toBe('run,z\n8,150\n5,100\n')
  })

  test('at 360 pixels, one place is shown at a time, and nothing is wider than the screen', async () => {
    const { page } = await openPage(shown.url, { width: 360, height: 640 })
    await untilText(page, '#filter-outcome', '12 runs match')
    const isShown = (selector: string) =>
      page.$eval(selector, (element) => element.getClientRects().length > 0)
    expect([await isShown('.space'), await isShown('.table')]).toEqual([true, false])
    await page.click('.places button:nth-child(2)')
    await page.waitForFunction(() => (document.querySelector('.table')?.getClientRects().length ?? 0) > 0)
    await page.click('.grid .row')
    await untilText(page, '.run h2', 'Run 0')
    expect([await isShown('.run'), await isShown('.table')]).toEqual([true, false])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
  })

  test('every control has a name, and the theme is remembered', async () => {
    const { page } = await openPage(`${shown.url}&run=5&view=heatmap`)
    await untilText(page, '.detail', /trace/)
    const tree = await page.accessibility.snapshot()
    const nameless: unknown[] = []
    const walk = (node: NonNullable<typeof tree>) => {
      const isControl = ['button', 'textbox', 'combobox', 'checkbox', 'slider', 'image'].includes(node.role)
      if (isControl && !node.name) nameless.push(node)
      for (const child of node.children ?? []) walk(child)
    }
    if (tree !== null) walk(tree)
    expect(nameless).toEqual([])
    await page.click('[title="Change the theme"]')
    await page.click('[title="Change the theme"]')
    await page.reload()
    await page.waitForSelector('html[data-theme=dark]')
    const paper = await page.$eval('body', (body) => getComputedStyle(body).backgroundColor)
    expect(paper).toBe('rgb(22, 24, 28)')
  })

  test('without the token, the page says what to do', async () => {
    const { page } = await openPage(`${shown.origin}/`)
    expect(await untilText(page, '.start', /token/)).toContain('pypet-ts view')
  })

  test('what was chosen stays as new runs come: their number, their order, and a brushed status', async () => {
    const live = fileTree({ 'job.mjs': JOB })
    const running = start(live, ['run', 'job.mjs', '--ncores', '1'], { RUN_MS: '1500' })
    const own = await whenThere(() => view(live, ['hdf5/waves.h5']))
    // Before the first failure, these are the stored ones: missing is 0.
    const { page } = await openPage(`${own.url}&sort=-z&brush=1:1:status`)
    await untilText(page, '#filter-outcome', /[1-9]\d* runs? match/)
    const shownFirst = (await untilColumn(page, 'z', (texts) => texts.every((text) => /\d/.test(text))))
      .length
    await running.ended()
    await untilText(page, '.counts', /^12 runs · 2 failed/)
    await untilText(page, '#filter-outcome', '10 runs match')
    const command = await page.$eval('.filter [aria-label="Copy the command"]', (button) =>
      button.getAttribute('title'),
    )
    expect(command).toBe(`pypet-ts table hdf5/waves.h5 --where 'status == "stored"' --sort=-z`)
    const news = await untilText(page, '.news', /new: sort again/)
    expect(Number.parseInt(news, 10)).toBeLessThanOrEqual(10 - shownFirst)
    await page.click('.news')
    expect(await untilColumn(page, 'z', (texts) => texts[0] === '150')).toEqual([
      ...['150', '100', '50', '15', '10', '5', '2', '1.5', '1', '0.5'],
    ])
    expect(await page.$('.news')).toBeNull()
  })

  test('a running experiment is followed from its first run to its end, over a kill', async () => {
    const live = fileTree({ 'job.mjs': JOB })
    const running = start(live, ['run', 'job.mjs', '--ncores', '1'], { RUN_MS: '3000', NEVER_FAILS: '1' })
    const own = await whenThere(() => view(live, ['hdf5/waves.h5']))
    const { page, complaints } = await openPage(own.url)
    await untilText(page, '.counts', /^[1-9]\d* of 12 runs/)
    await untilText(page, '.counts', /left$/)
    const countOf = (texts: readonly string[]) => texts.filter((text) => /\d/.test(text)).length
    const before = countOf(await untilColumn(page, 'z', (texts) => countOf(texts) > 0))
    await untilColumn(page, 'z', (texts) => countOf(texts) > before + 1)
    process.kill(-(running.process.pid as number), 'SIGKILL')
    await running.ended()
    const bar = await untilText(page, '.top', /stopped just now/)
    expect(bar).toContain('pypet-ts continue hdf5/waves.cnt')
    await pypet(live, ['continue', 'hdf5/waves.cnt'], { NEVER_FAILS: '1' })
    await untilText(page, '.counts', /^12 runs$/)
    const z = await untilColumn(page, 'z', (texts) => !texts.includes('–'))
    expect(z.at(-1)).toBe('200')
    expect(await columnOf(page, 'status')).toEqual(Array(12).fill('stored'))
    expect(complaints).toEqual([])
    own.started.process.kill('SIGINT')
    await untilText(page, '.top', /pypet-ts view has ended/)
    // What was there stays.
    expect((await columnOf(page, 'z')).at(-1)).toBe('200')
  })
})

/** 60,000 runs: few enough to make in seconds, and more than the page sorts without its worker. */
const MANY = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'many',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: 60_000 }, (_, at) => at) },
  run(traj) {
    const { x } = traj.par
    traj.addResult('up', (x * 7919) % 60_000)
    traj.addResult('down', 60_000 - x)
    // A grid of 400 × 150, and as many texts as runs.
    traj.addResult('column', x % 400)
    traj.addResult('row', Math.floor(x / 400))
    traj.addResult('text', 'text ' + x)
  },
})`

describeInBrowser('the page of many runs', () => {
  let shown: Viewed
  beforeAll(async () => {
    const folder = fileTree({ 'many.mjs': MANY })
    await pypet(folder, ['run', 'many.mjs', '--ncores', '1', '--layout', 'columns'])
    shown = await view(folder, ['hdf5/many.h5'])
  }, 120_000)

  const clickHead = (page: Page, name: string) =>
    page.evaluate((name) => {
      const heads = [...document.querySelectorAll<HTMLElement>('[role=columnheader] button')]
      heads.find((head) => head.textContent?.split(' ')[0] === name)?.click()
    }, name)

  test('they are sorted by a worker; the table keeps what it shows meanwhile, and the last click wins', async () => {
    const { page, requested, complaints } = await openPage(`${shown.url}&view=histogram&x=x`)
    await untilColumn(page, 'down', (texts) => texts[0] === '60000')
    await untilColumn(page, 'up', (texts) => texts[1] === '7919')
    expect(requested.filter((url) => url.endsWith('/sorter.js'))).toEqual([])
    await page.evaluate(() => {
      const seen: string[] = []
      Object.assign(globalThis, { seen })
      const look = () => {
        const rows = [...document.querySelectorAll('.grid .row')]
        const first = rows.find((row) => row.getAttribute('aria-rowindex') === '2')
        const text = first?.querySelector('[role=gridcell]')?.textContent ?? 'nothing'
        if (seen.at(-1) !== text) seen.push(text)
        requestAnimationFrame(look)
      }
      look()
    })
    for (const name of ['up', 'down', 'up', 'down']) await clickHead(page, name)
    await untilColumn(page, 'run', (texts) => texts[0] === '59999' && texts[1] === '59998')
    expect(await page.$$eval('[aria-busy=true]', (busy) => busy.length)).toBe(0)
    // The order of runs, then that of the last click.
    expect(await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen)).toEqual([
      '0',
      '59999',
    ])
    expect(requested.filter((url) => url.endsWith('/sorter.js'))).toHaveLength(1)
    await clickHead(page, 'down')
    await untilColumn(page, 'down', (texts) => texts[0] === '60000')
    expect(complaints).toEqual([])
  })

  test('without the worker, the page sorts', async () => {
    const { page } = await openPage(shown.url)
    await untilColumn(page, 'down', (texts) => texts[0] === '60000')
    await page.setRequestInterception(true)
    page.on('request', (request) =>
      request.url().endsWith('/sorter.js') ? request.abort() : request.continue(),
    )
    await clickHead(page, 'down')
    await untilColumn(page, 'down', (texts) => texts[0] === '1' && texts[1] === '2')
  })

  test('the keys scroll the table, even while the pointer rests on it', async () => {
    const { page } = await openPage(shown.url)
    await untilColumn(page, 'run', (texts) => texts.length > 0)
    const row = await (await page.$('.grid .row[aria-rowindex="4"]'))?.boundingBox()
    if (row === null || row === undefined) throw new Error('there is no row')
    await page.mouse.move(row.x + 50, row.y + 10)
    await page.mouse.move(row.x + 52, row.y + 12)
    await page.waitForSelector('.row.hovered[aria-rowindex="4"]')
    for (let step = 0; step < 40; step += 1) await page.keyboard.press('j')
    await page.waitForSelector('.row.hovered[aria-rowindex="44"]')
    // What comes to lie below the pointer is not pointed at.
    await delay(300)
    expect(await page.$eval('.row.hovered', (each) => each.getAttribute('aria-rowindex'))).toBe('44')
    const isVisible = await page.$eval('.row.hovered', (each) => {
      const [own, table] = [each, each.closest('.scroller') as Element].map((box) =>
        box.getBoundingClientRect(),
      ) as [DOMRect, DOMRect]
      return own.top >= table.top && own.bottom <= table.bottom
    })
    expect(isVisible).toBe(true)
  })

  test.each([
    'view=heatmap&x=x&y=text&color=up',
    'view=heatmap&x=column&y=row&color=up',
    'view=histogram&x=text',
  ])('the picture %s is drawn, however many values there are', async (address) => {
    const { page, complaints } = await openPage(`${shown.url}&${address}`)
    await page.waitForSelector('canvas.above')
    await untilText(page, '.space .notes', /bins|bars|^$/)
    await untilColumn(page, 'run', (texts) => texts.length > 0)
    expect(complaints).toEqual([])
  })
})

/** The file comes with the first commit. */
async function whenThere<Value>(act: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await act()
    } catch {
      await delay(100)
    }
  }
}

test('the page is one document, one style, one script and one of a worker, and names no other place', () => {
  for (const name of ['page.html', 'page.css', 'page.js', 'sorter.js']) {
    const text = readFileSync(join(import.meta.dirname, '../../dist/page', name), 'utf8')
    const named = [...text.matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+/g)].map(([address]) => address)
    expect([name, named.filter((address) => address !== 'http://www.w3.org')]).toEqual([name, []])
  }
})
