import type { Legend } from '../figure.ts'

/** By Okabe and Ito: most colour-blind readers can tell them apart. */
const SERIES = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#000000',
  '#999999',
] as const
/** Viridis, in equal steps. */
const RAMP = [
  '#440154',
  '#482878',
  '#3e4989',
  '#31688e',
  '#26828e',
  '#1f9e89',
  '#35b779',
  '#6ece58',
  '#b5de2b',
  '#fde725',
]

export const GREY = '#999999'

/** @param share from 0 to 1 */
export function rampColor(share: number): string {
  if (!(share >= 0 && share <= 1)) return GREY
  const place = share * (RAMP.length - 1)
  const index = Math.min(RAMP.length - 2, Math.floor(place))
  const [low, high] = [RAMP[index] as string, RAMP[index + 1] as string]
  const part = (start: number) => {
    const [from, to] = [low, high].map((color) => Number.parseInt(color.slice(start, start + 2), 16)) as [
      number,
      number,
    ]
    return Math.round(from + (to - from) * (place - index))
      .toString(16)
      .padStart(2, '0')
  }
  return `#${part(1)}${part(3)}${part(5)}`
}

/** Ordered series take the colours of the ramp, but for its lightest end. */
export function seriesColor(legend: Legend, index: number): string {
  if (legend.kind !== 'series' || !legend.isOrdered) return SERIES[index % SERIES.length] as string
  return rampColor(legend.names.length < 2 ? 0 : (0.92 * index) / (legend.names.length - 1))
}
