import type { Disk } from './disk.ts'

/** Remembers the first error of a disk: on its way through the HDF5 library, an error loses its cause. */
export class WatchedDisk implements Disk {
  failure: Error | undefined
  readonly descriptor?: number
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
    if (disk.descriptor !== undefined) this.descriptor = disk.descriptor
  }

  size(): number {
    return this.#watch(() => this.#disk.size())
  }

  read(target: Uint8Array, position: number): number {
    return this.#watch(() => this.#disk.read(target, position))
  }

  write(source: Uint8Array, position: number): void {
    this.#watch(() => this.#disk.write(source, position))
  }

  truncate(size: number): void {
    this.#watch(() => this.#disk.truncate(size))
  }

  sync(): void {
    this.#watch(() => this.#disk.sync())
  }

  close(): void {
    this.#disk.close()
  }

  #watch<Result>(action: () => Result): Result {
    try {
      return action()
    } catch (error) {
      this.failure ??= error as Error
      throw error
    }
  }
}
