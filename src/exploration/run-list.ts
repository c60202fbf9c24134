/** A growing list of ascending run indices, four bytes each. */
export class RunList {
  #runs = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(run: number): void {
    if (this.#length === this.#runs.length) {
      const larger = new Uint32Array(this.#runs.length * 2)
      larger.set(this.#runs)
      this.#runs = larger
    }
    this.#runs[this.#length] = run
    this.#length += 1
  }

  /** A copy of just the length: a view would carry the spare room to wherever it is sent. */
  toArray(): Uint32Array {
    return this.#runs.slice(0, this.#length)
  }
}
