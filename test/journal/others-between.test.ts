/** An experiment goes on in a file that another one has written since, and is killed at it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { FILES } from '../../src/journal/disk.ts'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { contentOf, differences } from '../crash/file-content.ts'
import { randomFrom, seedOf } from '../crash/long-form.ts'
import { afterKill, type Files, RecordingDisks } from '../crash/recording-disks.ts'
import { goOn, perform, type Script } from '../crash/script.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const FIRST: Script = { name: 'first', runCount: 12, groupSize: 2, failing: -1 }
const SECOND: Script = { ...FIRST, name: 'second', runCount: 9 }
const ROUNDS = 16

function putFiles(folder: string, files: Files): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
}

function filesIn(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
}

test('an experiment that is killed while it goes on, after another has written the file, still ends like the unbroken one', async () => {
  mkdirSync(inFolder('both'))
  await perform(join(inFolder('both'), 'file.h5'), FIRST, FILES)
  await perform(join(inFolder('both'), 'file.h5'), SECOND, FILES)
  const expected = await contentOf(join(inFolder('both'), 'file.h5'), { withTimes: true })

  const begun = inFolder('begun')
  mkdirSync(begun)
  const first = new RecordingDisks()
  await perform(join(begun, 'file.h5'), FIRST, first)
  putFiles(begun, afterKill(first.operations.slice(0, Math.floor(first.operations.length * 0.5))))
  // The second recovers the file, and ends.
  await perform(join(begun, 'file.h5'), SECOND, FILES)
  const between = filesIn(begun)
  const continued = new RecordingDisks()
  await goOn(join(begun, 'first.cnt'), FIRST, continued)

  const seed = seedOf()
  const random = randomFrom(seed)
  const left = inFolder('left')
  const step = Math.max(1, continued.operations.length / ROUNDS)
  for (let at = random() * step; at <= continued.operations.length; at += step) {
    const where = `after ${Math.floor(at)} of ${continued.operations.length} operations (seed ${seed})`
    putFiles(left, afterKill(continued.operations.slice(0, Math.floor(at)), between))
    const cntFile = join(left, 'first.cnt')
    if (FILES.exists(cntFile)) {
      const { stored } = readCnt(cntFile)
      takeSnapshot(join(left, 'file.h5'), inFolder('copy.h5'), { overwrite: true })
      expect(stored.count, where).toBeGreaterThan(0)
      await goOn(cntFile, FIRST, FILES)
    }
    const content = await contentOf(join(left, 'file.h5'), { withTimes: true })
    expect(differences(content, expected), where).toEqual([])
  }
})
