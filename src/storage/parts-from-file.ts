/** What a run has stored before its end, on its way into the HDF5 file: leaf by leaf. */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { wholeLeaf } from '../journal/part-file.ts'
import type { PartsOfRun } from '../layout/trajectory-layout.ts'
import type { RawLeaf } from '../run/run-frame.ts'

export class PartsFromFile implements PartsOfRun {
  /** To be called one after the other, and each applied before the next is called. */
  readonly batches: (() => readonly Hdf5Operation[])[] = []
  readonly whole: (leaf: RawLeaf) => RawLeaf

  constructor(path: string) {
    this.whole = (leaf) => wholeLeaf(path, leaf)
  }

  readonly later = (...batches: readonly (() => readonly Hdf5Operation[])[]): void => {
    this.batches.push(...batches)
  }
}
