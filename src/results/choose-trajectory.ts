/** Which trajectory of a file is meant. */
import { PypetError } from '../errors.ts'
import { overviewPath } from '../names.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { nearestName } from '../values/nearest-name.ts'

/**
 * The trajectories of a file, or the wanted one.
 *
 * @throws PypetError `PYPET_FILE_NO_TRAJECTORY`, `PYPET_TRAJECTORY_NOT_FOUND`
 */
export function chooseTrajectories(reader: Hdf5Reader, wanted: string | undefined): string[] {
  const { file } = reader
  const children = reader.children('/')
  const names = children.filter((name) => isTrajectory(reader, name))
  if (names.length === 0) {
    const found =
      children.length === 0 ? 'nothing' : `${quoteNames(children)}, without an \`overview/info\` table`
    throw new PypetError('PYPET_FILE_NO_TRAJECTORY', `${file} holds no trajectory; found ${found}`, {
      where: file,
      hint: 'Another program wrote this HDF5 file; `h5ls` lists its content.',
    })
  }
  if (wanted === undefined) return names
  if (names.includes(wanted)) return [wanted]
  const nearest = nearestName(wanted, names)
  throw new PypetError(
    'PYPET_TRAJECTORY_NOT_FOUND',
    `${file} holds no trajectory ${JSON.stringify(wanted)}`,
    {
      where: '--trajectory',
      hint:
        nearest === undefined ? `It holds ${quoteNames(names)}.` : `Did you mean ${JSON.stringify(nearest)}?`,
    },
  )
}

/**
 * The wanted trajectory, or the only one.
 *
 * @throws PypetError as `chooseTrajectories`; `PYPET_TRAJECTORY_NOT_FOUND` if there are several and none is named
 */
export function chooseTrajectory(reader: Hdf5Reader, wanted: string | undefined): string {
  const names = chooseTrajectories(reader, wanted)
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  throw new PypetError(
    'PYPET_TRAJECTORY_NOT_FOUND',
    `${reader.file} holds ${names.length} trajectories, and none is named`,
    { where: '--trajectory', hint: `Name one with --trajectory: ${quoteNames(names)}.` },
  )
}

function isTrajectory(reader: Hdf5Reader, name: string): boolean {
  return reader.kind(overviewPath(`/${name}`, 'info')) === 'dataset'
}

const NAMES_MAX = 8

function quoteNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).map((name) => JSON.stringify(name))
  return names.length <= NAMES_MAX
    ? shown.join(', ')
    : `${shown.join(', ')} and ${names.length - NAMES_MAX} more`
}
