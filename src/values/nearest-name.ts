/** Checks names of options, and suggests what a mistyped name meant. */
import { distance } from 'fastest-levenshtein'
import { PypetError } from '../errors.ts'

/**
 * The candidate that a mistyped name most likely meant, for error messages: one that ends in the name
 * (`tau` → `neuron.tau`), or else the closest by edits if it is close enough. Otherwise undefined.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const suffix = candidates.find((candidate) => candidate.endsWith(`.${name}`))
  if (suffix !== undefined) return suffix
  const editsMax = Math.max(1, Math.floor(name.length / 3))
  let nearest: string | undefined
  let nearestEdits = editsMax + 1
  for (const candidate of candidates) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < nearestEdits) [nearest, nearestEdits] = [candidate, edits]
  }
  return nearest
}

/** A hint for a mistyped name: the nearest name, or the available ones. */
export function nearestHint(
  name: string,
  candidates: readonly string[],
  otherwise = `Available: ${candidates.join(', ')}.`,
): string {
  const nearest = nearestName(name, candidates)
  return nearest === undefined ? otherwise : `Did you mean ${nearest}?`
}

/**
 * Refuses options that the call does not have.
 *
 * @param noun the owner of the options: `new Trajectory`
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` with the nearest name, `PYPET_USAGE` if the options are not an object
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
  throw new PypetError('PYPET_CONFIG_UNKNOWN_KEY', `${noun} has no option ${unknown}`, {
    where: unknown,
    hint: nearestHint(unknown, known),
  })
}

/** The named options that are given. Undefined ones are left out. */
export function givenOf<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): { [Key in Name]?: Exclude<Options[Key], undefined> } {
  const given = names.filter((name) => options[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, options[name]])) as ReturnType<
    typeof givenOf<Options, Name>
  >
}
