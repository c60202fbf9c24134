/** Which executor performs the runs: the options that demand one, and those that contradict each other. */
import { PypetError } from '../errors.ts'
import type { OptionName, OptionValues, Settings } from './options.ts'
import { describePlace, type Origin } from './origin.ts'

/**
 * The executor that is named, or that follows: `isolate` and `memoryLimit` demand `process`, `multiproc: false`
 * demands `inline`, several cores, `multiproc`, `timeout` and `niceness` demand workers, a `pool` where nothing
 * else is said.
 *
 * @param ncores as resolved; 0 is the number of cores by now
 * @throws PypetError `PYPET_CONFIG_INVALID` for two options that cannot both hold, with the places of both
 */
export function chooseExecutor(
  values: OptionValues,
  origins: Readonly<Record<OptionName, Origin>>,
  ncores: number,
): Settings['executor'] {
  const named = values.executor as Settings['executor'] | undefined
  const demands = demandsOf(values)
  const place = (name: OptionName) => `${describePlace(name, origins[name])} is ${values[name]}`
  for (const { by, allowed, reason, hint } of demands) {
    const isNamedWrong = named !== undefined && !allowed.includes(named)
    const contrary = demands.find((other) => !other.allowed.some((executor) => allowed.includes(executor)))
    const other = isNamedWrong ? 'executor' : contrary?.by
    if (other === undefined) continue
    throw new PypetError('PYPET_CONFIG_INVALID', `${place(by)}, and ${place(other)}: ${reason}`, {
      where: describePlace(by, origins[by]),
      hint,
    })
  }
  if (named !== undefined) return named
  const possible = EXECUTORS.filter((executor) => demands.every(({ allowed }) => allowed.includes(executor)))
  const isOne = ncores === 1 || values.multiproc === false
  return isOne || !possible.includes('pool') ? (possible[0] ?? 'inline') : 'pool'
}

/** What is taken first where several would do. */
const EXECUTORS = ['inline', 'pool', 'process'] as const

interface Demand {
  readonly by: OptionName
  readonly allowed: readonly Settings['executor'][]
  /** Why others will not do. */
  readonly reason: string
  readonly hint: string
}

function demandsOf(values: OptionValues): readonly Demand[] {
  const all: (Demand & { readonly isMade: boolean })[] = [
    {
      isMade: values.isolate === true,
      by: 'isolate',
      allowed: ['process'],
      reason: 'isolated runs have a process each',
      hint: 'Leave the other out; the executor process is the same as isolate.',
    },
    {
      isMade: Number(values.memoryLimit) > 0,
      by: 'memoryLimit',
      allowed: ['process'],
      reason: 'only the memory of a process can be limited',
      hint: 'Leave the other out, or give the executor process.',
    },
    {
      isMade: values.multiproc === true,
      by: 'multiproc',
      allowed: ['pool', 'process'],
      reason: 'runs are performed either in the main thread or outside of it',
      hint: 'Leave one of them out.',
    },
    {
      isMade: values.multiproc === false,
      by: 'multiproc',
      allowed: ['inline'],
      reason: 'runs are performed either in the main thread or outside of it',
      hint: 'Leave one of them out.',
    },
    {
      isMade: Number(values.timeout) > 0,
      by: 'timeout',
      allowed: ['pool', 'process'],
      reason: 'a run that is performed inline cannot be ended',
      hint: 'Leave the other out, or give the executor pool.',
    },
    {
      isMade: values.niceness !== undefined && values.niceness !== 0,
      by: 'niceness',
      allowed: ['pool', 'process'],
      reason: 'runs that are performed inline share the priority of the main process',
      hint: 'Leave the other out, or start the command with nice.',
    },
  ]
  return all.filter(({ isMade }) => isMade)
}
