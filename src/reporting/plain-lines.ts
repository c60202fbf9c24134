/** Output as lines: progress, log, printed lines of the job, or failures only. */
import type { Reporter } from '../events.ts'
import { Milestones } from './milestones.ts'
import { Notices } from './notices.ts'
import { type Clock, describeProgress, describeStart, formatPercent, ProgressCounter } from './progress.ts'
import { formatCount, formatRuns } from './quantity.ts'
import { coloursOf, type OutputStream, openTextOutput } from './text-output.ts'

/**
 * For pipes and files: a line at the start, at most 25 progress lines (with steps of 5 %), one for each kind of
 * failure, and, if post-processing adds runs, one at first and whenever their number has doubled.
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

/** Passes what the job prints to the original streams, if it is not for the logs. */
export function printedLines(streams: {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}): Reporter {
  const outputs = { stdout: openTextOutput(streams.stdout), stderr: openTextOutput(streams.stderr) }
  return {
    emit(event) {
      if (event.type === 'log' && event.printedTo !== undefined)
        outputs[event.printedTo].write(`${event.message}\n`)
    },
    async close() {
      await Promise.all([outputs.stdout.close(), outputs.stderr.close()])
    },
  }
}

/** For `--quiet`: only failures and warnings. Meant for stderr. */
export function quietLines(stream: OutputStream): Reporter {
  const output = openTextOutput(stream)
  const notices = new Notices((line) => output.write(`${line}\n`), coloursOf(stream), false)
  return {
    emit(event) {
      notices.observe(event)
    },
    close() {
      notices.close()
      return output.close()
    },
  }
}

/** `--verbose`: every log line as it arrives, next to the other reporters. */
export function verboseLines(stream: OutputStream): Reporter {
  const output = openTextOutput(stream)
  return {
    emit(event) {
      if (event.type !== 'log' || event.printedTo !== undefined) return
      const from = event.worker === undefined ? 'main' : `worker ${event.worker}`
      const run = event.run === undefined ? '' : ` run ${event.run}`
      output.write(`${event.level} ${from}${run}: ${event.message}\n`)
    },
    close: () => Promise.resolve(),
  }
}
