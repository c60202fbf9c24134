/** All runs as a picture: one of four views, which narrows the runs when the user drags on it. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { VIEWS, type ViewKind } from './address.ts'
import { pagePalette } from './colours.ts'
import { narrowingText } from './commands.ts'
import { heatmapPlot } from './heatmap-plot.ts'
import { histogramPlot } from './histogram-plot.ts'
import type { Model } from './model.ts'
import { parallelPlot } from './parallel-plot.ts'
import { CanvasPen } from './pen.ts'
import { savePicture } from './picture.ts'
import type { Plot, PlotInput, Point, Size } from './plot.ts'
import { scatterPlot } from './scatter-plot.ts'
import { chosenNames, chosenView } from './space-choice.ts'
import { SpaceControls } from './space-controls.tsx'
import { useThemeVersion } from './theme.ts'
import { useModel } from './use-model.ts'

export function Space() {
  const model = useModel()
  const view = chosenView(model)
  const box = useRef<HTMLDivElement>(null)
  const size = useSize(box)
  const themeVersion = useThemeVersion()
  const { looked } = model
  const key = JSON.stringify([
    view,
    size,
    themeVersion,
    model.maskKey,
    model.dataVersion,
    chosenNames(model),
    model.axes,
    [...looked.scales],
    [...looked.slices],
  ])
  const plot = model.remember('plot', key, () => plotOf(view, { model, size, palette: pagePalette() }))
  return (
    <section class="space" aria-label="Space">
      <div class="tools">
        {VIEWS.map((each, index) => (
          <button
            type="button"
            key={each}
            aria-pressed={each === view}
            title={`Key ${index + 1}`}
            onClick={() => model.look({ view: each })}
          >
            {each}
          </button>
        ))}
        <SpaceControls view={view} />
        <span class="push" />
        {plot !== undefined && <SaveButtons model={model} plot={plot} size={size} />}
      </div>
      <div class="plot" ref={box}>
        {plot === undefined ? (
          <Empty model={model} />
        ) : (
          <Canvases model={model} plot={plot} size={size} plotKey={key} />
        )}
      </div>
      <p class="notes">{plot?.notes.join(' · ')}</p>
    </section>
  )
}

function plotOf(view: ViewKind, input: PlotInput): Plot | undefined {
  const { x, y, color } = chosenNames(input.model)
  if (input.size.width < 50 || input.size.height < 50) return undefined
  switch (view) {
    case 'parallel':
      return input.model.axes.length === 0 ? undefined : parallelPlot(input)
    case 'scatter':
      return x === undefined || y === undefined ? undefined : scatterPlot(input, { x, y, color })
    case 'heatmap':
      return x === undefined || y === undefined || color === undefined
        ? undefined
        : heatmapPlot(input, { x, y, color })
    case 'histogram':
      return x === undefined ? undefined : histogramPlot(input, x)
  }
}

function Empty({ model }: { readonly model: Model }) {
  const hasColumns = (model.state?.columns.filter(({ isSingle }) => isSingle).length ?? 0) > 0
  return <p class="empty">{hasColumns ? 'Loading…' : 'Nothing to draw yet.'}</p>
}

interface CanvasesProps {
  readonly model: Model
  readonly plot: Plot
  readonly size: Size
  /** Changes with the plot. */
  readonly plotKey: string
}

interface Drag {
  readonly from: Point
  readonly to: Point
  /** Further than a hand that clicks. */
  readonly hasMoved: boolean
}

/** The picture, and above it what follows the pointer, so that this costs nothing. */
function Canvases({ model, plot, size, plotKey }: CanvasesProps) {
  const base = useRef<HTMLCanvasElement>(null)
  const above = useRef<HTMLCanvasElement>(null)
  const [drag, setDrag] = useState<Drag | undefined>()
  useEffect(() => {
    const pen = penFor(base.current, size)
    if (pen !== undefined) plot.draw(pen)
  }, [plotKey])
  const { run } = model.looked
  useEffect(() => {
    const pen = penFor(above.current, size)
    if (pen === undefined) return
    for (const each of new Set([run, model.hovered])) if (each !== undefined) plot.mark(pen, each)
    if (drag === undefined) return
    const { from, to } = drag
    const { accent } = pagePalette()
    pen.rectangle(
      Math.min(from.x, to.x),
      Math.min(from.y, to.y),
      Math.max(1, Math.abs(to.x - from.x)),
      Math.max(1, Math.abs(to.y - from.y)),
      { colour: accent, opacity: 0.15 },
    )
  }, [plotKey, run, model.hovered, drag])
  const pointOf = (event: PointerEvent): Point => ({ x: event.offsetX, y: event.offsetY })
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return
    above.current?.setPointerCapture(event.pointerId)
    setDrag({ from: pointOf(event), to: pointOf(event), hasMoved: false })
  }
  const onMove = (event: PointerEvent) => {
    if (drag === undefined) {
      const hovered = plot.runAt(pointOf(event))
      if (hovered === model.hovered) return
      model.hovered = hovered
      model.announce()
      return
    }
    const to = pointOf(event)
    const hasMoved = drag.hasMoved || !isClick(drag.from, to)
    setDrag({ ...drag, to, hasMoved })
    const brush = hasMoved ? plot.brushOf(drag.from, to) : undefined
    if (brush !== undefined) model.brush(brush, false)
  }
  const onUp = (event: PointerEvent) => {
    if (drag === undefined) return
    setDrag(undefined)
    const to = pointOf(event)
    const hit = drag.hasMoved || !isClick(drag.from, to) ? undefined : plot.runAt(to)
    if (hit !== undefined) {
      model.hovered = hit
      model.look({ run: hit })
      return
    }
    // Without a range here, what was dragged so far stays.
    model.brush(plot.brushOf(drag.from, to) ?? {})
  }
  // What was dragged so far stays, and Escape takes it back.
  const onCancel = () => {
    if (drag?.hasMoved === true) model.brush({})
    setDrag(undefined)
  }
  return (
    <>
      <canvas ref={base} role="img" aria-label={plot.title} />
      <canvas
        ref={above}
        class="above"
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={onCancel}
      />
    </>
  )
}

function isClick(from: Point, to: Point): boolean {
  return Math.abs(from.x - to.x) < 3 && Math.abs(from.y - to.y) < 3
}

/** A pen for an empty canvas, in the pixels of the screen. */
function penFor(canvas: HTMLCanvasElement | null, { width, height }: Size): CanvasPen | undefined {
  const context = canvas?.getContext('2d')
  if (canvas === null || context === null || context === undefined) return undefined
  const scale = devicePixelRatio
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  context.scale(scale, scale)
  return new CanvasPen(context)
}

function useSize(box: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return size
}

function SaveButtons({
  model,
  plot,
  size,
}: {
  readonly model: Model
  readonly plot: Plot
  readonly size: Size
}) {
  const save = (format: 'svg' | 'png') => {
    const { state } = model
    if (state === undefined) return
    const narrowing = narrowingText(model)
    const source = [state.file, state.trajectory, narrowing].filter(Boolean).join(' · ')
    void savePicture(plot, size, pagePalette(), { title: plot.title, source }, format)
  }
  return (
    <>
      <button
        type="button"
        class="quiet"
        id="save-picture"
        onClick={() => save('png')}
        title="Save the picture (s)"
      >
        PNG
      </button>
      <button type="button" class="quiet" onClick={() => save('svg')} title="Save the picture">
        SVG
      </button>
    </>
  )
}
