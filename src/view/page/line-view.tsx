/** One-dimensional arrays as lines. Drag to zoom, double-click to see all. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { categoryColour, pagePalette, rgbText } from './colours.ts'
import { shortText } from './number-text.ts'
import type { RunArray } from './run-array.ts'
import { useThemeVersion } from './theme.ts'

const HEIGHT_PX = 160

interface LineViewProps {
  readonly name: string
  readonly unit: string
  readonly arrays: readonly RunArray[]
}

export function LineView({ name, unit, arrays }: LineViewProps) {
  const box = useRef<HTMLDivElement>(null)
  const themeVersion = useThemeVersion()
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const plot = new uPlot(optionsFor(name, unit, arrays, element.clientWidth), dataOf(arrays), element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [arrays, themeVersion])
  const [own] = arrays
  return (
    <div
      class="line"
      ref={box}
      role="img"
      aria-label={`${name}: ${own?.numbers.length ?? 0} values${arrays.length > 1 ? ` of ${arrays.length} runs` : ''}`}
    />
  )
}

function dataOf(arrays: readonly RunArray[]): uPlot.AlignedData {
  const length = Math.max(0, ...arrays.map(({ numbers }) => numbers.length))
  const xs = Array.from({ length }, (_, index) => index)
  const lines = arrays.flatMap(({ numbers, imaginary }) => [
    numbers,
    ...(imaginary === undefined ? [] : [imaginary]),
  ])
  // A gap is null there.
  const drawn = lines.map((numbers) =>
    xs.map((index) => (Number.isFinite(numbers[index]) ? numbers[index] : null)),
  )
  return [xs, ...drawn] as uPlot.AlignedData
}

function optionsFor(name: string, unit: string, arrays: readonly RunArray[], width: number): uPlot.Options {
  const palette = pagePalette()
  const axis: uPlot.Axis = {
    stroke: palette.soft,
    grid: { stroke: palette.line, width: 1 },
    ticks: { stroke: palette.line, width: 1 },
    font: '11px system-ui, sans-serif',
  }
  const series = arrays.flatMap(({ run, imaginary, textAt }, index): uPlot.Series[] => {
    const line = (label: string, colour: string): uPlot.Series => ({
      label,
      stroke: colour,
      width: 1,
      points: { show: false },
      value: (_plot, _number, _series, at) => (at === null ? '' : textAt(at)),
    })
    const own = index === 0 ? palette.accent : rgbText(categoryColour(index))
    const label = arrays.length === 1 ? name : `run ${run}`
    return imaginary === undefined
      ? [line(label, own)]
      : [line(`${label}, real`, own), line(`${label}, imaginary`, rgbText(categoryColour(index + 1)))]
  })
  return {
    width,
    height: HEIGHT_PX,
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 26, values: (_plot, ticks) => ticks.map(shortText) },
      {
        ...axis,
        size: 52,
        values: (_plot, ticks) => ticks.map(shortText),
        ...(unit !== '' && { label: unit, labelSize: 16, labelFont: '11px system-ui, sans-serif' }),
      },
    ],
    series: [{ label: 'index' }, ...series],
    legend: { live: true },
    cursor: { drag: { x: true, y: false } },
  }
}
