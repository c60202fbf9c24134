/** A writer that waits for readers comes before those that ask whether it does. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { letWriterGoFirst } from '../../src/journal/lock-owner.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const hasFlock = spawnSync('flock', ['--version']).status === 0

describe.skipIf(!hasFlock)('a reader', () => {
  test('waits while the writer says that it waits, and not longer', async () => {
    const file = inFolder('file.h5')
    const lock = acquireLock(file, { trajectory: 'made', breakLock: false })
    await letWriterGoFirst(file, 60_000)
    lock.noteWaiting(true)
    const order: string[] = []
    const reading = letWriterGoFirst(file, 60_000).then(() => order.push('reader'))
    await delay(100)
    order.push('writer')
    lock.noteWaiting(false)
    await reading
    expect(order).toEqual(['writer', 'reader'])
    lock.release()
  })

  test('does not wait for ever, nor for a writer that is gone', async () => {
    const file = inFolder('gone.h5')
    const lock = acquireLock(file, { trajectory: 'made', breakLock: false })
    lock.noteWaiting(true)
    await letWriterGoFirst(file, 50)
    const said = JSON.parse(readFileSync(`${file}.lock`, 'utf8'))
    lock.release()
    writeFileSync(
      `${file}.lock`,
      JSON.stringify({ ...said, pid: spawnSync(process.execPath, ['-e', '']).pid }),
    )
    await letWriterGoFirst(file, 60_000)
  })

  test('whose lock is released says nothing more', () => {
    const file = inFolder('released.h5')
    const lock = acquireLock(file, { trajectory: 'made', breakLock: false })
    lock.release()
    lock.noteWaiting(true)
    acquireLock(file, { trajectory: 'other', breakLock: false }).release()
  })
})
