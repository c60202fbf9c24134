/**
 * A genetic algorithm that looks for the individual of ones: tournaments, crossover of two points, flipped bits. It takes the
 * place of the package that pypet's examples 19 and 20 use. The same as in `values.py`.
 */
import { Lehmer } from './lehmer.ts'

const POPULATION = 10
export const LENGTH = 12
export const GENERATIONS = 4

export class OneMax {
  readonly history: { evaluated: number; best: number; sum: number }[] = []
  #random = new Lehmer(42)
  #individuals = list(POPULATION, () => list(LENGTH, () => this.#random.below(2)))
  #fitness: (number | undefined)[] = list(POPULATION, () => undefined)

  /** Those that have no fitness yet. */
  get unknown(): number[][] {
    return this.#individuals.filter((_, index) => this.#fitness[index] === undefined)
  }

  learn(found: readonly number[]): void {
    const fitnesses = [...found]
    this.#fitness = this.#fitness.map((known) => known ?? fitnesses.shift())
    const known = this.#known
    this.history.push({
      evaluated: found.length,
      best: Math.max(...known),
      sum: known.reduce((sum, fitness) => sum + fitness, 0),
    })
  }

  breed(): void {
    const known = this.#known
    const chosen = list(POPULATION, () => {
      const rivals = list(3, () => this.#random.below(POPULATION))
      return rivals.reduce((best, rival) => ((known[rival] ?? 0) > (known[best] ?? 0) ? rival : best))
    })
    const individuals = chosen.map((index) => [...(this.#individuals[index] ?? [])])
    this.#fitness = chosen.map((index) => known[index])
    for (let index = 0; index < POPULATION; index += 2) this.#cross(individuals, index)
    for (const [index, individual] of individuals.entries()) {
      if (this.#random.uniform() >= 0.2) continue
      const bit = this.#random.below(LENGTH)
      individual[bit] = individual[bit] === 1 ? 0 : 1
      this.#fitness[index] = undefined
    }
    this.#individuals = individuals
  }

  #cross([...individuals]: readonly number[][], index: number): void {
    if (this.#random.uniform() >= 0.5) return
    const [one = [], two = []] = individuals.slice(index)
    const [begin = 0, end = 0] = list(2, () => this.#random.below(LENGTH)).sort((a, b) => a - b)
    const taken = one.slice(begin, end)
    one.splice(begin, end - begin, ...two.slice(begin, end))
    two.splice(begin, end - begin, ...taken)
    this.#fitness[index] = undefined
    this.#fitness[index + 1] = undefined
  }

  get #known(): number[] {
    return this.#fitness.map((fitness) => fitness ?? Number.NaN)
  }
}

function list<Element>(length: number, make: () => Element): Element[] {
  return Array.from({ length }, make)
}
