/** Colours of a terminal with 256 of them. */

/** A colour, or undefined for the terminal's own. */
export type Ink = number | undefined

/** Colours a text, or leaves it as it is where colours are off. */
export type Painter = (text: string, ink: Ink) => string

export function painterOf(isColoured: boolean): Painter {
  return (text, ink) =>
    isColoured && ink !== undefined && text.trim() !== '' ? `\u001b[38;5;${ink}m${text}\u001b[39m` : text
}

/** Grey that can be read on dark and light. */
export const DIM: Ink = 245

/** Can be told apart, also by most colour-blind readers, on dark and light. */
const SERIES: readonly number[] = [33, 208, 36, 170, 142, 203, 99, 245]

export function seriesInk(index: number): Ink {
  return SERIES[index % SERIES.length]
}

/** From dark to light, as viridis, but without colours that vanish on black or white. */
const RAMP: readonly number[] = [57, 63, 69, 33, 38, 37, 36, 35, 71, 77, 113, 149, 185, 220]

/** @param share from 0 to 1 */
export function rampInk(share: number): Ink {
  return Number.isNaN(share) ? DIM : RAMP[Math.round(share * (RAMP.length - 1))]
}

const SHADES = ['░', '▒', '▓', '█'] as const

/** Without colours. @param share from 0 to 1 */
export function shadeOf(share: number): string {
  return Number.isNaN(share) ? ' ' : (SHADES[Math.min(3, Math.floor(share * 4))] as string)
}

/** Marks for series where colours are off. */
const MARKS = 'ox+*#@%&abcdefghijkl'

export function markOf(index: number): string {
  return MARKS[index % MARKS.length] as string
}
