/** Reads files back with h5wasm's own classes, apart from our reader. */
import h5wasm, { type Attribute, Dataset, type Group } from 'h5wasm/node'

export class Hdf5Content {
  readonly #file: InstanceType<typeof h5wasm.File>

  private constructor(file: InstanceType<typeof h5wasm.File>) {
    this.#file = file
  }

  static async open(path: string): Promise<Hdf5Content> {
    await h5wasm.ready
    return new Hdf5Content(new h5wasm.File(path, 'r'))
  }

  [Symbol.dispose](): void {
    this.#file.close()
  }

  has(path: string): boolean {
    return this.#file.get(path) !== null
  }

  names(path: string): string[] {
    return (this.#file.get(path) as Group).keys()
  }

  dataset(path: string): Dataset {
    const found = this.#file.get(path)
    if (!(found instanceof Dataset)) throw new Error(`${path} is no dataset`)
    return found
  }

  attribute(path: string, name: string): Attribute['value'] | undefined {
    return (this.#file.get(path) as Group | Dataset).attrs[name]?.value
  }

  /** A column of a table. Texts are UTF-8 declared as ASCII, which h5wasm reads byte by byte. */
  column(path: string, name: string): unknown[] {
    const dataset = this.dataset(path)
    const column = dataset.metadata.compound_type?.members.findIndex((member) => member.name === name)
    return (dataset.value as unknown[][]).map((row) => {
      const cell = row[column as number]
      return typeof cell === 'string' ? Buffer.from(cell, 'latin1').toString() : cell
    })
  }
}
