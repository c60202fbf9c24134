/** A grid of characters to draw on. Dots are those of braille: two by four in each character. */
import { charactersOf, textWidth } from '../../reporting/text-width.ts'
import type { Ink, Painter } from './ink.ts'

export interface Canvas {
  readonly columns: number
  readonly rows: number
  /** In dots: from 0 to `2 * columns - 1` and `4 * rows - 1`, from the top. Others are ignored. */
  dot(x: number, y: number, ink?: Ink): void
  /** @param every draws only every n-th dot */
  line(from: Dot, to: Dot, ink?: Ink, every?: number): void
  /** Text over the dots. What does not fit is left out. */
  text(column: number, row: number, text: string, ink?: Ink): void
  lines(paint: Painter): string[]
}

type Dot = readonly [x: number, y: number]

/** Bits of the dots, by column and row. */
const BITS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const
const BLANK_BRAILLE = 0x2800

export function newCanvas(columns: number, rows: number): Canvas {
  const dots = new Uint8Array(columns * rows)
  const inks: Ink[] = []
  const texts: (string | undefined)[] = []
  const dot: Canvas['dot'] = (x, y, ink) => {
    if (!(x >= 0 && x < 2 * columns && y >= 0 && y < 4 * rows)) return
    const cell = Math.floor(y / 4) * columns + Math.floor(x / 2)
    const bit = (BITS[x % 2] as readonly number[])[y % 4] as number
    dots[cell] = (dots[cell] as number) | bit
    inks[cell] = ink
  }
  return {
    columns,
    rows,
    dot,
    line([fromX, fromY], [toX, toY], ink, every = 1) {
      const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1)
      for (let step = 0; step <= steps; step += every) {
        const share = step / steps
        dot(Math.round(fromX + (toX - fromX) * share), Math.round(fromY + (toY - fromY) * share), ink)
      }
    },
    text(column, row, text, ink) {
      if (row < 0 || row >= rows) return
      let at = column
      for (const character of charactersOf(text)) {
        const width = textWidth(character)
        if (at >= 0 && at + width <= columns && width > 0) {
          const cell = row * columns + at
          texts[cell] = character
          inks[cell] = ink
          // The second half of a wide character.
          for (let more = 1; more < width; more += 1) texts[cell + more] = ''
        }
        at += width
      }
    },
    lines(paint) {
      return Array.from({ length: rows }, (_, row) => {
        let line = ''
        for (let start = row * columns; start < (row + 1) * columns; ) {
          let end = start + 1
          while (end < (row + 1) * columns && inks[end] === inks[start]) end += 1
          let part = ''
          for (let cell = start; cell < end; cell += 1) {
            const bits = dots[cell] as number
            part += texts[cell] ?? (bits === 0 ? ' ' : String.fromCharCode(BLANK_BRAILLE + bits))
          }
          line += paint(part, inks[start])
          start = end
        }
        return line.trimEnd()
      })
    },
  }
}
