/** Decides which runs of one trajectory join another, and with which values (pypet `f_merge`). Pure; linear in the runs. */
import { PypetError } from '../errors.ts'
import { runName, runOfName, runSetName } from '../names.ts'
import { rangeValue } from '../run/parameter-range.ts'
import { parameterBranch, type RunIndex } from '../values/path.ts'
import { type StoredValue, typeName } from '../values/stored-value.ts'
import { pointKey, valueKey } from '../values/value-key.ts'
import { type GroupNode, ParameterNode } from './nodes.ts'
import type { TrajectoryTree } from './trajectory-tree.ts'

export interface MergePlanOptions {
  /** Leave out points of the other trajectory that the target already has. */
  readonly removeDuplicates?: boolean
  /** An explored integer that counts trials from 0. The other's trials continue the count. */
  readonly trialParameter?: string
}

export interface MergePlan {
  /** Runs of the other to take, in order. The first becomes run `target.length`. Empty if all are duplicates. */
  readonly runs: readonly RunIndex[]
  /** Runs of the other whose points the target already has, and the run that has each. */
  readonly duplicates: readonly { readonly run: RunIndex; readonly known: RunIndex }[]
  /** Every parameter that is explored after the merge, by full name. */
  readonly explored: readonly MergedParameter[]
}

interface MergedParameter {
  readonly fullName: string
  /** True if it was not explored before. The existing runs then have its default. */
  readonly isNew: boolean
  /** Values for the runs that are taken. */
  readonly values: readonly StoredValue[]
}

/**
 * A point of the other is a duplicate if a completed run has it, or if any run has it and the other's run is not completed.
 *
 * @param options.file file of the other, for messages
 * @throws PypetError `PYPET_MERGE_IMPOSSIBLE` if the parameters differ in names or types, or if the trial parameter is
 *   not one
 */
export function planMerge(
  target: TrajectoryTree,
  other: TrajectoryTree,
  options: MergePlanOptions & { readonly file: string },
): MergePlan {
  const pairs = parameterPairs(target, other, options.file)
  const trial = trialOf(target, pairs, options)
  const explored = pairs.filter(({ own, theirs }) => isExploredIn(own, theirs))
  /** Many runs may share one array. */
  const keys = new Map<StoredValue, string>()
  const keyOf = (parameters: readonly ParameterNode[], run: RunIndex) =>
    pointKey(parameters.map((parameter) => keyOfValue(valueIn(parameter, run), keys)))
  const known = new Map<string, RunIndex>()
  const isCompleted = (run: RunIndex) => target.runInformation(run).completed
  const ownParameters = explored.map(({ own }) => own)
  for (let run = 0; run < target.length; run += 1) {
    const key = keyOf(ownParameters, run)
    const before = known.get(key)
    if (before === undefined || (!isCompleted(before) && isCompleted(run))) known.set(key, run)
  }
  const runs: RunIndex[] = []
  const duplicates: { run: RunIndex; known: RunIndex }[] = []
  const theirParameters = explored.map(({ theirs }) => theirs)
  for (let run = 0; run < other.length; run += 1) {
    const there = trial === undefined ? known.get(keyOf(theirParameters, run)) : undefined
    // A run that failed or was never executed does not replace a completed one.
    const isMissing = there !== undefined && !isCompleted(there) && other.runInformation(run).completed
    const same = isMissing ? undefined : there
    if (same !== undefined) duplicates.push({ run, known: same })
    if (same === undefined || options.removeDuplicates !== true) runs.push(run)
  }
  return {
    runs,
    duplicates,
    explored: explored.map(({ own, theirs }) => ({
      fullName: own.fullName,
      isNew: !own.isExplored,
      values: runs.map((run) => shifted(valueIn(theirs, run), own === trial?.parameter ? trial.shift : 0)),
    })),
  }
}

interface Pair {
  readonly own: ParameterNode
  readonly theirs: ParameterNode
}

function parameterPairs(target: TrajectoryTree, other: TrajectoryTree, file: string): Pair[] {
  const derived = exploredDerived(target, other)
  const theirs = new Map(parametersOf(other, derived).map((parameter) => [parameter.fullName, parameter]))
  const pairs: Pair[] = []
  const differing: string[] = []
  for (const own of parametersOf(target, derived)) {
    const same = theirs.get(own.fullName)
    theirs.delete(own.fullName)
    if (same === undefined) differing.push(`${own.fullName} is missing in the other`)
    else if (typeOf(own) !== typeOf(same))
      differing.push(`${own.fullName} is ${typeOf(own)} here, ${typeOf(same)} there`)
    else pairs.push({ own, theirs: same })
  }
  for (const name of theirs.keys()) differing.push(`${name} is missing here`)
  if (differing.length === 0) return pairs
  throw impossible(
    file,
    `the parameters differ: ${differing.slice(0, 5).join('; ')}${differing.length > 5 ? '; …' : ''}`,
    'Only trajectories of the same parameters, with the same types, can be merged.',
  )
}

