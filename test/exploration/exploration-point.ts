import {
  type ExplorationSpec,
  explorationNames,
  explorationReader,
  type Point,
} from '../../src/exploration/exploration.ts'

/** All explored values of one run. */
export function explorationPoint(spec: ExplorationSpec, run: number): Point {
  return Object.fromEntries(explorationNames(spec).map((name) => [name, explorationReader(spec, name)(run)]))
}
