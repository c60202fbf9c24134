import type { Reporter } from '../events.ts'
import { type OutputStream, openTextOutput } from './text-output.ts'

/** What the job prints, on its way to the streams it was printed to: where the logs do not take it. */
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
