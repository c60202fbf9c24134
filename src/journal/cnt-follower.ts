/** Follows a `.cnt` file while a writer appends to it, and keeps every new page image. */
import { fstatSync, statSync } from 'node:fs'
import { isPypetError } from '../errors.ts'
import { RECORDS_OFFSET } from './cnt-format.ts'
import type { CntRecord, ExperimentRecord, PageImage } from './cnt-record.ts'
import { readRecord } from './cnt-records.ts'
import { readCnt, readExperiment } from './cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from './disk.ts'
import { PageSet } from './page-set.ts'

export class CntFollower {
  readonly path: string
  readonly #system: DiskSystem
  readonly #experiment: ExperimentRecord
  #disk: Disk
  #inode: number | undefined
  #position = RECORDS_OFFSET
  /** The first commit in the file that is open now. 0 before there is one. */
  #firstSequence = 0
  #lastSequence = 0
  #fileBytes: number
  #superblock: string
  readonly #knownSuperblocks: Set<string>
  #isApplied = false
  /** Whether something was missed, or another program has had the HDF5 file. */
  #isLost = false
  #pages = new PageSet()

  /**
   * Reads the current content.
   *
   * @throws PypetError as `readCnt`. The system's `ENOENT` if the file was removed just now.
   */
  constructor(path: string, system: DiskSystem = FILES) {
    this.path = path
    this.#system = system
    // Later reads take a bad record for an unfinished one. This read finds damage.
    this.#experiment = readCnt(path, system).experiment
    this.#fileBytes = this.#experiment.baseBytes
    this.#superblock = this.#experiment.baseSuperblock
    this.#knownSuperblocks = new Set([this.#superblock])
    this.#disk = system.open(path, 'read')
    this.#inode = inodeOf(this.#disk)
    this.#readOn()
    this.#isLost = false
  }

  /** Size of the HDF5 file at the last commit. */
  get fileBytes(): number {
    return this.#fileBytes
  }

  /** `superblockOf` the HDF5 file at the last commit. */
  get superblock(): string {
    return this.#superblock
  }

  /** Whether everything is in the HDF5 file. Others may have written to it since, so its own size counts. */
  get isApplied(): boolean {
    return this.#isApplied
  }

  /** Whether an HDF5 file with this `superblockOf` can be the one being written. */
  knows(superblock: string): boolean {
    return this.#knownSuperblocks.has(superblock)
  }

  /** Images that may have reached the HDF5 file since this began, or are not there yet. */
  images(): PageImage[] {
    return this.#pages.images(this.#fileBytes)
  }

  /**
   * Reads what was appended.
   *
   * @returns false, from then on, if something was missed: the file is gone or was replaced, was compacted twice, or
   *   another program has had the HDF5 file
   */
  poll(): boolean {
    // First read what was appended to the open file, even if it has been replaced since.
    this.#readOn()
    const inode = statSync(this.path, { throwIfNoEntry: false })?.ino
    if (inode === undefined || (inode !== this.#inode && !this.#reopen())) this.#isLost = true
    return !this.#isLost
  }

  close(): void {
    this.#disk.close()
  }

  /** Continues with the file that a compaction put in place of the open one. */
  #reopen(): boolean {
    const before = this.#lastSequence
    try {
      const { trajectory } = readExperiment(this.path, this.#system).request
      if (trajectory.environmentHexsha !== this.#experiment.request.trajectory.environmentHexsha) return false
      const disk = this.#system.open(this.path, 'read')
      this.#disk.close()
      this.#disk = disk
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
    this.#inode = inodeOf(this.#disk)
    this.#position = RECORDS_OFFSET
    this.#firstSequence = 0
    this.#readOn()
    // The first commit of a compacted file replaces all earlier ones, without their pages.
    return this.#firstSequence <= before
  }

  #readOn(): void {
    const size = this.#disk.size()
    for (;;) {
      const found = readRecord(this.path, this.#disk, this.#position, size)
      if (found === undefined) return
      this.#position = found.end
      this.#take(found.record)
    }
  }

  #take(record: CntRecord): void {
    if (record.type === 'applied') {
      this.#isApplied = true
      this.#isLost = true
      // From now on, others may change the file. These pages must not cover that.
      this.#pages = new PageSet()
    }
    if (record.type !== 'commit') return
    if (this.#firstSequence === 0) this.#firstSequence = record.sequence
    if (record.sequence <= this.#lastSequence) return
    if (this.#isApplied) this.#isLost = true
    this.#isApplied = false
    this.#lastSequence = record.sequence
    this.#fileBytes = record.fileBytes
    this.#superblock = record.superblock
    this.#knownSuperblocks.add(record.superblock)
    if (record.foundSuperblock !== undefined) this.#knownSuperblocks.add(record.foundSuperblock)
    for (const page of record.pages) this.#pages.lay(page)
  }
}

/** Whether this is the error of a `.cnt` file that no longer exists. */
export function isGone(error: unknown): boolean {
  return isPypetError(error, 'PYPET_CNT_NOT_FOUND') || (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function inodeOf({ descriptor }: Disk): number | undefined {
  return descriptor === undefined ? undefined : fstatSync(descriptor).ino
}
