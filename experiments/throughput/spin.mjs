/**
 * A fixed amount of arithmetic, so that waiting for a core shows up in the time, as it does in real jobs.
 *
 * @param {number} iterations
 */
export function work(iterations) {
  let sum = 0
  for (let index = 1; index <= iterations; index += 1) sum += Math.sin(index % 1024) / index
  return sum
}
