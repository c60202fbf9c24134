import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/closing-line.ts'

/** Their tests change nothing of the process that runs them, so files share one, and load what they test once. */
const SHARING = [
  'cli',
  'journal',
  'exploration',
  'experiment',
  'interop',
  'reporting',
  'results',
  'run',
  'values',
  'types',
]
const sharing = SHARING.map((folder) => `test/${folder}/**/*.test.ts`)
/** Performed by hand: it needs the sources of pypet, and a quarter of an hour. */
const byHand = process.env.PYPET_SOURCES === undefined ? [] : ['test/examples/leaf-by-leaf.ts']

export default defineConfig({
  // Else each bundled job is told of: its source map names files that a test has removed by then.
  logLevel: 'error',
  test: {
    // Some tests wait for processes of theirs, or for a time limit; two cores are busy with three files at once.
    maxWorkers: 3,
    // A limit for what hangs, not for what is slow: machines are shared, and busy.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default', new ClosingLine()],
    env: {
      // Colours would depend on the terminal that runs the tests.
      NO_COLOR: '1',
    },
    projects: [
      { extends: true, test: { name: 'shared', include: sharing, isolate: false } },
      { extends: true, test: { name: 'own', include: ['test/**/*.test.ts', ...byHand], exclude: sharing } },
    ],
  },
})
