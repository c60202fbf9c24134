import { isPypetError, toErrorRecord } from '../errors.ts'
import type { ExperimentEvent, Reporter } from '../events.ts'

/**
 * Combines several reporters. Each receives every event, in order, independently of the others: one that throws stops
 * neither the experiment nor the other reporters. The first time it throws, the others receive a warning, and it still
 * receives events.
 *
 * `close` never rejects. It closes the reporters from last to first, so that the first, which should be the visible
 * one, can still show that a later one failed to close.
 */
export function teeReporters(reporters: readonly Reporter[]): Reporter {
  let open = [...reporters]
  const failed = new Set<Reporter>()

  const tellOthers = (failing: Reporter, thrown: unknown) => {
    if (failed.has(failing)) return
    failed.add(failing)
    const { name, message, hint } = toErrorRecord(thrown)
    // An error of pypet-ts already says what failed.
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
          // A failure to close is reported even after a failure to emit.
          failed.delete(reporter)
          tellOthers(reporter, thrown)
        }
      }
    },
  }
}
