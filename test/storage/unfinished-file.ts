/** HDF5 files whose last commits are in a `.cnt` file only, as a writer leaves them when it is killed. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import h5wasm, { type File } from 'h5wasm/node'
import { superblockOf } from '../../src/journal/cnt-format.ts'
import { CntJournal } from '../../src/journal/cnt-journal.ts'
import type { CommitFacts, PageImage } from '../../src/journal/cnt-record.ts'
import { FILES } from '../../src/journal/disk.ts'
import { writeHdf5 } from '../results/trajectory-file.ts'
import { openRequest } from './open-request.ts'

const PAGE_BYTES = 4096

/** A file with a journal beside it, through which the states of the file are committed one by one. */
export class UnfinishedFile {
  readonly path: string
  readonly journal: CntJournal
  /** The file as of the last commit. */
  #committed: Buffer
  /** Pages that are not in the file. */
  #pages: PageImage[] = []

  private constructor(path: string, journal: CntJournal, base: Buffer) {
    this.path = path
    this.journal = journal
    this.#committed = base
  }

  /** A file with `fill` in it, and the journal of a trajectory that has committed nothing. */
  static async create(path: string, trajectory: string, fill: (file: File) => void): Promise<UnfinishedFile> {
    await writeHdf5(path, fill)
    return UnfinishedFile.follow(path, trajectory)
  }

  /** The journal of a trajectory that comes to an existing file. */
  static follow(path: string, trajectory: string): UnfinishedFile {
    const base = readFileSync(path)
    const cntFile = path.replace(/[^/]*$/, `${trajectory}.cnt`)
    const journal = CntJournal.create(FILES, cntFile, {
      type: 'experiment',
      request: openRequest(path, { name: trajectory, x: Array.from({ length: 20 }, (_, run) => run) }),
      baseBytes: base.byteLength,
      baseSuperblock: superblockOf(base),
    })
    return new UnfinishedFile(path, journal, base)
  }

  /** What the file would be if all of it were written. */
  get committed(): Buffer {
    return this.#committed
  }

  /** Commits a change. The disk gets what comes after the old end, and nothing else. */
  commit(change: (file: File) => void, facts: Partial<CommitFacts> = {}): void {
    const scratch = `${this.path}.scratch`
    writeFileSync(scratch, this.#committed)
    const file = new h5wasm.File(scratch, 'a')
    change(file)
    file.close()
    const next = readFileSync(scratch)
    const pages = changedPages(this.#committed, next)
    this.#write([{ offset: this.#committed.byteLength, bytes: next.subarray(this.#committed.byteLength) }])
    this.journal.append({
      fileBytes: next.byteLength,
      superblock: superblockOf(next),
      stored: [],
      failed: [],
      reopened: [],
      memory: { added: {}, values: {} },
      isComplete: false,
      returned: [],
      ...facts,
      pages,
    })
    this.#pages.push(...pages)
    this.#committed = next
  }

  /** Brings the pages into the file, or the first few of them, as a writer does it. */
  writePages(countMax = this.#pages.length): void {
    this.#write(this.#pages.splice(0, countMax))
  }

  close(): void {
    this.journal.close()
  }

  #write(images: readonly PageImage[]): void {
    const descriptor = openSync(this.path, 'r+')
    for (const { offset, bytes } of images) writeSync(descriptor, bytes, 0, bytes.byteLength, offset)
    closeSync(descriptor)
  }
}

function changedPages(before: Buffer, after: Buffer): PageImage[] {
  const pages: PageImage[] = []
  for (let offset = 0; offset < before.byteLength; offset += PAGE_BYTES) {
    const end = Math.min(offset + PAGE_BYTES, before.byteLength, after.byteLength)
    const bytes = after.subarray(offset, end)
    if (!bytes.equals(before.subarray(offset, end))) pages.push({ offset, bytes })
  }
  return pages
}
