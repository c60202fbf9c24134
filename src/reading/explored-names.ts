import { overviewPath } from '../names.ts'
import type { Hdf5Reader } from './reader.ts'

/** Full names of the explored parameters of a trajectory, from its table: `parameters.neuron.tau`. */
export function exploredNames(reader: Hdf5Reader, trajectory: string): string[] {
  const table = overviewPath(`/${trajectory}`, 'explorations')
  const names: string[] = []
  if (reader.kind(table) !== 'dataset') return names
  reader.scanRows(table, ['explorations'], (_, [name]) => names.push(String(name)))
  return names
}
