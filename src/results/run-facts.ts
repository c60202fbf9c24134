/** What is known of each run besides its parameters and results: whether it is stored, when it ran, why it failed. */
import { overviewPath, RUN_FACTS } from '../names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import type { RunIndex } from '../values/path.ts'
import { presenceOf } from './block.ts'
import type { Column, ColumnBlock } from './column.ts'
import type { ColumnSource } from './column-source.ts'
import { type RunStates, readRunStates, unmarkedRuns } from './run-states.ts'

/** Names of facts. `parameters.status` and `results.status` name others of the same name. */
const FACT_NAMES = ['run', 'status', 'attempts', 'start', 'runtime', 'failure'] as const

export type FactName = (typeof FACT_NAMES)[number]

/** Of the fact `status`. */
export type RunStatus = 'stored' | 'failed' | 'missing'

const STATUS_OF = { done: 'stored', failed: 'failed', left: 'missing' } as const

const FACTS: Readonly<Record<FactName, Pick<Column, 'dtype' | 'unit' | 'comment'>>> = {
  run: { dtype: 'int32', unit: '', comment: 'index of the run' },
  status: { dtype: 'str', unit: '', comment: 'stored, failed or missing' },
  attempts: { dtype: 'uint16', unit: '', comment: 'how often the run was attempted' },
  start: { dtype: 'float64', unit: 's', comment: 'seconds since 1970' },
  runtime: { dtype: 'float64', unit: 's', comment: 'duration of the last attempt' },
  failure: { dtype: 'str', unit: '', comment: 'why the run failed' },
}

export class RunFacts {
  readonly #reader: Hdf5Reader
  readonly #root: string
  readonly states: RunStates
  /** They count as stored. */
  readonly #unmarked: ReadonlySet<RunIndex>
  #times: { readonly start: Float64Array; readonly runtime: Float64Array } | undefined
  #attempts: Uint16Array | undefined
  #failures: ReadonlyMap<RunIndex, string> | undefined

  /** @param root path of the trajectory: `/T` */
  constructor(reader: Hdf5Reader, root: string) {
    this.#reader = reader
    this.#root = root
    this.states = readRunStates(reader, root)
    this.#unmarked = new Set(unmarkedRuns(reader, root, this.states))
  }

  get counts(): { readonly stored: number; readonly failed: number; readonly missing: number } {
    const { done, failed, left } = this.states
    const unmarked = this.#unmarked.size
    return { stored: done + unmarked, failed, missing: left - unmarked }
  }

  sources(): ColumnSource[] {
    return FACT_NAMES.map((name) => ({
      fullName: name,
      shortName: name,
      kind: 'fact',
      ...FACTS[name],
      shape: [],
      isExplored: false,
      isComplete: () => this.#isComplete(name),
      read: (start, end) => this.#read(name, start, end),
    }))
  }

  statusOf(run: RunIndex): RunStatus {
    if (this.#unmarked.size > 0 && this.#unmarked.has(run)) return 'stored'
    return STATUS_OF[this.states.stateOf(run)]
  }

  #isComplete(name: FactName): boolean {
    if (name === 'run' || name === 'status') return true
    return name !== 'failure' && this.#read(name, 0, this.states.total).present === undefined
  }

  #read(name: FactName, start: RunIndex, end: RunIndex): ColumnBlock {
    const count = end - start
    switch (name) {
      case 'run': {
        const values = new Int32Array(count)
        for (let at = 0; at < count; at += 1) values[at] = start + at
        return { present: undefined, form: 'number', dtype: 'int32', values }
      }
      case 'status': {
        const values = new Array<string>(count).fill('stored')
        if (this.counts.stored < this.states.total)
          for (let at = 0; at < count; at += 1) values[at] = this.statusOf(start + at)
        return { present: undefined, form: 'text', values }
      }
      case 'attempts': {
        this.#attempts ??= this.#readAttempts()
        const values = this.#attempts.subarray(start, end)
        const present = presenceOf(count, (row) => (values[row] ?? 0) > 0)
        return { present, form: 'number', dtype: 'uint16', values }
      }
      case 'start':
      case 'runtime': {
        this.#times ??= this.#readTimes()
        const values = this.#times[name].subarray(start, end)
        const present = presenceOf(count, (row) => !Number.isNaN(values[row]))
        return { present, form: 'number', dtype: 'float64', values }
      }
      case 'failure': {
        this.#failures ??= this.#readFailures()
        const failures = this.#failures
        const textOf = (row: number) =>
          this.statusOf(start + row) === 'failed' ? failures.get(start + row) : undefined
        const values = Array.from({ length: count }, (_, row) => textOf(row) ?? '')
        return { present: presenceOf(count, (row) => textOf(row) !== undefined), form: 'text', values }
      }
    }
  }

  /** 0 if unknown. Only pypet-ts counts attempts. */
  #readAttempts(): Uint16Array {
    const attempts = new Uint16Array(this.states.total)
    const set = this.#reader.columns(this.#root.slice(1))
    const column = set?.columns.find(({ name }) => name === RUN_FACTS.attempts)
    if (set !== undefined && column?.dtype === FACTS.attempts.dtype) {
      attempts.set(new Uint16Array(this.#reader.raw.bytes(column.path).buffer).subarray(0, attempts.length))
    }
    for (let run = 0; run < attempts.length; run += 1) {
      if (this.states.stateOf(run) === 'left') attempts[run] = 0
    }
    return attempts
  }

  /** NaN if unknown. */
  #readTimes(): { readonly start: Float64Array; readonly runtime: Float64Array } {
    const { total } = this.states
    const set = this.#reader.columns(this.#root.slice(1))
    if (set?.layout === 'columns' && set.runCount === total) {
      const read = (name: string) => {
        const column = set.columns.find((each) => each.name === name)
        return column?.dtype !== 'float64'
          ? new Float64Array(total).fill(Number.NaN)
          : new Float64Array(this.#reader.raw.bytes(column.path).buffer)
      }
      const [start, runtime] = [read(RUN_FACTS.start), read(RUN_FACTS.runtime)]
      for (let run = 0; run < total; run += 1) {
        if (this.states.stateOf(run) === 'left') start[run] = runtime[run] = Number.NaN
      }
      return { start, runtime }
    }
    const [start, runtime] = [
      new Float64Array(total).fill(Number.NaN),
      new Float64Array(total).fill(Number.NaN),
    ]
    const times = ['timestamp', 'finish_timestamp']
    if (total === 0) return { start, runtime }
    this.#reader.scanRows(overviewPath(this.#root, 'runs'), times, (run, [from, to]) => {
      // pypet writes 0 for a run that has not started.
      if (typeof from !== 'number' || typeof to !== 'number' || from === 0) return
      if (this.states.stateOf(run) === 'left') return
      start[run] = from
      if (to >= from) runtime[run] = to - from
    })
    return { start, runtime }
  }

  #readFailures(): ReadonlyMap<RunIndex, string> {
    const failures = new Map<RunIndex, string>()
    const table = overviewPath(this.#root, 'failed_runs')
    if (this.#reader.kind(table) !== 'dataset') return failures
    this.#reader.scanRows(table, ['idx', 'error', 'message'], (_, [idx, error, message]) => {
      failures.set(Number(idx), message === '' ? String(error) : `${error}: ${message}`)
    })
    return failures
  }
}
