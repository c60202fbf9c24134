/** Everything that a file holds of one run. */
import { runName } from '../names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { Hdf5Source } from '../reading/tree-source.ts'
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { cellReader, storedAt } from './block.ts'
import { chooseTrajectory } from './choose-trajectory.ts'
import type { Column } from './column.ts'
import {
  type ConfigLeaves,
  environmentOfRun,
  environmentsIn,
  generalConfig,
  type RunEnvironment,
  readConfigLeaves,
} from './config-leaves.ts'
import { findRun } from './find-run.ts'
import { RunData } from './run-data.ts'
import type { FactName, RunStatus } from './run-facts.ts'

/** A parameter or result in one run. */
export interface RunValue extends Pick<Column, 'name' | 'fullName' | 'unit' | 'comment'> {
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

/** Reads the runs of one trajectory. Its columns are found once. */
export class RunReports {
  readonly #reader: Hdf5Reader
  readonly #data: RunData
  readonly #root: string
  readonly #source: Hdf5Source
  readonly #config: ConfigLeaves
  readonly #environments: readonly RunEnvironment[]

  /**
   * @param trajectory its name, if the file holds several
   * @param options.withSources whether environments include the files of the job
   * @throws PypetError as `chooseTrajectory` and `RunData.open`
   */
  constructor(
    reader: Hdf5Reader,
    trajectory: string | undefined,
    options: { readonly withSources: boolean },
  ) {
    const name = chooseTrajectory(reader, trajectory)
    this.#reader = reader
    this.#root = `/${name}`
    this.#data = RunData.open(reader, name)
    this.#source = new Hdf5Source(reader, name)
    this.#config = readConfigLeaves(reader, this.#root, options)
    this.#environments = environmentsIn(this.#config)
  }

  /** @param word as for `findRun`. @throws PypetError as `findRun` */
  report(word: string): RunReport {
    const data = this.#data
    const { file, trajectory, runCount } = data
    const run = findRun(word, { file, trajectory, runCount })
    const columns = data.lookIn(run)
    const range = { start: run, end: run + 1 }
    const factOf = (name: FactName) => {
      const column = columns.find(({ kind, fullName }) => kind === 'fact' && fullName === name) as Column
      return cellReader(data.read(column, range))(0)
    }
    const numberOf = (name: FactName) => {
      const value = factOf(name)
      return typeof value === 'number' ? value : undefined
    }
    const valuesOf = (wanted: readonly Column[]) =>
      wanted.flatMap((column): RunValue[] => {
        const value = storedAt(data.read(column, range))(0)
        const { name, fullName, unit, comment } = column
        return value === undefined ? [] : [{ name, fullName, unit, comment, value }]
      })
    const ofKind = (wanted: Column['kind']) =>
      columns.filter(({ kind, isExplored }) => kind === wanted && !isExplored)
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
      explored: valuesOf(columns.filter(({ isExplored }) => isExplored)),
      constants: valuesOf(ofKind('parameter')),
      derived: valuesOf(ofKind('derived parameter')),
      results: valuesOf(ofKind('result')),
      environment: environmentOfRun(this.#reader, this.#root, run, this.#environments),
      environments: this.#environments,
      config: generalConfig(this.#config),
      cntFile: this.#reader.unfinished.find((each) => each.trajectory === trajectory)?.cntFile,
    }
  }

  #failureOf(run: RunIndex): RunFailure | undefined {
    const found = this.#source.failures().get(run)
    return found && { error: found.name, message: found.message, stack: found.stack }
  }
}
