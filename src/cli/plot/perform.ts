/** The action of `pypet-ts plot <file>`. */
import { extname } from 'node:path'
import { PypetError } from '../../errors.ts'
import { checkOutput, writeOutput } from '../../export/write-output.ts'
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import type { Figure } from '../../plot/figure.ts'
import { type MadeFigure, makeFigure } from '../../plot/make-figure.ts'
import { drawTerminal, widthOf } from '../../plot/terminal/draw-terminal.ts'
import { coloursOf, type OutputStream } from '../../reporting/text-output.ts'
import { matchingRuns } from '../../results/query.ts'
import { readRunData } from '../../results/read-run-data.ts'
import type { RunData } from '../../results/run-data.ts'
import { storedText } from '../value-text.ts'

export interface PlotFlags {
  readonly trajectory?: string
  readonly x?: string
  readonly y?: string
  readonly color?: string
  readonly facet?: string
  readonly kind?: string
  readonly where?: string
  readonly to?: string
  readonly force?: boolean
}

/**
 * Draws a figure on the stream, or writes it to the file of `--to`. Notices go to stderr. Without a run to draw, only a
 * notice is printed.
 *
 * @throws PypetError as `readRunData`, `makeFigure` and `writeOutput`; `PYPET_USAGE` for an unknown ending
 */
export async function plotCommand(file: string, flags: PlotFlags, stream: OutputStream): Promise<void> {
  const options = { force: flags.force === true, forceName: '--force' }
  const ending = flags.to === undefined ? undefined : endingOf(flags.to)
  if (flags.to !== undefined) checkOutput(flags.to, options)
  if (knowsQuickening()) quickenH5wasm(TIERING.glance)
  const { figure, notices } = await readRunData(file, flags, (data) => figureOf(data, flags))
  for (const notice of notices) process.stderr.write(`${notice}\n`)
  if (figure === undefined) return
  if (flags.to === undefined || ending === undefined) {
    const isColoured = coloursOf(stream).isColorSupported
    const columns = stream.isTTY === true ? stream.columns : undefined
    stream.write(drawTerminal(figure, { width: widthOf(columns), isColoured }))
    return
  }
  const picture = await pictureOf(figure, ending)
  await writeOutput(flags.to, options, async ({ write }) => write(picture))
}

const ENDINGS = ['.svg', '.html'] as const
type Ending = (typeof ENDINGS)[number]

function endingOf(file: string): Ending {
  const found = extname(file).toLowerCase()
  const ending = ENDINGS.find((each) => each === found)
  if (ending !== undefined) return ending
  throw new PypetError(
    'PYPET_USAGE',
    `--to: expected a file ending in ${ENDINGS.join(' or ')}, found ${file}`,
    {
      where: '--to',
      hint: 'Write --to fig.svg. Without --to, the terminal shows the figure.',
    },
  )
}

function figureOf(data: RunData, flags: PlotFlags): MadeFigure {
  return makeFigure(
    {
      file: data.file,
      trajectory: data.trajectory,
      columns: data.columns,
      runs: selectedRuns(data, flags),
      find: (name) => data.find(name),
      read: (column, rows) => data.read(column, rows),
      textOf: storedText,
    },
    flags,
  )
}

function selectedRuns(data: RunData, { where }: PlotFlags): Uint32Array {
  return where === undefined
    ? Uint32Array.from({ length: data.runCount }, (_, run) => run)
    : matchingRuns(data, where, `--where ${where}`)
}

/** Loads what draws pictures, which is large. */
async function pictureOf(figure: Figure, ending: Ending): Promise<string> {
  const { drawHtml, drawSvg } = await import('../../plot/svg/svg-document.ts')
  return ending === '.svg' ? drawSvg(figure) : drawHtml(figure)
}
