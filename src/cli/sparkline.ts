/** Numbers as a line of blocks. */

const BLOCKS = '▁▂▃▄▅▆▇█'

/** A block for each number, from the least to the greatest. NaN is a gap. Infinite ones are at the ends. */
export function sparkline(numbers: readonly number[]): string {
  const finite = numbers.filter(Number.isFinite)
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  return numbers
    .map((number) => {
      if (Number.isNaN(number)) return ' '
      // Numbers that are all equal are in the middle.
      const place = high > low ? (number - low) / (high - low) : number === low ? 0.5 : number > low ? 1 : 0
      const step = Math.floor(Math.min(1, Math.max(0, place)) * BLOCKS.length)
      return BLOCKS[Math.min(BLOCKS.length - 1, step)]
    })
    .join('')
}
