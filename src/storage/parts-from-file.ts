/** Moves what a run stored early into the HDF5 file, leaf by leaf. */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { wholeLeaf } from '../journal/part-file.ts'
import type { PartsOfRun } from '../layout/trajectory-layout.ts'
import type { RawLeaf } from '../run/run-frame.ts'

export class PartsFromFile implements PartsOfRun {
  /** Call these one after the other. Apply each result before the next call. */
  readonly batches: (() => readonly Hdf5Operation[])[] = []
  readonly whole: (leaf: RawLeaf) => RawLeaf

  constructor(path: string) {
    this.whole = (leaf) => wholeLeaf(path, leaf)
  }

  readonly later = (...batches: readonly (() => readonly Hdf5Operation[])[]): void => {
    this.batches.push(...batches)
  }
}
