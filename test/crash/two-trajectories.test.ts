/** Two experiments in one HDF5 file, each killed half way, the second when the first was already waiting to go on. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FILES } from '../../src/journal/disk.ts'
import { useFolder } from '../temporary-folder.ts'
import { contentOf, differences } from './file-content.ts'
import { randomFrom, seedOf } from './long-form.ts'
import { afterKill, type DiskOperation, type Files, RecordingDisks } from './recording-disks.ts'
import { goOn, perform, type Script } from './script.ts'

const inFolder = useFolder()
const FIRST: Script = { name: 'first', runCount: 12, groupSize: 2, failing: -1 }
const SECOND: Script = { ...FIRST, name: 'second', runCount: 9 }
const ROUNDS = 12

function putFiles(folder: string, files: Files): void {
  mkdirSync(folder)
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
}

function filesIn(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
}

async function recorded(folder: string, script: Script): Promise<readonly DiskOperation[]> {
  const disks = new RecordingDisks()
  await perform(join(folder, 'file.h5'), script, disks)
  return disks.operations
}

test('both are complete in the end, in whatever order they are continued', async () => {
  const seed = seedOf()
  const random = randomFrom(seed)
  mkdirSync(inFolder('first'))
  const firstOperations = await recorded(inFolder('first'), FIRST)
  mkdirSync(inFolder('both'))
  await perform(join(inFolder('both'), 'file.h5'), FIRST, FILES)
  await perform(join(inFolder('both'), 'file.h5'), SECOND, FILES)
  const expected = await contentOf(join(inFolder('both'), 'file.h5'), { withTimes: true })
  for (let round = 0; round < ROUNDS; round += 1) {
    const where = `round ${round} (seed ${seed})`
    const killedFirst = afterKill(
      firstOperations.slice(0, Math.floor(firstOperations.length * (0.2 + 0.75 * random()))),
    )
    const begun = inFolder(`begun-${round}`)
    putFiles(begun, killedFirst)
    const before = filesIn(begun)
    const secondOperations = await recorded(begun, SECOND)
    const cut = Math.floor(secondOperations.length * (0.1 + 0.85 * random()))
    const killedBoth = afterKill(secondOperations.slice(0, cut), before)
    const left = inFolder(`left-${round}`)
    putFiles(left, killedBoth)
    const order = random() < 0.5 ? [FIRST, SECOND] : [SECOND, FIRST]
    for (const script of order) {
      const cntFile = join(left, `${script.name}.cnt`)
      if (killedBoth.has(`${script.name}.cnt`)) await goOn(cntFile, script, FILES)
      else if (script === SECOND) await perform(join(left, 'file.h5'), script, FILES)
    }
    const content = await contentOf(join(left, 'file.h5'), { withTimes: true })
    expect(differences(content, expected), where).toEqual([])
    expect(readdirSync(left), where).toEqual(['file.h5'])
  }
})
