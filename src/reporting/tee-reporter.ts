import { isPypetError, toErrorRecord } from '../errors.ts'
import type { ExperimentEvent, Reporter } from '../events.ts'

/**
 * One reporter out of several. Each gets every event, in order, whatever the others do: one that throws
 * stops neither the experiment nor its neighbours. The first time it does, the others are told by a
 * warning, and it goes on receiving events.
 *
 * `close` never rejects. It closes from the last to the first, so that the first, which should be the one
 * that people see, can still show that a later one failed to close.
 */
export function teeReporters(reporters: readonly Reporter[]): Reporter {
  let open = [...reporters]
  const failed = new Set<Reporter>()

  const tellOthers = (failing: Reporter, thrown: unknown) => {
    if (failed.has(failing)) return
    failed.add(failing)
    const { name, message, hint } = toErrorRecord(thrown)
    // An error of ours says by itself what has failed.
    const what = isPypetError(thrown) ? message : `a reporter failed: ${name}: ${message}`
    const event: ExperimentEvent = {
      type: 'log',
      level: 'warn',
      message: `${what}${hint === undefined ? '' : ` ${hint}`}`,
    }
    for (const reporter of open) if (reporter !== failing) deliver(reporter, event)
  }
  const deliver = (reporter: Reporter, event: ExperimentEvent) => {
    try {
      reporter.emit(event)
    } catch (thrown) {
      tellOthers(reporter, thrown)
    }
  }

  return {
    emit(event) {
      for (const reporter of open) deliver(reporter, event)
    },
    async close() {
      for (const reporter of open.toReversed()) {
        open = open.filter((other) => other !== reporter)
        try {
          await reporter.close()
        } catch (thrown) {
          // A failure to close is another matter than one to emit, and is told even after that.
          failed.delete(reporter)
          tellOthers(reporter, thrown)
        }
      }
    },
  }
}
