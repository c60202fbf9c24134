/** How much of a test is done: all of it by `npm run test:crash`, a sample by `npm test`. */

export const isLongForm = process.env.PYPET_TEST_CRASH === 'long'

/** A seed for a random test, which its messages name: `PYPET_TEST_SEED` gives it again. */
export function seedOf(): number {
  const given = process.env.PYPET_TEST_SEED
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}

/** Numbers from 0 to 1, exclusive, that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
