import type { Reporter } from '../events.ts'
import { type OutputStream, openTextOutput } from './text-output.ts'

/** `--verbose`: every log line as it comes, beside the other reporters. */
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
