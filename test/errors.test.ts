/** Facts of an error: known by its code, and the same on the other side of a process. */
import { hostname } from 'node:os'
import { expect, expectTypeOf, test } from 'vitest'
import { fromErrorRecord, isPypetError, PypetError, reworded, toErrorRecord } from '../src/errors.ts'
import { acquireLock } from '../src/journal/file-lock.ts'
import { useFolder } from './temporary-folder.ts'

const inFolder = useFolder()

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('who writes a file is told as facts, of which the text is made', () => {
  const file = inFolder('locked.h5')
  const lock = acquireLock(file, { trajectory: 'first', breakLock: false })
  try {
    const error = thrownBy(() => acquireLock(file, { trajectory: 'second', breakLock: false }))
    if (!isPypetError(error, 'PYPET_FILE_LOCKED')) throw error
    expectTypeOf(error.details.owner?.pid).toEqualTypeOf<number | undefined>()
    const { owner } = error.details
    expect(error.details).toEqual({
      file,
      owner: { pid: process.pid, host: hostname(), trajectory: 'first', since: expect.any(String) },
    })
    expect(error.message).toBe(
      `${file} is being written by process ${owner?.pid} on ${owner?.host} (${owner?.trajectory}, since ${owner?.since})`,
    )
  } finally {
    lock.release()
  }
})

test('an error that crosses a process, or gets another hint, keeps its facts', () => {
  const details = { file: '/a.h5', trajectory: 'one', cntFile: '/one.cnt' }
  const error = new PypetError('PYPET_TRAJECTORY_EXISTS', 'it exists', { hint: 'Wait.', details })
  const crossed = fromErrorRecord(structuredClone(toErrorRecord(error)), 'PYPET_STORAGE_FAILED')
  expect(crossed).toMatchObject({ code: 'PYPET_TRAJECTORY_EXISTS', details })
  expect(reworded(error, { hint: 'Go on.' })).toMatchObject({ message: 'it exists', hint: 'Go on.', details })
})

test('an error that has no facts has none', () => {
  const error = new PypetError('PYPET_USAGE', 'wrong')
  expectTypeOf(error.details).toEqualTypeOf<undefined>()
  expect(error.details).toBeUndefined()
})
