/** Figures as characters. */
import fc from 'fast-check'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { PLOT_KINDS } from '../../src/plot/figure.ts'
import { makeFigure } from '../../src/plot/make-figure.ts'
import { drawTerminal, widthOf } from '../../src/plot/terminal/draw-terminal.ts'
import { type Given, linesOf, plotSource, product } from './columns.ts'

test('a line, with its axes', () => {
  const x = Array.from({ length: 11 }, (_, run) => run)
  const lines = linesOf(
    { explored: { x }, results: { z: x.map((each) => each ** 2) }, units: { x: 's' } },
    {},
    40,
  )
  expect(lines.join('\n')).toBe(`job.h5 · sweep
11 runs

z
100 ┤                                 ⢀⠎
    │                                ⢀⠎
    │                               ⢠⠃
    │                              ⡰⠁
    │                             ⡜
    │                           ⢀⠎
    │                          ⡰⠁
 50 ┤                        ⢀⠎
    │                      ⢀⠔⠁
    │                     ⡠⠊
    │                   ⡠⠊
    │                 ⢀⠔⠁
    │               ⡠⠔⠁
    │            ⣀⠤⠊
    │        ⣀⠤⠒⠉
  0 ┤⣀⣀⠤⠤⠔⠒⠊⠉
    └┬────────────────┬────────────────┬
     0                5               10
                    x (s)
`)
})

test('a heatmap, with the bar of its shades', () => {
  const [a, b] = product([1, 2, 3, 4], ['low', 'high'])
  const lines = linesOf(
    { explored: { a, b }, results: { z: a.map((each) => each * 10) } },
    { kind: 'heatmap' },
    60,
  )
  expect(lines.join('\n')).toBe(`job.h5 · sweep
8 runs

b
     │░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
high ┤░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
     │░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
     │░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
 low ┤░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
     │░░░░░░░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓████████
     └───┬───────┬───────┬───────┬────
         1       2       3       4
                     a
z  10 ░░░░░░▒▒▒▒▒▒▓▓▓▓▓▓██████ 40
`)
})

test('without colours, marks tell series apart; with colours, the legend has them', () => {
  const given = { explored: { x: [1, 2, 1, 2], p: ['a', 'a', 'b', 'b'] }, results: { z: [1, 2, 3, 4] } }
  const { figure } = makeFigure(plotSource(given), {})
  if (figure === undefined) throw new Error('no figure')
  const plain = drawTerminal(figure, { width: 60, isColoured: false })
  expect(plain).toMatch(/^p {2}o a {2}x b$/m)
  expect(plain).not.toContain('\u001b')
  const coloured = drawTerminal(figure, { width: 60, isColoured: true })
  expect(coloured).toContain('\u001b[38;5;33m●\u001b[39m a')
})

test('the terminal decides the width, within limits; a pipe has 80 columns', () => {
  expect([undefined, 10, 72, 100, 500].map(widthOf)).toEqual([80, 40, 72, 100, 120])
})

test('texts of the file cannot control the terminal', () => {
  const nasty = '\u001b[31mred\u0007\u202e\nnext'
  const text = linesOf(
    {
      explored: { [nasty]: [1, 2, 1, 2], p: [nasty, nasty, 'b', 'b'] },
      results: { [nasty.repeat(3)]: [1, 2, 3, 4] },
      units: { [nasty]: nasty },
    },
    {},
  ).join('\n')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
})

const value = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    1,
    5e-324,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
)
const name = fc.oneof(
  fc.constantFrom('x', '温度', 'a long name of a parameter that fits nowhere', '👩‍🔬'),
  fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
)

/** Columns of one length, with all kinds of values. */
const givens: fc.Arbitrary<Given> = fc
  .record({
    runCount: fc.integer({ min: 1, max: 60 }),
    names: fc.uniqueArray(name, { minLength: 4, maxLength: 4 }),
  })
  .chain(({ runCount, names: [a = '', b = '', c = '', d = ''] }) => {
    const column = <Each>(of: fc.Arbitrary<Each>) =>
      fc.array(of, { minLength: runCount, maxLength: runCount })
    const numbers = column(fc.option(value, { nil: undefined, freq: 8 }))
    return fc.record({
      explored: fc.oneof(
        fc.record({ [a]: column(value) }),
        fc.record({
          [a]: column(fc.constantFrom(1, 10, 100)),
          [b]: column(fc.constantFrom('p', '漢字', 'r')),
        }),
        fc.record({
          [a]: column(fc.constantFrom(1, 2, 3)),
          [b]: column(fc.constantFrom(5, 6)),
          [c]: column(value),
        }),
      ),
      results: fc.oneof(
        fc.record({ [`${d}z`]: numbers }),
        fc.record({ [`${d}z`]: column(fc.array(value, { maxLength: 20 })) }),
      ),
    })
  })

test('whatever the values, each kind is drawn or refused, and no line is too wide', () => {
  const kinds = fc.constantFrom(undefined, ...PLOT_KINDS)
  const property = fc.property(
    givens,
    kinds,
    fc.integer({ min: 40, max: 120 }),
    fc.boolean(),
    (given, kind, width, isColoured) => {
      const figure = made(given, kind)
      if (figure === undefined) return
      const lines = drawTerminal(figure, { width, isColoured }).split('\n')
      for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(width)
      expect(lines.join('')).not.toMatch(/undefined|NaN/)
    },
  )
  fc.assert(property, { numRuns: 400 })
})

/** Undefined if the user gets an error instead. */
function made(given: Given, kind: string | undefined) {
  try {
    return makeFigure(plotSource(given), { kind }).figure
  } catch (error) {
    expect(error).toMatchObject({ code: 'PYPET_USAGE' })
    return undefined
  }
}
