/** Options that a call was given in plain JavaScript, and that it does not have. */
import { PypetError } from '../errors.ts'
import { nearestName } from './nearest-name.ts'

/**
 * What a call was given as options and none of them is.
 *
 * @param noun who has the options: `new Trajectory`
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` with the nearest name, `PYPET_USAGE` for what is no object
 */
export function assertKnownOptions(given: unknown, known: readonly string[], noun: string): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null) {
    throw new PypetError('PYPET_USAGE', `${noun}: the options are not an object`, {
      where: noun,
      hint: `Give them by name: { ${known.slice(0, 2).join(', ')} }.`,
    })
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const nearest = nearestName(unknown, known)
  throw new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `${noun} has no option ${unknown}`, {
    where: unknown,
    hint: nearest === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${nearest}?`,
  })
}
