/** What differs between runs, of one trajectory or of several. */
import type { StoredValue } from '../values/stored-value.ts'
import { type ConfigLeaves, textIn } from './config-leaves.ts'
import { lineDiff } from './line-diff.ts'
import type { RunReport, RunValue } from './run-report.ts'
import { differenceOf, isSameValue, type ValueDifference } from './same-value.ts'
import { type StoredSource, storedSources } from './stored-sources.ts'

/** A value that is not the same in all runs. */
export interface DifferingValue {
  readonly name: string
  readonly unit: string
  /** In the order of the runs. Undefined where a run has none. */
  readonly values: readonly (StoredValue | undefined)[]
  /** Of each run against the first. Undefined where there is none, and for the first run. */
  readonly differences: readonly (ValueDifference | undefined)[]
}

export interface ComparedValues {
  readonly differing: readonly DifferingValue[]
  readonly equalCount: number
}

/** A file of the job that differs between the first run and another one. */
interface DifferingSource {
  /** Undefined if only the other run has it. */
  readonly path: string | undefined
  /** The same in the other run, where only the job may have another path. Undefined if it is not there. */
  readonly otherPath: string | undefined
  /** Position of the other run. */
  readonly other: number
  /** Hunks in the format of `diff -u`. */
  readonly diff: readonly string[]
}

export interface ComparedSources {
  readonly differing: readonly DifferingSource[]
  readonly equalCount: number
}

export interface RunComparison {
  readonly runs: readonly RunReport[]
  readonly parameters: ComparedValues
  readonly derivedParameters: ComparedValues
  readonly results: ComparedValues
  /** Undefined if one environment has made all runs. */
  readonly config: ComparedValues | undefined
  readonly provenance: ComparedValues | undefined
  readonly sources: ComparedSources | undefined
}

/** @param runs two or more, with their sources */
export function compareRuns(runs: readonly RunReport[]): RunComparison {
  const values = (valuesOf: (run: RunReport) => readonly RunValue[]) =>
    compareValues(runs.map((run) => new Map(valuesOf(run).map((value) => [value.name, value]))))
  const [first, ...others] = runs
  const isOfOne = others.every(
    ({ file, trajectory, environment }) =>
      file === first?.file &&
      trajectory === first.trajectory &&
      environment?.name === first.environment?.name,
  )
  const config = (leavesOf: (run: RunReport) => ConfigLeaves) =>
    isOfOne ? undefined : compareValues(runs.map((run) => namedValues(leavesOf(run))))
  return {
    runs,
    parameters: values(({ explored, constants }) => [...explored, ...constants]),
    derivedParameters: values(({ derived }) => derived),
    results: values(({ results }) => results),
    config: config(configOf),
    provenance: config(provenanceOf),
    sources: isOfOne ? undefined : compareSources(runs),
  }
}

type Named = Pick<RunValue, 'unit' | 'value'>

function compareValues(runs: readonly ReadonlyMap<string, Named>[]): ComparedValues {
  const names = [...new Set(runs.flatMap((values) => [...values.keys()]))]
  const differing = names.flatMap((name): DifferingValue[] => {
    const values = runs.map((named) => named.get(name)?.value)
    const [first, ...others] = values
    if (others.every((other) => isSameValue(first, other))) return []
    const unit = runs.map((named) => named.get(name)?.unit ?? '').find((text) => text !== '') ?? ''
    const differences = [undefined, ...others.map((other) => differenceOf(first, other))]
    return [{ name, unit, values, differences }]
  })
  return { differing, equalCount: names.length - differing.length }
}

function namedValues(leaves: ConfigLeaves): ReadonlyMap<string, Named> {
  return new Map([...leaves].map(([name, value]) => [name, { unit: '', value }]))
}

/** They name or time an execution, so that they always differ. */
const OF_EXECUTION = /^(?:hexsha|runtime|(?:start_|finish_)?timestamp|trajectory\.timestamp)$/
/** Groups of an environment that tell where results come from. */
const PROVENANCE = /^(?:provenance|job|platform|versions)\.|^script$/
/** The sources are compared line by line, and continuations are not of the run. */
const OF_PROVENANCE =
  /^provenance\.(?:continued_.*|timestamp|files|contents|options|job)$|^job\.(?:sources|sha256)$/

function configOf({ config, environment }: RunReport): ConfigLeaves {
  const own = [...(environment?.leaves ?? [])].filter(
    ([name]) => !OF_EXECUTION.test(name) && !PROVENANCE.test(name),
  )
  return new Map([...config, ...own])
}

function provenanceOf({ environment }: RunReport): ConfigLeaves {
  const leaves = environment?.leaves ?? new Map<string, StoredValue>()
  const facts = [...leaves]
    .filter(([name]) => PROVENANCE.test(name) && !OF_PROVENANCE.test(name))
    .filter(([name]) => name !== 'provenance.packages')
    .map(([name, value]): [string, StoredValue] => [name.replace(/^provenance\./, ''), value])
  return new Map([...facts, ...packagesIn(leaves)])
}

/** Each package with its version: `package lodash`. */
function packagesIn(leaves: ConfigLeaves): [string, StoredValue][] {
  const lines = (textIn(leaves, 'provenance.packages') ?? '').split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const space = line.lastIndexOf(' ')
    const value = { form: 'scalar', dtype: 'str', value: line.slice(space + 1) } as const
    return [`package ${line.slice(0, space)}`, value]
  })
}

function compareSources(runs: readonly RunReport[]): ComparedSources {
  const sources = runs.map(({ environment }) => storedSources(environment?.leaves ?? new Map()))
  const [first = new Map<string, StoredSource>(), ...others] = sources
  const keys = [...new Set(sources.flatMap((files) => [...files.keys()]))]
  const changed = new Set<string>()
  const differing = others.flatMap((files, at) =>
    keys.flatMap((key): DifferingSource[] => {
      const [before, after] = [first.get(key), files.get(key)]
      if (before?.text === after?.text) return []
      changed.add(key)
      const diff = lineDiff(before?.text ?? '', after?.text ?? '')
      return [{ path: before?.path, otherPath: after?.path, other: at + 1, diff }]
    }),
  )
  return { differing, equalCount: keys.length - changed.size }
}
