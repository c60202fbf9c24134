/** `.cnt` files as a writer leaves them, without a writer. */
import { writeFileSync } from 'node:fs'
import { zip } from '../../src/exploration/cartesian.ts'
import { arange } from '../../src/exploration/range.ts'
import { superblockOf } from '../../src/journal/cnt-format.ts'
import { CntJournal } from '../../src/journal/cnt-journal.ts'
import type { CommitFacts } from '../../src/journal/cnt-record.ts'
import { type DiskSystem, FILES } from '../../src/journal/disk.ts'
import { openRequest } from '../storage/open-request.ts'

/** The bytes that stand for an HDF5 file as of a commit; its first bytes differ from commit to commit. */
export function contentAfter(sequence: number): Uint8Array {
  return new Uint8Array(10_000 + 1000 * sequence).map((_, index) => (index * 31 + sequence * 7) % 256)
}

/** A commit that stores one run, and every third time fails another. */
export function factsOf(sequence: number, changes: Partial<CommitFacts> = {}): CommitFacts {
  const content = contentAfter(sequence)
  const run = 2 * sequence
  return {
    fileBytes: content.byteLength,
    superblock: superblockOf(content),
    stored: [run, run + 1],
    failed:
      sequence % 3 === 0
        ? [
            {
              run: run + 1,
              error: { name: 'Error', message: `in ${run + 1}` },
              attempts: 1,
              startTimestamp: 1,
              finishTimestamp: 2,
            },
          ]
        : [],
    reopened: [],
    memory: { added: { groups: [`/group ${sequence}`] }, values: { rows: sequence } },
    startTimestamp: 1.7e9,
    isComplete: false,
    returned: [{ run, bytes: Uint8Array.of(sequence, 1, 2) }],
    // All that was there before is another content now.
    pages: [
      { offset: 0, bytes: content.subarray(0, 4096) },
      { offset: 4096, bytes: content.subarray(4096, 8192) },
      { offset: 8192, bytes: content.subarray(8192, contentAfter(sequence - 1).byteLength) },
    ],
    ...changes,
  }
}

/** A `.cnt` file with so many commits, and beside it the file as of the last, its pages not written. */
export function makeCnt(
  file: string,
  cntFile: string,
  commitCount: number,
  system: DiskSystem = FILES,
): CntJournal {
  const journal = CntJournal.create(system, cntFile, {
    type: 'experiment',
    request: { ...openRequest(file), exploration: zip({ x: arange(100_000) }).spec },
    baseBytes: contentAfter(0).byteLength,
    baseSuperblock: superblockOf(contentAfter(0)),
  })
  for (let sequence = 1; sequence <= commitCount; sequence += 1) journal.append(factsOf(sequence))
  const disk = contentAfter(0)
  const left = new Uint8Array(contentAfter(commitCount).byteLength)
  left.set(disk)
  for (let sequence = 1; sequence <= commitCount; sequence += 1) {
    const before = contentAfter(sequence - 1).byteLength
    left.set(contentAfter(sequence).subarray(before), before)
  }
  writeFileSync(file, left)
  return journal
}
