/** Chooses the executor from the options that require one, and detects options that contradict each other. */
import { PypetError } from '../errors.ts'
import type { OptionName, OptionValues, Settings } from './options.ts'
import { describePlace, type Origin } from './origin.ts'

/**
 * The named executor, or the one that follows from other options: `isolate` and `memoryLimit` require `process`;
 * `multiproc: false` requires `inline`; several cores, `multiproc`, `timeout` and `niceness` require workers, by
 * default a `pool`.
 *
 * @param ncores as resolved; 0 has already become the number of cores
 * @throws PypetError `PYPET_CONFIG_INVALID` for two contradicting options, with the places of both
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

/** In order of preference. */
const EXECUTORS = ['inline', 'pool', 'process'] as const

interface Demand {
  readonly by: OptionName
  readonly allowed: readonly Settings['executor'][]
  /** Why the others are not possible. */
  readonly reason: string
  readonly hint: string
}

function demandsOf(values: OptionValues): readonly Demand[] {
  const all: (Demand & { readonly isMade: boolean })[] = [
    {
      isMade: values.isolate === true,
      by: 'isolate',
      allowed: ['process'],
      reason: 'each isolated run has its own process',
      hint: 'Leave out the other option; the executor process is the same as isolate.',
    },
    {
      isMade: Number(values.memoryLimit) > 0,
      by: 'memoryLimit',
      allowed: ['process'],
      reason: 'only processes have a memory limit',
      hint: 'Leave out the other option, or use the executor process.',
    },
    {
      isMade: values.multiproc === true,
      by: 'multiproc',
      allowed: ['pool', 'process'],
      reason: 'runs are computed either in the main thread or outside it',
      hint: 'Leave out one of them.',
    },
    {
      isMade: values.multiproc === false,
      by: 'multiproc',
      allowed: ['inline'],
      reason: 'runs are computed either in the main thread or outside it',
      hint: 'Leave out one of them.',
    },
    {
      isMade: Number(values.timeout) > 0,
      by: 'timeout',
      allowed: ['pool', 'process'],
      reason: 'a run in the main thread cannot be stopped',
      hint: 'Leave out the other option, or use the executor pool.',
    },
    {
      isMade: values.niceness !== undefined && values.niceness !== 0,
      by: 'niceness',
      allowed: ['pool', 'process'],
      reason: 'runs in the main thread share the priority of the main process',
      hint: 'Leave out the other option, or start the command with nice.',
    },
  ]
  return all.filter(({ isMade }) => isMade)
}
