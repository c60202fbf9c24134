/** Follows a `.cnt` file while a writer appends to it: every page image that comes is kept. */
import { statSync } from 'node:fs'
import { RECORDS_OFFSET } from './cnt-format.ts'
import type { CntRecord, ExperimentRecord, PageImage } from './cnt-record.ts'
import { readRecord } from './cnt-records.ts'
import { readExperiment } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'
import { PageSet } from './page-set.ts'

export class CntFollower {
  readonly path: string
  readonly #system: DiskSystem
  readonly #experiment: ExperimentRecord
  #disk: Disk
  #inode: number
  #position = RECORDS_OFFSET
  #lastSequence = 0
  #fileBytes: number
  #superblock: string
  #isApplied = false
  readonly #pages = new PageSet()

  /**
   * Reads what is there.
   *
   * @throws PypetError as `readCnt`
   */
  constructor(path: string, system: DiskSystem = FILES) {
    this.path = path
    this.#system = system
    this.#experiment = readExperiment(path, system)
    this.#disk = system.open(path, 'read')
    this.#inode = inodeOf(path) ?? 0
    this.#fileBytes = this.#experiment.baseBytes
    this.#superblock = this.#experiment.baseSuperblock
    this.#readOn()
  }

  /** Size of the HDF5 file as of the last commit. */
  get fileBytes(): number {
    return this.#fileBytes
  }

  /** `superblockOf` the HDF5 file as of the last commit. */
  get superblock(): string {
    return this.#superblock
  }

  /** Whether all is in the HDF5 file, which others may have written since: then its own size counts. */
  get isApplied(): boolean {
    return this.#isApplied
  }

  /** Images that may have come into the HDF5 file since this began, or are not there yet. */
  images(): PageImage[] {
    return this.#pages.images()
  }

  /**
   * Reads what has come.
   *
   * @returns false when something was missed, because the file is gone or another one, or was compacted twice
   */
  poll(): boolean {
    const inode = inodeOf(this.path)
    if (inode === undefined) return false
    if (inode === this.#inode) {
      this.#readOn()
      return true
    }
    // What was appended before the file was replaced is still to be had.
    this.#readOn()
    return this.#reopen(inode)
  }

  close(): void {
    this.#disk.close()
  }

  #reopen(inode: number): boolean {
    const { trajectory } = readExperiment(this.path, this.#system).request
    if (trajectory.environmentHexsha !== this.#experiment.request.trajectory.environmentHexsha) return false
    const before = this.#lastSequence
    this.#disk.close()
    this.#disk = this.#system.open(this.path, 'read')
    this.#inode = inode
    this.#position = RECORDS_OFFSET
    this.#readOn()
    // The first commit of a compacted file stands for all up to it, without their pages.
    return this.#firstSequence <= before
  }

  #firstSequence = 0

  #readOn(): void {
    const size = this.#disk.size()
    for (;;) {
      const found = readRecord(this.#disk, this.#position, size)
      if (found === undefined) return
      if (this.#position === RECORDS_OFFSET) this.#firstSequence = 0
      this.#position = found.end
      this.#take(found.record)
    }
  }

  #take(record: CntRecord): void {
    if (record.type === 'applied') this.#isApplied = true
    if (record.type !== 'commit') return
    if (this.#firstSequence === 0) this.#firstSequence = record.sequence
    if (record.sequence <= this.#lastSequence) return
    this.#lastSequence = record.sequence
    this.#isApplied = false
    this.#fileBytes = record.fileBytes
    this.#superblock = record.superblock
    for (const page of record.pages) this.#pages.lay(page)
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
