/** Figures as pictures. */
import { expect, test } from 'vitest'
import { PLOT_KINDS } from '../../src/plot/figure.ts'
import { drawHtml, drawSvg } from '../../src/plot/svg/svg-document.ts'
import { figureOf, type Given, product } from './columns.ts'

/** Elements in their order; fails unless the text is well-formed XML made of these few. */
function elementsOf(svg: string): string[] {
  const open: string[] = []
  const names: string[] = []
  const token = /<(\/?)([A-Za-z]+)((?:\s[A-Za-z-]+\d?="[^"<>]*")*)\s*(\/?)>|([^<>]+)/gy
  const text = svg.trim()
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const found = token.exec(text)
    if (found === null) throw new Error(`no XML at ${text.slice(at, at + 80)}`)
    const [, end, name, , closed, content] = found
    if (content !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(content)) throw new Error(`an entity in ${content}`)
    } else if (end === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`)
    } else {
      names.push(name as string)
      if (closed !== '/') open.push(name as string)
    }
  }
  expect(open).toEqual([])
  return names
}

function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<(?:text|tspan)\b[^>]*>([^<]+)</g)].map(([, text]) => text as string)
}

const ALLOWED = ['svg', 'g', 'path', 'rect', 'circle', 'line', 'text', 'tspan', 'title']
const [a, b] = product([0.001, 0.01, 0.1, 1], [10, 20, 30])
const z = a.map((each, run) => each * 3 + run)
const given: Given = { explored: { a, b }, results: { z }, units: { a: 's', z: 'mV' } }

test('axes have labels with units, and ticks', () => {
  const svg = drawSvg(figureOf(given, { y: 'z', x: 'a' }))
  const texts = textsOf(svg)
  expect(texts).toEqual(
    expect.arrayContaining(['job.h5 · sweep', 'a (s)', 'z (mV)', '0.001', '0.01', '0.1', '1', 'b', '20']),
  )
  const places = [...svg.matchAll(/translate\(([\d.]+),[\d.]+\)"[^>]*>(0\.001|0\.01|0\.1)</g)].map(([, x]) =>
    Number(x),
  )
  const [first = 0, second = 0, third = 0] = places
  expect(third - second).toBeCloseTo(second - first, 1)
})

test.each(PLOT_KINDS)('%s: the picture is well-formed', (kind) => {
  const svg = drawSvg(figureOf(given, { kind, ...(kind === 'scatter' && { color: 'z' }) }))
  const names = elementsOf(svg)
  expect(names.filter((name) => !ALLOWED.includes(name))).toEqual([])
  expect(names.length).toBeGreaterThan(20)
  expect(svg).not.toMatch(/undefined|NaN/)
})

test.each(PLOT_KINDS)('%s: no text of the file becomes an element, an attribute or a script', (kind) => {
  const nasty = '<script>alert(1)</script><svg onload="x()">&amp;"\'\u0001\u001b]]>'
  const figure = figureOf(
    {
      explored: { [nasty]: a, p: a.map((_, run) => (run % 2 ? nasty : 'javascript:alert(1)')) },
      results: { [`${nasty}z`]: z },
      units: { [nasty]: nasty, [`${nasty}z`]: '<img src=x onerror=y>' },
    },
    { kind, ...(kind !== 'parallel' && { facet: 'p' }), ...(kind === 'heatmap' && { x: nasty, y: 'p' }) },
  )
  const svg = drawSvg({ ...figure, title: nasty, subtitle: nasty })
  expect(elementsOf(svg).filter((name) => !ALLOWED.includes(name))).toEqual([])
  expect(svg).not.toMatch(/<[^>]*\son\w+=|<script|href/i)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
  expect(svg).not.toMatch(/[\u0000-\u0008\u001b]/)
  const html = drawHtml({ ...figure, title: nasty, subtitle: nasty })
  expect(html).not.toMatch(/<script|<img|<[^>]*\sonload/i)
})

test('a page has the picture in it, and neither scripts nor links', () => {
  const figure = figureOf(given)
  const html = drawHtml(figure)
  expect(html).toContain(drawSvg(figure))
  expect(html).not.toMatch(/<script|\ssrc=|\shref=|url\(/)
})

test('many points and lines are thinned, which the picture says', () => {
  const many = Array.from({ length: 45_000 }, (_, run) => Math.sin(run))
  const scatter = drawSvg(figureOf({ results: { u: many, v: many } }, { x: 'u', y: 'v', kind: 'scatter' }))
  expect(scatter).toContain('45,000 runs · 1 of 3 points drawn')
  expect(scatter.length).toBeLessThan(2_000_000)
  const parallel = drawSvg(figureOf({ explored: { u: many }, results: { v: many } }, { kind: 'parallel' }))
  expect(parallel).toContain('1 of 45 lines drawn')
})

test('a long line keeps its lowest and highest points', () => {
  const spike = Float64Array.from({ length: 50_000 }, (_, index) =>
    index === 31_415 ? 1000 : Math.sin(index),
  )
  const svg = drawSvg(figureOf({ results: { trace: [spike] } }))
  expect(svg.length).toBeLessThan(100_000)
  // The top of the panel.
  expect(svg).toMatch(/,28(?:\.0+)?L/)
})
