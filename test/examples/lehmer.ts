/** Random numbers that Python gives, too: x → 16807 x mod 2³¹ − 1, exact in doubles. The same as in `values.py`. */
export class Lehmer {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  uniform(): number {
    this.#state = (this.#state * 16807) % 2147483647
    return this.#state / 2147483647
  }

  below(n: number): number {
    return Math.trunc(this.uniform() * n)
  }
}
