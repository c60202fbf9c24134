/** What the space shows: as the user has chosen, or a guess. */
import type { ViewColumn } from '../view-protocol.ts'
import type { ViewKind } from './address.ts'
import type { Model } from './model.ts'
import { DISTINCT_COLOURS_MAX } from './plot.ts'

/** One explored number opens as a line of means, two as a heatmap, more as parallel coordinates. */
export function chosenView(model: Model): ViewKind {
  const explored = exploredNumbers(model)
  const guess = explored.length === 1 ? 'scatter' : explored.length === 2 ? 'heatmap' : 'parallel'
  return model.looked.view ?? guess
}

export interface ChosenNames {
  readonly x: string | undefined
  readonly y: string | undefined
  readonly color: string | undefined
}

export function chosenNames(model: Model): ChosenNames {
  const { x, y, color } = model.looked
  const view = chosenView(model)
  const explored = exploredNumbers(model)
  const singles = (model.state?.columns ?? []).filter(({ isSingle, kind }) => isSingle && kind !== 'fact')
  const results = singles.filter(
    ({ kind, dtype }) => kind === 'result' && dtype !== 'str' && dtype !== 'bool',
  )
  const [first, second] = [
    ...explored,
    ...singles.filter((each) => !explored.includes(each) && !each.isConstant),
  ]
  switch (view) {
    case 'parallel':
      return { x, y, color }
    case 'scatter': {
      const ownX = x ?? first?.name
      return {
        x: ownX,
        y: y ?? results[0]?.name ?? second?.name,
        color: color === undefined ? fewValued(model, explored, ownX) : color === 'none' ? undefined : color,
      }
    }
    case 'heatmap': {
      const ownColor = color === undefined || color === 'none' ? results[0]?.name : color
      return { x: x ?? first?.name, y: y ?? second?.name, color: ownColor ?? second?.name }
    }
    case 'histogram':
      return { x: x ?? results[0]?.name ?? first?.name, y, color }
  }
}

/** Repeats are no dimension. */
function exploredNumbers(model: Model): readonly ViewColumn[] {
  const columns = model.state?.columns ?? []
  return columns.filter(
    ({ isExplored, isSingle, dtype, name }) => isExplored && isSingle && dtype !== 'str' && name !== 'trial',
  )
}

function fewValued(model: Model, explored: readonly ViewColumn[], x: string | undefined): string | undefined {
  return explored.find(({ name }) => {
    const column = name === x ? undefined : model.column(name)
    return column !== undefined && column.distinct(DISTINCT_COLOURS_MAX) !== undefined
  })?.name
}
