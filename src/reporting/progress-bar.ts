import { SingleBar } from 'cli-progress'
import type { Reporter } from '../events.ts'
import { Notices } from './notices.ts'
import {
  type Clock,
  describeProgress,
  describeStart,
  formatPercent,
  type Progress,
  ProgressCounter,
} from './progress.ts'
import { coloursOf, type OutputStream, openTextOutput } from './text-output.ts'

/** Smooth enough for the eye; each redraw is a write to a possibly remote terminal. */
const REDRAWS_PER_SECOND = 8

/**
 * For terminals: one line that is redrawn in place, with failures and warnings above it.
 *
 * It does not hide the cursor or switch terminal modes, so nothing needs to be restored after a crash or a kill.
 * `close` leaves the last state of the bar, and the cursor on the next line.
 *
 * What the job prints, if it is not for the logs, is also shown above the bar.
 *
 * @param stream must be a terminal; elsewhere use `plainLines`
 * @param options.stderr receives what the job prints to stderr, unless that is also a terminal
 */
export function progressBar(
  stream: OutputStream,
  {
    clock = () => performance.now(),
    stderr,
  }: { readonly clock?: Clock; readonly stderr?: OutputStream } = {},
): Reporter {
  const errors = stderr === undefined || stderr.isTTY === true ? undefined : openTextOutput(stderr)
  const output = openTextOutput(stream)
  const counter = new ProgressCounter(clock)
  let isDrawn = false

  const bar = new SingleBar({
    stream,
    fps: REDRAWS_PER_SECOND,
    format: () => barLine(counter.snapshot(), stream.columns || COLUMNS_DEFAULT),
    // Cuts what is too long, instead of switching off line wrapping of the terminal.
    linewrap: true,
    hideCursor: false,
    gracefulExit: false,
    // The next redraw overwrites anything else that was printed on the line.
    forceRedraw: true,
  })

  const writeAbove = (line: string) => {
    if (!isDrawn) {
      output.write(`${line}\n`)
      return
    }
    output.write(`${LINE_START_AND_CLEAR}${line}\n`)
    bar.render()
  }
  const notices = new Notices(writeAbove, coloursOf(stream))

  return {
    emit(event) {
      counter.observe(event)
      notices.observe(event)
      switch (event.type) {
        case 'experiment-started':
          output.write(`${describeStart(event)}\n`)
          bar.start(event.runCount, 0)
          isDrawn = true
          return
        case 'log':
          if (event.printedTo === undefined) return
          if (event.printedTo === 'stderr' && errors !== undefined) errors.write(`${event.message}\n`)
          else writeAbove(event.message)
          return
        case 'runs-added':
          bar.setTotal(event.runCount)
          return
        case 'runs-stored':
        case 'run-failed':
          bar.increment(event.type === 'runs-stored' ? event.runs.length : 1)
          return
        default:
          return
      }
    },
    close() {
      if (isDrawn) {
        output.write(CURSOR_SAVE)
        bar.stop()
      }
      isDrawn = false
      notices.close()
      return output.close()
    },
  }
}

const COLUMNS_DEFAULT = 80
const LINE_START_AND_CLEAR = '\r\x1B[2K'
/** A bar that stops returns to where it started, but lines above it have moved it down since. */
const CURSOR_SAVE = '\x1B7'

const BAR_WIDTH_MAX = 30
/** A narrower bar says less than its numbers do. */
const BAR_WIDTH_MIN = 8

/**
 * One column because some terminals wrap as soon as the last is written, and two for the `^C` that a terminal appends
 * to the bar: otherwise it would wrap, and both would stay on the screen.
 */
const FREE_COLUMNS = 3

/**
 * The bar as text, within the columns of the terminal: `██████░░░░  60 %  12 of 20 runs, 3 runs/s, 2 s left`. The bar
 * is shortened first, then the end of the text.
 */
export function barLine(progress: Progress, columns: number): string {
  const text = `${formatPercent(progress).padStart(5)}  ${describeProgress(progress)}`
  const room = columns - FREE_COLUMNS
  const width = Math.min(BAR_WIDTH_MAX, room - text.length - 1)
  if (width < BAR_WIDTH_MIN) return text.trimStart().slice(0, Math.max(0, room))
  const filled = Math.floor(progress.fraction * width + 1e-9)
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${text}`
}
