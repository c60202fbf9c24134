/** A run as one JSON document. */
import { summariseArray } from '../../results/array-summary.ts'
import type { RunLog } from '../../results/run-log.ts'
import { hostOf, type RunReport, type RunValue } from '../../results/run-report.ts'
import { typeName } from '../../values/stored-value.ts'
import { jsonDocument } from '../json-document.ts'
import { valueJson } from '../value-json.ts'
import type { RunCommands } from './run-commands.ts'

export function showJson(report: RunReport, log: RunLog, { debug, again }: RunCommands): string {
  const { file, trajectory, run, name, runCount, status, environment } = report
  const { start, runtime, attempts, failure, explored, constants, derived, results } = report
  return jsonDocument({
    file,
    trajectory,
    run,
    name,
    runCount,
    status,
    start: start ?? null,
    runtime: runtime ?? null,
    attempts: attempts ?? null,
    environment: environment?.name ?? null,
    host: hostOf(report) ?? null,
    failure: failure ?? null,
    explored: explored.map(valueFacts),
    constants: constants.map(valueFacts),
    derivedParameters: derived.map(valueFacts),
    results: results.map(valueFacts),
    log: { file: log.file ?? null, lines: log.lines, omittedCount: log.omittedCount, looked: log.looked },
    debugCommand: debug ?? null,
    againCommand: again ?? null,
  })
}

function valueFacts({ name, fullName, unit, comment, value }: RunValue): object {
  const summary = summariseArray(value, 0)
  const { minimum, mean, maximum, nanCount, shape } = summary ?? {}
  return {
    name,
    fullName,
    unit,
    comment,
    type: typeName(value),
    shape: shape ?? null,
    ...(summary !== undefined && {
      minimum: valueJson(minimum),
      mean: valueJson(mean),
      maximum: valueJson(maximum),
      nanCount,
    }),
    value: valueJson(value),
  }
}
