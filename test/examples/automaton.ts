/** The existing project of example 17, which knows nothing of experiments: cellular automata of one dimension. */
import { Lehmer } from './lehmer.ts'

export function initialState(name: string, count: number, seed: number): number[] {
  const random = new Lehmer(seed)
  return Array.from({ length: count }, (_, cell) =>
    name === 'random' ? random.below(2) : Number(cell === Math.trunc(count / 2)),
  )
}

/** The rows of all steps. The bits of the rule say what follows the three cells around each. */
export function cellularAutomaton(state: number[], rule: number, steps: number): number[][] {
  const rows = [state]
  while (rows.length < steps) {
    const last = rows.at(-1) ?? []
    const at = (cell: number) => last[(cell + last.length) % last.length] ?? 0
    rows.push(last.map((_, cell) => (rule >> (at(cell - 1) + 2 * at(cell) + 4 * at(cell + 1))) & 1))
  }
  return rows
}
