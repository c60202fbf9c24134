import { distance } from 'fastest-levenshtein'

/**
 * The candidate that a mistyped name most likely meant, for error messages: the one that ends in it
 * (`tau` → `neuron.tau`), or the closest by edits when that is close enough; otherwise undefined.
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
