import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { overview } from '../../src/cli/overview/perform.ts'
import { addTrajectory, useFolder } from '../results/trajectory-file.ts'
import { UnfinishedFile } from '../storage/unfinished-file.ts'

const inFolder = useFolder()
let fileCount = 0
let path = ''

beforeEach(() => {
  fileCount += 1
  path = inFolder(`${fileCount}/file.h5`)
  mkdirSync(dirname(path))
})

async function printed(json = false): Promise<string> {
  let text = ''
  await overview(
    path,
    { json },
    {
      write(chunk, done) {
        text += chunk
        done()
      },
    },
  )
  return text
}

/** A trajectory of ten runs, of which those at the beginning are stored, and one may have failed. */
async function unfinished(storedCount: number, failed: readonly number[]): Promise<UnfinishedFile> {
  const file = await UnfinishedFile.create(path, 'made', () => {})
  onTestFinished(() => file.close())
  const error = { name: 'TypeError', message: 'broken' }
  file.commit(
    (root) => addTrajectory(root, 'made', { runCount: 10, isDone: (run) => run < storedCount, failed }),
    {
      stored: [0, storedCount],
      failed: failed.map((run) => ({
        run,
        error,
        attempts: 1,
        startTimestamp: 1.7e9,
        finishTimestamp: 1.7e9,
      })),
    },
  )
  return file
}

test('an unfinished trajectory is shown with the command that goes on', async () => {
  const file = await unfinished(6, [6])
  const text = await printed()
  expect(text).toContain('  runs     10: 6 done, 1 failed, 3 left\n')
  expect(text).toContain(`  continue pypet-ts continue ${file.journal.path}\n`)
  expect(JSON.parse(await printed(true))).toMatchObject({
    notes: [],
    trajectories: [{ continuation: { cnt_file: file.journal.path, stored: 6, failed: 1, missing: 3 } }],
  })
})

test('where only failed runs are left, the command is the one that performs them again', async () => {
  const file = await unfinished(8, [8, 9])
  expect(await printed()).toContain(`continue pypet-ts continue ${file.journal.path} --retry-failed\n`)
})

test('a .cnt file that is kept for a complete trajectory asks for nothing', async () => {
  const file = await unfinished(10, [])
  expect(await printed()).not.toContain('pypet-ts continue')
  expect(JSON.parse(await printed(true)).trajectories[0].continuation.missing).toBe(0)
  file.writePages()
  file.journal.remove()
  expect(JSON.parse(await printed(true)).trajectories[0].continuation).toBeNull()
})
