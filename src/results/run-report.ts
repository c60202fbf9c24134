/** Everything that a file holds of one run. */
import { runName } from '../names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { storedAt } from './block.ts'
import type { Column } from './column.ts'
import {
  type ConfigLeaves,
  environmentOfRun,
  environmentsIn,
  generalConfig,
  type RunEnvironment,
  readConfigLeaves,
  textIn,
} from './config-leaves.ts'
import { findRun } from './find-run.ts'
import type { RunData } from './run-data.ts'
import type { FactName, RunStatus } from './run-facts.ts'

/** A parameter or result. */
export interface RunColumn
  extends Pick<Column, 'name' | 'fullName' | 'kind' | 'dtype' | 'unit' | 'comment' | 'isExplored'> {
  /** Undefined if the run has none. */
  readonly value: StoredValue | undefined
}

export interface RunValue extends RunColumn {
  readonly value: StoredValue
}

export interface RunFailure {
  /** `TypeError` */
  readonly error: string
  readonly message: string
  /** Empty if it is not known. */
  readonly stack: string
}

export interface RunReport {
  /** The HDF5 file. */
  readonly file: string
  readonly trajectory: string
  readonly run: RunIndex
  /** `run_00000417` */
  readonly name: string
  /** Number of all runs. */
  readonly runCount: number
  readonly status: RunStatus
  /** Seconds since 1970. */
  readonly start: number | undefined
  /** Seconds. */
  readonly runtime: number | undefined
  readonly attempts: number | undefined
  readonly failure: RunFailure | undefined
  /** All parameters and results, in the order of the columns of a table. None in a report without values. */
  readonly columns: readonly RunColumn[]
  /** Of the columns, those with a value. */
  readonly explored: readonly RunValue[]
  /** Parameters that have the same value in all runs. */
  readonly constants: readonly RunValue[]
  readonly derived: readonly RunValue[]
  readonly results: readonly RunValue[]
  /** Undefined if the file does not tell. */
  readonly environment: RunEnvironment | undefined
  /** All environments, in order of time. */
  readonly environments: readonly RunEnvironment[]
  /** Config that belongs to no environment. */
  readonly config: ConfigLeaves
  /** The `.cnt` file, if the trajectory has one. */
  readonly cntFile: string | undefined
}

export interface RunReportOptions {
  /** Whether environments include the files of the job. */
  readonly withSources: boolean
  /** Whether parameters and results are read, arrays too: by default. */
  readonly withValues?: boolean
}

/** Reads the runs of one trajectory. */
export class RunReports {
  readonly #reader: Hdf5Reader
  readonly #data: RunData
  readonly #root: string
  readonly #source: Hdf5Source
  readonly #config: ConfigLeaves
  readonly #environments: readonly RunEnvironment[]

  readonly #withValues: boolean

  constructor(reader: Hdf5Reader, data: RunData, options: RunReportOptions) {
    this.#reader = reader
    this.#root = `/${data.trajectory}`
    this.#data = data
    this.#withValues = options.withValues ?? true
    this.#source = new Hdf5Source(reader, data.trajectory)
    this.#config = readConfigLeaves(reader, this.#root, options)
    this.#environments = environmentsIn(this.#config)
  }

  /** @param word as for `findRun`. @throws PypetError as `findRun` */
  report(word: string): RunReport {
    const data = this.#data
    const { file, trajectory, runCount } = data
    const run = findRun(word, { file, trajectory, runCount })
    const numberOf = (name: FactName) => {
      const fact = data.columns.find(({ kind, fullName }) => kind === 'fact' && fullName === name)
      const value = this.#valueOf(fact as Column, run)
      return value?.form === 'scalar' && typeof value.value === 'number' ? value.value : undefined
    }
    const columns = this.#withValues ? this.#columnsOf(run) : []
    const values = columns.filter((column): column is RunValue => column.value !== undefined)
    const ofKind = (wanted: Column['kind']) =>
      values.filter(({ kind, isExplored }) => kind === wanted && !isExplored)
    const status = data.statusOf(run)
    return {
      file,
      trajectory,
      run,
      name: runName(run),
      runCount,
      status,
      start: numberOf('start'),
      runtime: numberOf('runtime'),
      attempts: numberOf('attempts'),
      failure: status === 'failed' ? this.#failureOf(run) : undefined,
      columns,
      explored: values.filter(({ isExplored }) => isExplored),
      constants: ofKind('parameter'),
      derived: ofKind('derived parameter'),
      results: ofKind('result'),
      environment: environmentOfRun(this.#reader, this.#root, run, this.#environments),
      environments: this.#environments,
      config: generalConfig(this.#config),
      cntFile: this.#reader.unfinished.find((each) => each.trajectory === trajectory)?.cntFile,
    }
  }

  #columnsOf(run: RunIndex): RunColumn[] {
    return this.#data
      .lookIn(run)
      .filter(({ kind }) => kind !== 'fact')
      .map((column) => {
        const { name, fullName, kind, dtype, unit, comment, isExplored } = column
        const value = this.#valueOf(column, run)
        return { name, fullName, kind, dtype, unit, comment, isExplored, value }
      })
  }

  #valueOf(column: Column, run: RunIndex): StoredValue | undefined {
    return storedAt(this.#data.read(column, { start: run, end: run + 1 }))(0)
  }

  #failureOf(run: RunIndex): RunFailure | undefined {
    const found = this.#source.failures().get(run)
    return found && { error: found.name, message: found.message, stack: found.stack }
  }
}

/** The machine of the environment that ran it. */
export function hostOf({ environment }: RunReport): string | undefined {
  if (environment === undefined) return undefined
  return textIn(environment.leaves, 'platform.host') ?? textIn(environment.leaves, 'provenance.host')
}
