/** What must hold after a round's commands, whatever was done to them. Each function gives what does not. */
import { runName } from '../../src/names.ts'
import type { FoundTrajectory } from './file-reader.ts'
import { resultsOf } from './job.ts'
import type { Round } from './round.ts'

/** Something that must not be. Findings of one kind may have one cause. */
export interface Finding {
  readonly kind: string
  readonly details: string
}

/** What was announced of a trajectory so far. */
export class Announced {
  readonly stored = new Set<number>()
  readonly failed = new Set<number>()

  store(runs: readonly number[]): void {
    for (const run of runs) {
      this.stored.add(run)
      this.failed.delete(run)
    }
  }

  fail(runs: readonly number[]): void {
    for (const run of runs) this.failed.add(run)
  }

  get size(): number {
    return this.stored.size + this.failed.size
  }
}

/** What a trajectory must be in the end. */
export interface Expected {
  readonly x: readonly number[]
  readonly values: Round['values']
  /** Names of what post-processing has added. */
  readonly rounds: readonly string[]
  readonly mayFail: (x: number) => boolean
}

/** Announced runs that are not there, and whatever is there and wrong. */
export function lacking(
  found: FoundTrajectory | undefined,
  announced: Announced,
  expected: Expected,
): string[] {
  if (found === undefined) {
    return announced.size === 0 ? [] : [`nothing is there of ${announced.size} announced runs`]
  }
  const completed = new Set(found.completed)
  const failed = new Set(found.failed)
  return [
    ...listed(
      'announced as stored, but not there',
      [...announced.stored].filter((run) => !completed.has(run)),
    ),
    // One that is performed again is neither for a time.
    ...listed(
      'announced as failed, but not there',
      [...announced.failed].filter((run) => !failed.has(run) && !completed.has(run)),
    ),
    ...wrong(found, expected),
  ]
}

/** What keeps a trajectory from being whole: each run once, completed or failed for a reason, and right. */
export function unfinished(found: FoundTrajectory | undefined, expected: Expected): string[] {
  if (found === undefined) return ['the trajectory is not there']
  const { x } = expected
  const ended = new Set([...found.completed, ...found.failed])
  return [
    ...(found.isListed && found.indices.length !== x.length
      ? [`the table has ${found.indices.length} rows for ${x.length} runs`]
      : []),
    ...(found.isListed && found.x.length !== x.length
      ? [`x has ${found.x.length} values for ${x.length} runs`]
      : []),
    ...listed(
      'neither completed nor failed',
      x.flatMap((_, run) => (ended.has(run) ? [] : [run])),
    ),
    ...(found.isListed && found.rounds.join() !== [...expected.rounds].sort().join()
      ? [`post-processing has left [${found.rounds}] instead of [${expected.rounds}]`]
      : []),
    ...wrong(found, expected),
  ]
}

/** What may be in no state of a file. */
function wrong(found: FoundTrajectory, { x, values, mayFail }: Expected): string[] {
  const completed = new Set(found.completed)
  const problems = [
    ...listed(
      'in the table under another number',
      found.indices.flatMap((index, row) => (index === row ? [] : [row])),
    ),
    ...listed(
      'in the table under another name',
      found.names.flatMap((name, row) => (name === runName(row as never) ? [] : [row])),
    ),
    ...listed(
      'with another x',
      found.x.flatMap((value, run) => (value === x[run] ? [] : [run])),
    ),
    ...listed(
      'with results, but not completed',
      Object.keys(found.runs)
        .map(Number)
        .filter((run) => !completed.has(run)),
    ),
    ...listed(
      'both completed and failed',
      found.failed.filter((run) => completed.has(run)),
    ),
    ...(new Set(found.failed).size === found.failed.length ? [] : [`failed twice: ${found.failed}`]),
    ...listed(
      'failed without a reason',
      found.failed.filter((run) => !mayFail(x[run] as number)),
    ),
  ]
  for (const run of found.completed) {
    const is = JSON.stringify(sorted(found.runs[run] ?? {}))
    const shouldBe = JSON.stringify(sorted(resultsOf(x[run] ?? Number.NaN, values)))
    if (is !== shouldBe) problems.push(`run ${run} holds ${is} instead of ${shouldBe}`)
  }
  return problems
}

function sorted(record: object): object {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function listed(what: string, runs: readonly number[]): string[] {
  return runs.length === 0 ? [] : [`${what}: ${runs.length > 20 ? `${runs.length} runs` : `runs ${runs}`}`]
}
