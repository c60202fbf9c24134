/** Reads a `.cnt` file that several processes write in turns. Each turn reads only what is new. */
import { fstatSync, statSync } from 'node:fs'
import { RECORDS_OFFSET } from './cnt-format.ts'
import { readRecord } from './cnt-records.ts'
import { type CntState, Replay } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'
import type { OpenFile } from './displaced.ts'

export class CntTail {
  readonly path: string
  readonly #system: DiskSystem
  #disk: Disk | undefined
  #inode: number | undefined
  #position = RECORDS_OFFSET
  #replay: Replay

  constructor(path: string, system: DiskSystem = FILES) {
    this.path = path
    this.#system = system
    this.#replay = new Replay(path)
  }

  /**
   * The current state of the file. Call it only during your turn: an unfinished record was left by a process that died,
   * and is ignored.
   *
   * @throws PypetError `PYPET_CNT_DAMAGED`. The disk's errors unchanged.
   */
  readOn(): CntState {
    // A compaction replaces the file with another one, in which one commit replaces many.
    if (this.#disk === undefined || statSync(this.path).ino !== this.#inode) this.#begin()
    const disk = this.#disk as Disk
    const size = disk.size()
    for (;;) {
      const found = readRecord(this.path, disk, this.#position, size)
      if (found === undefined) return this.#replay.state(this.#position)
      this.#position = found.end
      this.#replay.take(found.record)
    }
  }

  /** The file as last found. Undefined before that. */
  get openFile(): OpenFile | undefined {
    const descriptor = this.#disk?.descriptor
    return descriptor === undefined ? undefined : { path: this.path, descriptor }
  }

  close(): void {
    this.#disk?.close()
    this.#disk = undefined
  }

  #begin(): void {
    this.#disk?.close()
    this.#disk = this.#system.open(this.path, 'read')
    const { descriptor } = this.#disk
    this.#inode = descriptor === undefined ? undefined : fstatSync(descriptor).ino
    this.#position = RECORDS_OFFSET
    this.#replay = new Replay(this.path)
  }
}
