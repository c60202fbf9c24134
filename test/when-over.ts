/** Clearing up after a test, or after all tests of a file. */
import { afterAll, onTestFinished, TestRunner } from 'vitest'

const cleanups: (() => void)[] = []
afterAll(() => {
  for (const cleanup of cleanups) cleanup()
})

/** Calls a function when the test is finished; in `beforeAll`, when the tests of the file are over. */
export function whenOver(cleanup: () => void): void {
  if (TestRunner.getCurrentTest() === undefined) cleanups.push(cleanup)
  else onTestFinished(cleanup)
}
