/** Writes a `.cnt` file: one record after the other, each durable before anything relies on it. */
import { basename, dirname, join } from 'node:path'
import { PypetError } from '../errors.ts'
import { encodeFileStart, encodeRecord, encodeSlot, SLOT_OFFSETS } from './cnt-format.ts'
import type { CntRecord, CommitFacts, ExperimentRecord, ReturnedValue } from './cnt-record.ts'
import { readRecords } from './cnt-records.ts'
import { type CntState, readCnt } from './cnt-state.ts'
import type { Disk, DiskSystem } from './disk.ts'
import type { OpenFile } from './displaced.ts'
import { headIn } from './replacement.ts'

export class CntJournal {
  #path: string
  readonly #system: DiskSystem
  #disk: Disk
  #end: number
  #lastSequence: number
  /** All pages up to this commit are durably in the HDF5 file. */
  #applied: number
  #slot = 0
  /** What the next commit says about the HDF5 file as it was found. */
  #foundSuperblock: string | undefined
  /** Size after the last compaction. */
  #compactedBytes: number

  private constructor(
    system: DiskSystem,
    path: string,
    at: { readonly disk: Disk; readonly end: number; readonly lastSequence: number },
  ) {
    this.#system = system
    this.#path = path
    this.#disk = at.disk
    this.#end = at.end
    this.#lastSequence = at.lastSequence
    this.#applied = at.lastSequence
    this.#compactedBytes = at.end
  }

  /**
   * Creates the file with its first record, durable when this returns.
   *
   * @throws PypetError `PYPET_CNT_EXISTS`; the disk's errors unchanged
   */
  static create(system: DiskSystem, path: string, experiment: ExperimentRecord): CntJournal {
    CntJournal.refuseExisting(system, path)
    const { disk, end } = writeWhole(system, path, [recordedExperiment({ experiment })])
    return new CntJournal(system, path, { disk, end, lastSequence: 0 })
  }

  /** @throws PypetError `PYPET_CNT_EXISTS` if there is a file: it belongs to another experiment */
  static refuseExisting(system: DiskSystem, path: string): void {
    if (!system.exists(path)) return
    throw new PypetError(
      'PYPET_CNT_EXISTS',
      `${path} already exists: another trajectory with this name is unfinished`,
      {
        where: path,
        hint: `Resume it with \`pypet-ts continue ${path}\`, remove it, or choose another name (--name).`,
        details: { cntFile: path },
      },
    )
  }

  /** Continues after the last intact record of a file whose pages are all applied. */
  static resume(system: DiskSystem, state: CntState): CntJournal {
    const disk = system.open(state.path, 'write')
    if (disk.size() > state.endOffset) disk.truncate(state.endOffset)
    const { experiment, endOffset, lastSequence } = state
    const journal = new CntJournal(system, state.path, { disk, end: endOffset, lastSequence })
    journal.#foundSuperblock = headIn(experiment.request.file, system) || undefined
    return journal
  }

  /**
   * Continues after the last intact record, if several processes write the file in turns and nobody else has changed
   * the HDF5 file.
   *
   * @param applied pages up to this commit are durably in the HDF5 file
   */
  static takeUp(system: DiskSystem, state: CntState, applied: number): CntJournal {
    const disk = system.open(state.path, 'write')
    const { endOffset, lastSequence } = state
    if (disk.size() > endOffset) disk.truncate(endOffset)
    const journal = new CntJournal(system, state.path, { disk, end: endOffset, lastSequence })
    journal.#applied = applied
    return journal
  }

  get path(): string {
    return this.#path
  }

  /** Renames the file to a free name. Durable on return. */
  rename(path: string): void {
    if (path === this.#path) return
    this.#system.rename(this.#path, path)
    this.#path = path
    this.#system.syncFolderOf(path)
  }

  /** 0 before the first commit. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  get bytes(): number {
    return this.#end
  }

  /** Undefined if the disk is not on this machine. */
  get openFile(): OpenFile | undefined {
    const { descriptor } = this.#disk
    return descriptor === undefined ? undefined : { path: this.path, descriptor }
  }

  /** Pages up to this commit are durably in the HDF5 file. The next commit says so. */
  noteApplied(sequence: number): void {
    this.#applied = Math.max(this.#applied, sequence)
  }

  /**
   * Appends a commit. Its runs are stored on return.
   *
   * @returns its sequence number
   * @throws the disk's errors unchanged. The commit may be there or not, and nothing more can be appended.
   */
  append(facts: CommitFacts): number {
    const sequence = this.#lastSequence + 1
    const applied = Math.min(this.#applied, this.#lastSequence)
    const foundSuperblock = this.#foundSuperblock
    this.#append({
      ...facts,
      type: 'commit',
      sequence,
      applied,
      ...(foundSuperblock !== undefined && { foundSuperblock }),
    })
    this.#foundSuperblock = undefined
    return sequence
  }

