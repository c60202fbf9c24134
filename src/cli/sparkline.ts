/** Numbers as a line of blocks. */

const BLOCKS = '▁▂▃▄▅▆▇█'

/** A block for each number, from the least to the greatest. NaN is a gap. */
export function sparkline(numbers: readonly number[]): string {
  const finite = numbers.filter(Number.isFinite)
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  return numbers.map((number) => (Number.isNaN(number) ? ' ' : BLOCKS[stepOf(number, low, high)])).join('')
}

/** Numbers that are all equal are in the middle, infinite ones at the ends. */
function stepOf(number: number, low: number, high: number): number {
  const last = BLOCKS.length - 1
  if (!Number.isFinite(number)) return number > 0 ? last : 0
  if (high === low) return Math.ceil(last / 2)
  return Math.min(last, Math.floor(((number - low) / (high - low)) * BLOCKS.length))
}
