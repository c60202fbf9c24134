/** An array of a run: a line, or an image. Of more than two axes, the first ones have a slider each. */
import { useEffect, useState } from 'preact/hooks'
import type { RunItem } from '../view-protocol.ts'
import { problemText } from './api.ts'
import { ImageView } from './image-view.tsx'
import { LineView } from './line-view.tsx'
import type { Model } from './model.ts'
import { countText } from './number-text.ts'
import { type RunArray, readRunArray } from './run-array.ts'

/** More are too many for a screen and for the memory of a page. */
const ELEMENTS_MAX = 1_000_000

interface ArrayViewProps {
  readonly model: Model
  readonly item: RunItem
  readonly run: number
}

export function ArrayView({ model, item, run }: ArrayViewProps) {
  const shape = item.value.form === 'array' ? item.value.shape : []
  const [indices, setIndices] = useState<readonly number[]>(shape.slice(0, -2).map(() => 0))
  const { slice, note } = sliceOf(shape, indices)
  const overlaid = shape.length === 1 ? model.looked.overlaid.filter((each) => each !== run) : []
  const { arrays, problem } = useArrays(item.name, [run, ...overlaid], slice)
  const [own] = arrays
  if (shape.includes(0)) return <p class="notes">empty</p>
  if (problem !== undefined) return <p class="problem">{problem}</p>
  return (
    <>
      {shape.slice(0, -2).map((size, axis) => (
        <label class="choice" key={axis}>
          axis {axis}
          <input
            type="range"
            min={0}
            max={size - 1}
            value={indices[axis] ?? 0}
            onInput={(event) => {
              const chosen = Number(event.currentTarget.value)
              setIndices((before) => before.map((index, at) => (at === axis ? chosen : index)))
            }}
          />
          <span class="slice">{indices[axis] ?? 0}</span>
        </label>
      ))}
      {own === undefined ? (
        <p class="notes">Loading…</p>
      ) : shape.length === 1 ? (
        <LineView name={item.name} unit={item.unit} arrays={arrays} />
      ) : (
        <ImageView name={item.name} array={own} />
      )}
      {note !== '' && <p class="notes">{note}</p>}
    </>
  )
}

/** As much as can be drawn, from the start. */
function sliceOf(shape: readonly number[], indices: readonly number[]) {
  const [rows = 1, columns = 1] = shape.length === 1 ? [shape[0], 1] : shape.slice(-2)
  const shownColumns = shape.length === 1 ? 1 : Math.min(columns, ELEMENTS_MAX)
  const shownRows = Math.min(rows, Math.max(1, Math.floor(ELEMENTS_MAX / shownColumns)))
  const leading = shape.slice(0, -2).map((_, axis) => `${indices[axis] ?? 0}:${(indices[axis] ?? 0) + 1}`)
  const last = shape.length === 1 ? [`0:${shownRows}`] : [`0:${shownRows}`, `0:${shownColumns}`]
  const isWhole = shownRows === rows && (shape.length === 1 || shownColumns === columns)
  const note = isWhole
    ? ''
    : `the first ${countText(shownRows * shownColumns)} of ${countText(rows * columns)} elements`
  return { slice: [...leading, ...last].join(','), note }
}

/** The arrays of these runs, in this order; runs without one are left out. */
function useArrays(column: string, runs: readonly number[], slice: string) {
  const [found, setFound] = useState<{ readonly arrays: readonly RunArray[]; readonly problem?: string }>({
    arrays: [],
  })
  useEffect(() => {
    let isCurrent = true
    const read = async () => {
      const arrays: RunArray[] = []
      let problem: string | undefined
      for (const [index, run] of runs.entries()) {
        try {
          arrays.push(await readRunArray(run, column, slice))
        } catch (error) {
          if (index === 0) problem = problemText(error)
        }
      }
      if (isCurrent) setFound(problem === undefined ? { arrays } : { arrays, problem })
    }
    void read()
    return () => {
      isCurrent = false
    }
  }, [column, runs.join(), slice])
  return found
}