  /** All commits are durably in the HDF5 file, so it must never be rolled back to them. Durable on return. */
  appendApplied(): void {
    this.#append({ type: 'applied', sequence: this.#lastSequence })
    // Also write the slot: without it, a damaged record would look like an unfinished one.
    this.#disk.sync()
  }

  /**
   * Whether the file is much larger than after a compaction.
   *
   * @param compactBytes smaller files are not worth rewriting. 0 for no limit.
   */
  isLarge(compactBytes: number): boolean {
    return compactBytes === 0 || this.#end > compactBytes + 2 * this.#compactedBytes
  }

  /**
   * Rewrites the file as a single commit. All pages must be durably in the HDF5 file. If the disk has no room, the file
   * stays as it is.
   */
  compact(): void {
    const state = readCnt(this.path, this.#system)
    const returned: ReturnedValue[] = [...returnedValues(this.path, this.#system)].map(([run, bytes]) => ({
      run,
      bytes,
    }))
    const {
      lastSequence,
      stored,
      failed,
      memory,
      startTimestamp,
      fileBytes,
      superblock,
      isComplete,
      hasEnded,
    } = state
    const merged: CntRecord = {
      type: 'commit',
      sequence: lastSequence,
      applied: lastSequence,
      fileBytes,
      superblock,
      stored: stored.toRanges(),
      failed: [...failed.values()],
      reopened: [],
      memory,
      ...(startTimestamp !== undefined && { startTimestamp }),
      isComplete,
      hasEnded,
      returned,
      pages: [],
    }
    try {
      const { disk, end } = writeWhole(this.#system, this.path, [recordedExperiment(state), merged])
      this.#disk.close()
      this.#disk = disk
      this.#end = end
    } catch {
      // No harm done: try again when it has grown further.
    }
    this.#applied = lastSequence
    this.#compactedBytes = this.#end
  }

  /** Removes the file durably: the experiment is complete. */
  remove(): void {
    this.#system.remove(this.path)
    this.#system.syncFolderOf(this.path)
  }

  close(): void {
    this.#disk.close()
  }

  #append(record: CntRecord): void {
    const bytes = encodeRecord(record)
    this.#disk.write(bytes, this.#end)
    this.#disk.sync()
    this.#end += bytes.byteLength
    if (record.type === 'commit') this.#lastSequence = record.sequence
    // From here on, a bad record is damage, not an unfinished one.
    this.#slot = 1 - this.#slot
    const slot = encodeSlot({ sequence: this.#lastSequence, recordEnd: this.#end })
    this.#disk.write(slot, SLOT_OFFSETS[this.#slot] as number)
  }
}

/** The first record: the HDF5 file is named without its folder, and all added points are part of the exploration. */
function recordedExperiment({ experiment }: Pick<CntState, 'experiment'>): ExperimentRecord {
  const request = { ...experiment.request, file: basename(experiment.request.file) }
  return { ...experiment, request }
}

/** Return values of the jobs as structured-clone bytes, by run. If a run was performed twice, the last one. */
export function returnedValues(path: string, system: DiskSystem): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Uint8Array>()
  readRecords(path, system, (record) => {
    if (record.type !== 'commit') return
    for (const { run, bytes } of record.returned) values.set(run, bytes)
  })
  return values
}

/**
 * Where a `.cnt` file is written before it gets its name: `file.h5.cnt.new`. Whoever has just taken the lock of the
 * HDF5 file may remove it.
 */
export function newCntBeside(file: string): string {
  return `${file}.cnt.new`
}

/** Replaces a file, if there is one: afterwards either the old file or all of the new one is there. */
function writeWhole(
  system: DiskSystem,
  path: string,
  records: readonly [ExperimentRecord, ...CntRecord[]],
): { readonly disk: Disk; readonly end: number } {
  const [experiment] = records
  const temporary = newCntBeside(join(dirname(path), basename(experiment.request.file)))
  const disk = system.create(temporary)
  try {
    const bytes = Buffer.concat([encodeFileStart(), ...records.map(encodeRecord)])
    disk.write(bytes, 0)
    const last = records.at(-1)
    const sequence = last?.type === 'commit' ? last.sequence : 0
    disk.write(encodeSlot({ sequence, recordEnd: bytes.byteLength }), SLOT_OFFSETS[0])
    disk.sync()
    system.rename(temporary, path)
    system.syncFolderOf(path)
    return { disk, end: bytes.byteLength }
  } catch (error) {
    disk.close()
    system.remove(temporary)
    throw error
  }
}
