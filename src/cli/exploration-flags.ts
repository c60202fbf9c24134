/** The flags that say what is explored, for each command that explores; `--repeat` is an option of the table. */
import type { ExploreTexts } from '../exploration/explore-flags.ts'

export interface ExplorationFlag {
  readonly flag: string
  readonly description: string
  readonly isRepeatable: boolean
}

export const EXPLORE_FLAG: ExplorationFlag = {
  flag: '--explore <name=values>',
  description:
    'Explore a parameter, as x=1,2,3 or x=0:1:0.1 (start:stop:step); several form a product (repeatable).',
  isRepeatable: true,
}

/** What may be said beside the ranges. */
export const SHAPING_FLAGS: readonly ExplorationFlag[] = [
  {
    flag: '--sample <method:count>',
    description:
      'Draw points, as sobol:100, lhs:100 or random:100 (:seed may follow). Then --explore gives bounds, as x=0:1 or ' +
      'x=0.001:10:log, or a list to choose from.',
    isRepeatable: false,
  },
  {
    flag: '--only-if <name:condition>',
    description: `Explore this parameter only when a condition is true, as 'tau: mode == "slow"' (repeatable).`,
    isRepeatable: true,
  },
  {
    flag: '--derive <name=formula>',
    description: `Give a parameter a value that follows from the others, as 'z = x * 2' (repeatable).`,
    isRepeatable: true,
  },
  {
    flag: '--where <condition>',
    description: `Run only points where a condition holds, as 'x<y' (repeatable).`,
    isRepeatable: true,
  },
]

/** Gathers the values of a flag that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** The texts that commander found. */
export function exploreTexts(flags: ExploreTexts): ExploreTexts {
  const { explore, sample, onlyIf, derive, where } = flags
  return { explore, sample, onlyIf, derive, where }
}
