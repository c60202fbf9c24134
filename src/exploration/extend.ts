/** An exploration that has grown: what post-processing, or a script, has added while the experiment runs. */
import type { Parameter } from '../trajectory/parameter.ts'
import type { Scalar } from '../trajectory/stored-value.ts'
import { type ExplorationSpec, explorationNames } from './exploration.ts'

/**
 * An exploration with points behind its own. Where nothing was explored so far, the one run had the defaults, and they
 * are its point from now on.
 *
 * @param added names exactly what is explored already, or anything where nothing is; `expand` checks the result
 */
export function extendedExploration(
  before: ExplorationSpec | undefined,
  added: ExplorationSpec,
  parameters: readonly Parameter[],
): ExplorationSpec {
  const first = before ?? defaultPoint(explorationNames(added), parameters)
  // Flat, because an adaptive search may add points a thousand times.
  return { kind: 'concat', parts: [...partsOf(first), ...partsOf(added)] }
}

function partsOf(spec: ExplorationSpec): readonly ExplorationSpec[] {
  return spec.kind === 'concat' ? spec.parts : [spec]
}

/** The point of a run that had the defaults. */
export function defaultPoint(names: readonly string[], parameters: readonly Parameter[]): ExplorationSpec {
  const columns = names.map((name) => {
    const value = parameters.find((parameter) => parameter.name === name)?.value as Scalar
    return { name, range: { kind: 'values', values: [value] } } as const
  })
  return { kind: 'points', columns }
}