/** Full names of derived parameters that either trajectory explores. In both they are then parameters of the runs. */
export function exploredDerived(target: TrajectoryTree, other: TrajectoryTree): ReadonlySet<string> {
  const explored = [target, other].flatMap((tree) => Object.keys(tree.exploredParameters))
  return new Set(explored.filter((name) => parameterBranch(name) === 'derived_parameters'))
}

function parametersOf(tree: TrajectoryTree, derived: ReadonlySet<string>): ParameterNode[] {
  const group = tree.child('parameters') as GroupNode
  const explored = [...derived].map((name) => tree.at(name))
  return [...group.iterLeaves(), ...explored].filter((leaf) => leaf instanceof ParameterNode)
}

function typeOf(parameter: ParameterNode): string {
  const value = parameter.stored
  if (value === undefined) return 'nothing'
  return value.form === 'scalar' ? typeName(value) : value.form
}

function isExploredIn(own: ParameterNode, theirs: ParameterNode): boolean {
  if (own.isExplored || theirs.isExplored) return true
  return valueKey(own.stored as StoredValue) !== valueKey(theirs.stored as StoredValue)
}

function valueIn(parameter: ParameterNode, run: RunIndex): StoredValue {
  const { range } = parameter
  return (range === undefined ? parameter.stored : rangeValue(range, run)) as StoredValue
}

function keyOfValue(value: StoredValue, keys: Map<StoredValue, string>): string {
  if (value.form === 'scalar') return valueKey(value)
  let key = keys.get(value)
  if (key === undefined) {
    key = valueKey(value)
    keys.set(value, key)
  }
  return key
}

function trialOf(
  target: TrajectoryTree,
  pairs: readonly Pair[],
  { trialParameter: name, file }: Parameters<typeof planMerge>[2],
): { readonly parameter: ParameterNode; readonly shift: number } | undefined {
  if (name === undefined) return undefined
  const parameter = target.getParameter(name)
  const pair = pairs.find(({ own }) => own === parameter)
  const trials = pair === undefined ? [] : [...numbersOf(pair.own), ...numbersOf(pair.theirs)]
  const isCounting = trials.length > 0 && trials.every((trial) => Number.isSafeInteger(trial) && trial >= 0)
  if (pair === undefined || !isCounting) {
    throw impossible(
      file,
      `${parameter.fullName} does not count trials in both`,
      'In both trajectories, explore a trial parameter with whole numbers from 0 on.',
    )
  }
  return { parameter, shift: numbersOf(pair.own).reduce((most, trial) => Math.max(most, trial), -1) + 1 }
}

function numbersOf({ range }: ParameterNode): number[] {
  return range?.kind === 'scalars' ? range.values.map(Number) : []
}

function shifted(value: StoredValue, shift: number): StoredValue {
  if (shift === 0 || value.form !== 'scalar') return value
  return { ...value, value: Number(value.value) + shift }
}

/**
 * The name of the other's node in the merged trajectory. Parts that name runs, or run sets next to them, get the names of
 * the new runs. Undefined if the node belongs to a run that is not taken.
 *
 * @param runOf the new run for a run of the other
 * @param within the run in which the name is used. A run set without a run is the set of this run
 */
export function renamedInMerge(
  fullName: string,
  runOf: (run: RunIndex) => RunIndex | undefined,
  within?: RunIndex,
): string | undefined {
  if (!fullName.includes('run_')) return fullName
  let run = within
  const parts = fullName.split('.')
  for (const [index, part] of parts.entries()) {
    const named = runOfName(part)
    if (named === undefined) continue
    run = runOf(named)
    if (run === undefined) return undefined
    parts[index] = runName(run)
  }
  const set = run === undefined ? undefined : runSetName(run)
  return parts.map((part) => (set !== undefined && RUN_SET_NAME.test(part) ? set : part)).join('.')
}

/** The run that a full name belongs to. */
export function runIn(fullName: string): RunIndex | undefined {
  for (const part of fullName.split('.')) {
    const named = runOfName(part)
    if (named !== undefined) return named
  }
  return undefined
}

const RUN_SET_NAME = /^run_set_\d{5}$/

function impossible(file: string, found: string, hint: string): PypetError {
  return new PypetError('PYPET_MERGE_IMPOSSIBLE', `cannot merge ${file}: ${found}`, { where: file, hint })
}
