/**
 * The commit point of a file: what was applied before a `commit` is durable when it returns, what was
 * applied after the last one may be lost. Every commit of every storage mode goes through here.
 */
import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { PypetError } from '../errors.ts'
import { hdf5Cause } from './h5wasm.ts'
import type { Hdf5File } from './hdf5-file.ts'

export class Hdf5Transaction {
  readonly #file: Hdf5File
  /** A descriptor of our own: HDF5's lives inside the wasm module, which cannot sync. */
  readonly #descriptor: number

  private constructor(file: Hdf5File, descriptor: number) {
    this.#file = file
    this.#descriptor = descriptor
  }

  static begin(file: Hdf5File): Hdf5Transaction {
    return new Hdf5Transaction(file, openSync(file.path, 'r+'))
  }

  /**
   * Makes everything applied so far durable.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`; then nothing since the last commit may be announced
   */
  commit(): void {
    this.#durably('commit', () => this.#file.flush())
  }

  /**
   * Closes the file, and makes durable what that has written.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED`
   */
  end(): void {
    this.#durably('close', () => this.#file.close())
    closeSync(this.#descriptor)
  }

  #durably(step: 'commit' | 'close', write: () => void): void {
    try {
      write()
      fdatasyncSync(this.#descriptor)
    } catch (cause) {
      throw new PypetError(
        'PYPET_STORAGE_FAILED',
        `${this.#file.path}: ${step} failed: ${hdf5Cause(cause)}`,
        {
          where: this.#file.path,
          hint: 'Check the free space of the disk.',
          cause,
        },
      )
    }
  }
}
