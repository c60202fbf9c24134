/** Makes a figure from the columns of a trajectory: chooses what to draw, reads it, and arranges it. */
import { plural } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { printable } from '../values/printable.ts'
import { arrayFigure } from './array-figure.ts'
import { choosePlot, type PlotChoice, type PlotOptions } from './choose-plot.ts'
import type { Explained, Figure } from './figure.ts'
import { heatmapFigure } from './heatmap-figure.ts'
import { histogramFigure } from './histogram-figure.ts'
import { parallelFigure } from './parallel-figure.ts'
import { type PlotSource, type StoredRuns, storedRuns } from './plot-source.ts'
import { seriesFigure } from './series-figure.ts'

export interface MadeFigure {
  /** Undefined if no run is stored. */
  readonly figure: Figure | undefined
  /** Lines for the user. */
  readonly notices: readonly string[]
}

/** @throws PypetError like `choosePlot`, and `PYPET_USAGE` if there are too many series or panels */
export function makeFigure(source: PlotSource, options: PlotOptions): MadeFigure {
  const runs = storedRuns(source)
  const absent = absentText(runs)
  if (runs.stored.length === 0) {
    const found = absent.length === 0 ? 'no run is selected' : `no run is stored: ${absent.join(', ')}`
    return { figure: undefined, notices: [found] }
  }
  const { choice, notices } = choosePlot(source, runs.stored, options)
  const { facts, ...figure } = drawingOf(source, runs.stored, choice)
  const subtitle = [plural(runs.stored.length, 'run'), ...absent, ...facts].join(' · ')
  return { figure: { title: titleOf(source), subtitle, ...figure }, notices }
}

function drawingOf(source: PlotSource, runs: Uint32Array, choice: PlotChoice): Explained {
  switch (choice.kind) {
    case 'line':
    case 'scatter':
      return seriesFigure(source, runs, choice)
    case 'arrays':
      return arrayFigure(source, runs, choice)
    case 'heatmap':
      return heatmapFigure(source, runs, choice)
    case 'histogram':
      return histogramFigure(source, runs, choice)
    case 'parallel':
      return parallelFigure(source, runs, choice)
  }
}

function titleOf({ file, trajectory }: PlotSource): string {
  return printable(`${shownPath(file)} · ${trajectory}`)
}

function absentText({ failedCount, missingCount }: StoredRuns): readonly string[] {
  return [
    ...(failedCount > 0 ? [`${failedCount} failed`] : []),
    ...(missingCount > 0 ? [`${missingCount} missing`] : []),
  ]
}
