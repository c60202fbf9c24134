/** Colours of pictures: viridis for magnitudes, Okabe and Ito's for categories. */

export type Rgb = readonly [red: number, green: number, blue: number]

/** What pictures take from the style of the page. */
export interface Palette {
  readonly paper: string
  readonly ink: string
  readonly soft: string
  readonly line: string
  readonly faint: string
  readonly accent: string
  readonly failed: string
  readonly isDark: boolean
}

export function pagePalette(): Palette {
  const probe = document.createElement('i')
  document.body.append(probe)
  const of = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const paper = of('paper')
  const palette = {
    paper,
    ink: of('ink'),
    soft: of('soft'),
    line: of('line'),
    faint: of('faint'),
    accent: of('accent'),
    failed: of('failed'),
    isDark: luminance(parseRgb(paper)) < 128,
  }
  probe.remove()
  return palette
}

export function parseRgb(text: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (text.match(/[\d.]+/g) ?? []).map(Number)
  return [red, green, blue]
}

export function rgbText([red, green, blue]: Rgb): string {
  return `rgb(${Math.round(red)}, ${Math.round(green)}, ${Math.round(blue)})`
}

function luminance([red, green, blue]: Rgb): number {
  return 0.3 * red + 0.59 * green + 0.11 * blue
}

/** Every 16th of the 256 colours of matplotlib's viridis. */
const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [72, 26, 108],
  [71, 47, 125],
  [65, 68, 135],
  [57, 86, 140],
  [49, 104, 142],
  [42, 120, 142],
  [35, 136, 142],
  [31, 152, 139],
  [34, 168, 132],
  [53, 183, 121],
  [84, 197, 104],
  [122, 209, 81],
  [165, 219, 54],
  [210, 226, 27],
  [253, 231, 37],
]

/** @param part from 0 to 1 */
export function viridis(part: number): Rgb {
  const at = Math.min(1, Math.max(0, part)) * (VIRIDIS.length - 1)
  const index = Math.min(VIRIDIS.length - 2, Math.floor(at))
  return mix(VIRIDIS[index] as Rgb, VIRIDIS[index + 1] as Rgb, at - index)
}

function mix(one: Rgb, other: Rgb, part: number): Rgb {
  return [0, 1, 2].map((at) => {
    const [from, to] = [one[at] as number, other[at] as number]
    return from + (to - from) * part
  }) as unknown as Rgb
}

const OKABE_ITO: readonly Rgb[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [240, 228, 66],
  [128, 128, 128],
]

export function categoryColour(index: number): Rgb {
  return OKABE_ITO[index % OKABE_ITO.length] as Rgb
}
