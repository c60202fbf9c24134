/** All runs that are left, in one order. Only what is visible is in the document, so a million rows are as fast as ten. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ViewColumn } from '../view-protocol.ts'
import { ColumnChooser } from './column-chooser.tsx'
import type { Model } from './model.ts'
import { countText, durationText, timeTexts } from './number-text.ts'
import { TableExport } from './table-export.tsx'
import { useModel } from './use-model.ts'

const ROW_PX = 24
const COLUMN_PX = 104
const WIDE_PX = 320
/** Browsers stop at about 17 million. Longer tables scroll faster than the wheel turns. */
const HEIGHT_PX_MAX = 8_000_000
/** Rows above and below what is visible, so that a quick wheel meets no gap. */
const SPARE_ROWS = 6

export function Table() {
  const model = useModel()
  const { rows } = model
  const names = model.tableColumns
  const columns = names.flatMap((name) => model.state?.columns.find((column) => column.name === name) ?? [])
  const scroll = useScroll(model, rows.length)
  const { first, last, topPx, heightPx } = scroll.visible
  const widths = columns.map(widthOf)
  const shown = columnsIn(widths, scroll.left, scroll.width)
  const totalWidth = widths.reduce((sum, width) => sum + width, 0)
  return (
    <section class="table" aria-label="Runs">
      <div class="tools">
        <JumpField model={model} onJump={scroll.showRun} />
        <ColumnChooser />
        <TableExport />
        {model.waitingCount > 0 && (
          <button type="button" class="news" onClick={() => model.sortAgain()}>
            {countText(model.waitingCount)} new: sort again
          </button>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys */}
      <div class="scroller" ref={scroll.ref} tabIndex={0} onScroll={scroll.onScroll}>
        {/* A table element cannot leave out most of its rows, so roles stand for its parts. */}
        <div
          role="grid"
          aria-rowcount={rows.length + 1}
          aria-colcount={columns.length}
          aria-label="Table of runs"
          aria-busy={model.isSorting}
          class="grid"
          style={{ width: `${totalWidth}px`, height: `${heightPx + ROW_PX}px` }}
        >
          <div role="row" class="head" aria-rowindex={1} tabIndex={-1}>
            {shown.map(({ index, left }) => (
              <Head
                key={names[index]}
                column={columns[index] as ViewColumn}
                left={left}
                index={index}
                width={widths[index] as number}
              />
            ))}
          </div>
          {Array.from({ length: Math.max(0, last - first) }, (_, at) => {
            const position = first + at
            const run = rows[position] as number
            return (
              <Row key={run} model={model} run={run} position={position} top={topPx + at * ROW_PX}>
                {shown.map(({ index, left }) => (
                  <CellOf
                    key={names[index]}
                    model={model}
                    column={columns[index] as ViewColumn}
                    run={run}
                    left={left}
                    width={widths[index] as number}
                    index={index}
                  />
                ))}
              </Row>
            )
          })}
        </div>
        {rows.length === 0 && <p class="empty">No run matches. Escape takes back the last narrowing.</p>}
      </div>
    </section>
  )
}

function Head({
  column,
  left,
  width,
  index,
}: {
  readonly column: ViewColumn
  readonly left: number
  readonly width: number
  readonly index: number
}) {
  const model = useModel()
  const { sort } = model.looked
  const { name, unit } = column
  const direction = sort?.name !== name ? 'none' : sort.isDescending ? 'descending' : 'ascending'
  return (
    <div
      role="columnheader"
      tabIndex={-1}
      aria-colindex={index + 1}
      aria-sort={direction}
      style={{ left: `${left}px`, width: `${width}px` }}
      class={isNumeric(column) ? 'number' : ''}
    >
      <button
        type="button"
        title={describe(column)}
        // Arrays have no order.
        disabled={!column.isSingle}
        onClick={() => model.sortBy(name)}
      >
        {name}
        {unit !== '' && <small> {unit}</small>}
        {direction === 'none' ? '' : direction === 'ascending' ? ' ▴' : ' ▾'}
      </button>
    </div>
  )
}

function describe({ fullName, kind, dtype, shape, unit, comment }: ViewColumn): string {
  const type = shape === undefined || shape.length === 0 ? dtype : `${dtype} [${shape.join(' × ')}]`
  return [fullName, `${kind}, ${type}${unit === '' ? '' : `, in ${unit}`}`, comment]
    .filter(Boolean)
    .join('\n')
}

function Row({
  model,
  run,
  position,
  top,
  children,
}: {
  readonly model: Model
  readonly run: number
  readonly position: number
  readonly top: number
  readonly children: preact.ComponentChildren
}) {
  const status = model.column('status')
  const isFailed = status?.text(run) === 'failed'
  const isMissing = status?.text(run) === 'missing'
  const classes = [
    'row',
    isFailed && 'failed',
    isMissing && 'missing',
    run === model.hovered && 'hovered',
    run === model.looked.run && 'open',
  ]
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter do the same (keys.ts)
    <div
      role="row"
      tabIndex={-1}
      aria-rowindex={position + 2}
      aria-selected={run === model.looked.run}
      class={classes.filter(Boolean).join(' ')}
      style={{ transform: `translateY(${top + ROW_PX}px)` }}
      onClick={() => model.look({ run })}
      onMouseMove={(event) => {
        // Rows that scroll below a pointer at rest are not pointed at.
        if (run === model.hovered || (event.movementX === 0 && event.movementY === 0)) return
        model.hovered = run
        model.announce()
      }}
    >
      {children}
    </div>
  )
}

