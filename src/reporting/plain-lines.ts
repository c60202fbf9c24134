import type { Reporter } from '../events.ts'
import { Milestones } from './milestones.ts'
import { Notices } from './notices.ts'
import { type Clock, describeProgress, formatPercent, ProgressCounter } from './progress.ts'
import { formatCount, formatRuns } from './quantity.ts'
import { describeStart } from './start-line.ts'
import { coloursOf, type OutputStream, openTextOutput } from './text-output.ts'

/**
 * For pipes and files: a line at the start, at most 25 about the progress (with steps of 5 %), one for each kind of failure,
 * and where post-processing adds runs, one at first and whenever their number has doubled.
 *
 *     multiply: 12 runs on 2 cores into hdf5/multiply.h5
 *       5 %  600 of 12,000 runs, 1,234 runs/s, 10 s left
 */
export function plainLines(
  stream: OutputStream,
  {
    clock = () => performance.now(),
    progressStep,
  }: { readonly clock?: Clock; readonly progressStep?: number } = {},
): Reporter {
  const output = openTextOutput(stream)
  const writeLine = (line: string) => output.write(`${line}\n`)
  const notices = new Notices(writeLine, coloursOf(stream))
  const counter = new ProgressCounter(clock)
  const milestones = new Milestones(progressStep)
  let toldCount = 0
  return {
    emit(event) {
      counter.observe(event)
      notices.observe(event)
      if (event.type === 'experiment-started') writeLine(describeStart(event))
      if (event.type === 'runs-added' && event.runCount >= 2 * toldCount) {
        toldCount = event.runCount
        writeLine(`${formatRuns(event.addedCount)} added, ${formatCount(event.runCount)} in all`)
      }
      if (event.type !== 'runs-stored' && event.type !== 'run-failed') return
      const progress = counter.snapshot()
      if (milestones.reached(progress)) {
        writeLine(`${formatPercent(progress).padStart(5)}  ${describeProgress(progress)}`)
      }
    },
    close() {
      notices.close()
      return output.close()
    },
  }
}
