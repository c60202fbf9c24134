/** How much of a trajectory to load, by branch (pypet `f_load`). */
import { PypetError } from '../errors.ts'

/**
 * `nothing`; `skeleton`: the nodes with comments and annotations, without data; `data`; `overwrite`: data, which also
 * replaces data in memory. pypet's numbers are 0 to 3.
 */
export type LoadLevel = 'nothing' | 'skeleton' | 'data' | 'overwrite' | 0 | 1 | 2 | 3

export interface LoadLevels {
  /** Default for all branches. */
  readonly all?: LoadLevel
  readonly parameters?: LoadLevel
  readonly derivedParameters?: LoadLevel
  readonly results?: LoadLevel
  /** `config`, and the user's own groups. */
  readonly other?: LoadLevel
}

export const LEVEL_NAMES = [
  'all',
  'parameters',
  'derivedParameters',
  'results',
  'other',
] as const satisfies (keyof LoadLevels)[]

const LEVELS = ['nothing', 'skeleton', 'data', 'overwrite'] as const
export type NamedLevel = (typeof LEVELS)[number]

/** pypet's defaults: parameters with their data, everything else as skeleton. */
export function levelOf(branch: string, levels: LoadLevels): NamedLevel {
  const { all } = levels
  switch (branch) {
    case 'parameters':
      return named(levels.parameters ?? all ?? 'data')
    case 'derived_parameters':
      return named(levels.derivedParameters ?? all ?? 'skeleton')
    case 'results':
      return named(levels.results ?? all ?? 'skeleton')
    default:
      return named(levels.other ?? all ?? 'skeleton')
  }
}

/** @throws PypetError `PYPET_USAGE` */
function named(level: LoadLevel): NamedLevel {
  const name = typeof level === 'number' ? LEVELS[level] : level
  if (name !== undefined && LEVELS.includes(name)) return name
  throw new PypetError('PYPET_USAGE', `there is no load level ${JSON.stringify(level)}`, {
    where: String(level),
    hint: `Available: ${LEVELS.join(', ')}, or 0 to ${LEVELS.length - 1}.`,
  })
}
