/** A two-dimensional array as an image, with a colour bar. Drag to zoom, double-click to see all. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { viridis } from './colours.ts'
import { shortText } from './number-text.ts'
import { rangeOf } from './range.ts'
import type { RunArray } from './run-array.ts'

interface Part {
  readonly row: number
  readonly column: number
  readonly rowCount: number
  readonly columnCount: number
}

interface Place {
  readonly row: number
  readonly column: number
}

const HEIGHT_PX_MAX = 320
const BAR_STEPS = 128

export function ImageView({ name, array }: { readonly name: string; readonly array: RunArray }) {
  const [rows = 1, columns = 1] = array.shape.slice(-2)
  const whole: Part = { row: 0, column: 0, rowCount: rows, columnCount: columns }
  const [part, setPart] = useState(whole)
  const [pointed, setPointed] = useState<Place | undefined>()
  const [from, setFrom] = useState<Place | undefined>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [least, most] = rangeOf(array.numbers)
  useEffect(() => setPart(whole), [rows, columns])
  useEffect(() => draw(canvas.current, array, columns, part, [least, most]), [array, part])
  const placeOf = (event: PointerEvent): Place => {
    const { clientWidth, clientHeight } = event.currentTarget as HTMLCanvasElement
    const at = (offset: number, size: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor((offset / size) * count)))
    return {
      row: part.row + at(event.offsetY, clientHeight, part.rowCount),
      column: part.column + at(event.offsetX, clientWidth, part.columnCount),
    }
  }
  const zoom = (to: Place) => {
    if (from !== undefined && from.row !== to.row && from.column !== to.column) {
      setPart({
        row: Math.min(from.row, to.row),
        column: Math.min(from.column, to.column),
        rowCount: Math.abs(from.row - to.row) + 1,
        columnCount: Math.abs(from.column - to.column) + 1,
      })
    }
    setFrom(undefined)
  }
  const isZoomed = part.rowCount !== rows || part.columnCount !== columns
  return (
    <div class="image">
      <div class="image-row">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${name}: ${rows} × ${columns} values from ${least} to ${most}`}
          style={{ aspectRatio: `${part.columnCount} / ${part.rowCount}`, maxHeight: `${HEIGHT_PX_MAX}px` }}
          onPointerMove={(event) => setPointed(placeOf(event))}
          onPointerLeave={() => setPointed(undefined)}
          onPointerDown={(event) => setFrom(placeOf(event))}
          onPointerUp={(event) => zoom(placeOf(event))}
          onDblClick={() => setPart(whole)}
        />
        <ColourBar least={least} most={most} />
      </div>
      <p class="notes">
        {pointed === undefined
          ? isZoomed
            ? `rows ${part.row} to ${part.row + part.rowCount - 1}, columns ${part.column} to ${part.column + part.columnCount - 1}; double-click to see all`
            : `${rows} × ${columns}; drag to zoom`
          : `[${pointed.row}, ${pointed.column}] = ${array.textAt(pointed.row * columns + pointed.column)}`}
      </p>
    </div>
  )
}

/** NaN stays empty. */
function draw(
  canvas: HTMLCanvasElement | null,
  { numbers }: RunArray,
  columns: number,
  part: Part,
  [least, most]: readonly [number, number],
): void {
  const context = canvas?.getContext('2d')
  if (canvas === null || context === null || context === undefined) return
  canvas.width = part.columnCount
  canvas.height = part.rowCount
  const image = context.createImageData(part.columnCount, part.rowCount)
  for (let row = 0; row < part.rowCount; row += 1) {
    for (let column = 0; column < part.columnCount; column += 1) {
      const number = numbers[(part.row + row) * columns + part.column + column] as number
      if (Number.isNaN(number)) continue
      const colour = viridis((number - least) / (most - least || 1))
      image.data.set([...colour, 255], 4 * (row * part.columnCount + column))
    }
  }
  context.putImageData(image, 0, 0)
}

function ColourBar({ least, most }: { readonly least: number; readonly most: number }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined) return
    const image = context.createImageData(1, BAR_STEPS)
    for (let step = 0; step < BAR_STEPS; step += 1) {
      image.data.set([...viridis(1 - step / (BAR_STEPS - 1)), 255], 4 * step)
    }
    context.putImageData(image, 0, 0)
  }, [])
  return (
    <div class="bar">
      <span title={String(most)}>{shortText(most)}</span>
      <canvas ref={canvas} width={1} height={BAR_STEPS} />
      <span title={String(least)}>{shortText(least)}</span>
    </div>
  )
}
