import type { ErrorRecord } from '../errors.ts'
import type { ExperimentEvent, ExperimentSummary, Reporter } from '../events.ts'
import { runName } from '../names.ts'
import { allowsLevel, type LogLevel } from '../run/log-level.ts'
import { type OutputStream, openTextOutput } from './text-output.ts'

/**
 * For programs (`--json`): NDJSON, one object per line, never coloured, written when the event occurs.
 *
 * Every object has `event` and `time` (ISO 8601, UTC, milliseconds). Runs are numbers, counted from 0. By
 * `event`:
 *
 * - `job-found`, the first event, only of `continue`: `job_file`. Nothing of it has been executed yet.
 * - `experiment-started`: `trajectory`, `file`, `cnt_file`, `run_count`, `ncores`, `executor` (`inline`, `pool` or `process`),
 *   `log_folder` (absent without logs), and `stored_count` and `failed_count` from earlier executions.
 * - `runs-stored`, once per commit: `runs` (their numbers), and the counts so far: `stored_count`,
 *   `failed_count`, `run_count`.
 * - `run-failed`: `run`, `run_name` (`run_00000012`), `error` (`name`, `message`, `stack`; `code`, `hint` and
 *   `where` if the error has them), and the same three counts.
 * - `run-retried`: `run`, `run_name`, `attempt` (the one that failed, from 1), `error`.
 * - `runs-added`, when post-processing has added points: `added_count`, and `run_count`, the new number of all runs.
 * - `log`: `level` (`error`, `warn`, `info`, `debug`), `message`; `worker` and `run` if it comes from there; `printed_to`
 *   (`stdout` or `stderr`) if the job printed it and it is not for the logs.
 * - `experiment-finished`: `trajectory`, `file`, `cnt_file` (the argument for `continue`, absent if every run is stored),
 *   `behind` (true if other programs kept the last changes out of the file: `continue` writes them), `log_folder`,
 *   `run_count`, `stored_count`, `previously_stored_count`, `failed_count`, `left_count`, `stopped_by` (`signal` or `failures`, absent otherwise), `stray_error_count` (errors after the end of a run), `duration_ms`,
 *   `complete` (every run is stored).
 *
 * Later versions may add fields and events; readers should ignore unknown ones.
 *
 * @param options.level the minimum level of log lines to include; default `warn`, because the log files have all
 * @param options.now the wall clock
 */
export function eventLines(
  stream: OutputStream,
  options: { readonly level?: LogLevel; readonly now?: () => Date } = {},
): Reporter {
  const { level = 'warn', now = () => new Date() } = options
  const output = openTextOutput(stream)
  const counts = { stored_count: 0, failed_count: 0, run_count: 0 }
  return {
    emit(event) {
      if (event.type === 'log' && event.printedTo === undefined && !allowsLevel(level, event.level)) return
      if (event.type === 'experiment-started') {
        counts.run_count = event.runCount
        counts.stored_count = event.storedCount
        counts.failed_count = event.failedCount
      }
      if (event.type === 'runs-added') counts.run_count = event.runCount
      if (event.type === 'runs-stored') counts.stored_count += event.runs.length
      if (event.type === 'run-failed') counts.failed_count += 1
      const line = { event: event.type, time: now().toISOString(), ...fieldsOf(event, counts) }
      output.write(`${JSON.stringify(line)}\n`)
    },
    close() {
      return output.close()
    },
  }
}

function fieldsOf(event: ExperimentEvent, counts: Readonly<Record<string, number>>): object {
  switch (event.type) {
    case 'experiment-started':
      return {
        trajectory: event.trajectory,
        file: event.file,
        cnt_file: event.cntFile,
        stored_count: event.storedCount,
        failed_count: event.failedCount,
        run_count: event.runCount,
        ncores: event.ncores,
        executor: event.executor,
        log_folder: event.logFolder,
      }
    case 'runs-stored':
      return { runs: event.runs, ...counts }
    case 'run-failed':
      return { run: event.run, run_name: runName(event.run), error: errorFields(event.error), ...counts }
    case 'run-retried':
      return {
        run: event.run,
        run_name: runName(event.run),
        attempt: event.attempt,
        error: errorFields(event.error),
      }
    case 'runs-added':
      return { added_count: event.addedCount, run_count: event.runCount }
    case 'log':
      // JSON omits undefined fields.
      return {
        level: event.level,
        message: event.message,
        worker: event.worker,
        run: event.run,
        printed_to: event.printedTo,
      }
    case 'experiment-finished':
      return summaryFields(event.summary)
  }
}

function errorFields({ name, message, stack, code, hint, where }: ErrorRecord): object {
  return { name, message, stack, code, hint, where }
}

function summaryFields(summary: ExperimentSummary): object {
  return {
    trajectory: summary.trajectory,
    file: summary.file,
    cnt_file: summary.cntFile,
    behind: summary.isBehind,
    log_folder: summary.logFolder,
    run_count: summary.runCount,
    stored_count: summary.storedCount,
    previously_stored_count: summary.previouslyStoredCount,
    failed_count: summary.failedCount,
    left_count: summary.leftCount,
    stopped_by: summary.stoppedBy,
    stray_error_count: summary.strayErrorCount,
    duration_ms: Math.round(summary.durationMs * 1000) / 1000,
    complete: summary.storedCount === summary.runCount,
  }
}