function CellOf({
  model,
  column,
  run,
  left,
  width,
  index,
}: {
  readonly model: Model
  readonly column: ViewColumn
  readonly run: number
  readonly left: number
  readonly width: number
  readonly index: number
}) {
  const { text, full } = cellTexts(model, column, run)
  return (
    <div
      role="gridcell"
      tabIndex={-1}
      aria-colindex={index + 1}
      class={isNumeric(column) ? 'number' : ''}
      style={{ left: `${left}px`, width: `${width}px` }}
      title={full}
    >
      {text}
    </div>
  )
}

function cellTexts(
  model: Model,
  column: ViewColumn,
  run: number,
): { readonly text: string; readonly full: string } {
  if (!column.isSingle) {
    const isStored = model.column('status')?.text(run) === 'stored'
    return { text: isStored || column.kind === 'parameter' ? 'array' : '–', full: 'open the run to see it' }
  }
  const values = model.column(column.name)
  if (values === undefined) return { text: '', full: '' }
  const full = values.fullText(run)
  if (values.has[run] !== 1 || column.kind !== 'fact') return { text: values.text(run), full }
  const number = values.numbers[run] as number
  if (column.name === 'runtime') return { text: durationText(number), full: `${full} s` }
  if (column.name === 'start') return timeTexts(number)
  return { text: values.text(run), full }
}

function isNumeric({ dtype, name }: ViewColumn): boolean {
  return dtype !== 'str' && dtype !== 'bool' && name !== 'start'
}

function widthOf({ name, dtype, unit }: ViewColumn): number {
  if (name === 'failure') return WIDE_PX
  if (name === 'start') return 1.6 * COLUMN_PX
  if (name === 'run') return 0.8 * COLUMN_PX
  const letters = name.length + (unit === '' ? 0 : unit.length + 1)
  return Math.min(2 * COLUMN_PX, Math.max(dtype === 'str' ? COLUMN_PX : 0.9 * COLUMN_PX, 7.5 * letters + 28))
}

/** The columns that are visible at this position. */
function columnsIn(widths: readonly number[], left: number, width: number) {
  const shown: { readonly index: number; readonly left: number }[] = []
  let at = 0
  for (const [index, own] of widths.entries()) {
    if (at + own > left - COLUMN_PX && at < left + width + COLUMN_PX) shown.push({ index, left: at })
    at += own
  }
  return shown
}

/** Where the table is scrolled to, and which rows that shows. */
function useScroll(model: Model, rowCount: number) {
  const ref = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState({ top: 0, left: 0, height: 400, width: 800 })
  const measure = () => {
    const element = ref.current
    if (element === null) return
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = element
    setPlace({ top: scrollTop, left: scrollLeft, height: clientHeight, width: clientWidth })
  }
  useLayoutEffect(() => {
    measure()
    const observer = new ResizeObserver(measure)
    if (ref.current !== null) observer.observe(ref.current)
    return () => observer.disconnect()
  }, [])
  const visible = visibleRows(rowCount, place.top, Math.max(0, place.height - ROW_PX))
  const showRun = (run: number) => {
    const position = model.rows.indexOf(run)
    const element = ref.current
    if (position < 0 || element === null) return false
    const { scrollTop, clientHeight } = element
    const inner = clientHeight - ROW_PX
    const now = visibleRows(rowCount, scrollTop, inner)
    if (position >= now.firstWhole && position < now.firstWhole + Math.floor(inner / ROW_PX)) return true
    const ahead = Math.max(0, position - Math.floor(inner / ROW_PX / 2))
    const whole = rowCount * ROW_PX
    const height = Math.min(whole, HEIGHT_PX_MAX)
    element.scrollTop =
      whole === height ? ahead * ROW_PX : (ahead / (rowCount - inner / ROW_PX)) * (height - inner)
    return true
  }
  // The keys move the row that was pointed at, and the plots choose runs.
  useEffect(() => {
    if (model.looked.run !== undefined) showRun(model.looked.run)
  }, [model.looked.run])
  useEffect(() => {
    if (model.hovered !== undefined && ref.current?.matches(':hover') === false) showRun(model.hovered)
  }, [model.hovered])
  useEffect(() => {
    if (model.hovered !== undefined) showRun(model.hovered)
  }, [model.stepCount])
  return { ref, onScroll: measure, visible, left: place.left, width: place.width, showRun }
}

function visibleRows(rowCount: number, scrollTop: number, innerPx: number) {
  const whole = rowCount * ROW_PX
  const heightPx = Math.min(whole, HEIGHT_PX_MAX)
  const exactFirst =
    whole === heightPx || heightPx <= innerPx
      ? scrollTop / ROW_PX
      : (scrollTop / (heightPx - innerPx)) * (rowCount - innerPx / ROW_PX)
  const first = Math.max(0, Math.floor(exactFirst) - SPARE_ROWS)
  const last = Math.min(rowCount, Math.ceil(exactFirst + innerPx / ROW_PX) + SPARE_ROWS)
  return {
    first,
    last,
    heightPx,
    firstWhole: Math.ceil(exactFirst),
    topPx: scrollTop - (exactFirst - first) * ROW_PX,
  }
}

function JumpField({ model, onJump }: { readonly model: Model; readonly onJump: (run: number) => boolean }) {
  const [isUnknown, setUnknown] = useState(false)
  return (
    <form
      class="jump"
      onSubmit={(event) => {
        event.preventDefault()
        const text = new FormData(event.currentTarget).get('run')
        const run = Number(text)
        const isShown = text !== '' && Number.isInteger(run) && onJump(run)
        setUnknown(!isShown)
        if (!isShown) return
        model.hovered = run
        model.look({ run })
        document.querySelector<HTMLElement>('#jump')?.blur()
      }}
    >
      <label for="jump">run</label>
      <input id="jump" name="run" inputMode="numeric" size={7} autocomplete="off" aria-invalid={isUnknown} />
      {isUnknown && <span class="problem">not among these runs</span>}
    </form>
  )
}
