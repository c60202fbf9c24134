import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/closing-line.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start processes and threads of their own; more at once than cores would only make them wait.
    maxWorkers: 2,
    // A limit for what hangs, not for what is slow: machines are shared.
    // A shared CI machine may stall a process for seconds; a test that fails twice is wrong.
    retry: process.env.CI === undefined ? 0 : 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new ClosingLine()],
    env: {
      // Colours would depend on the terminal that runs the tests.
      NO_COLOR: '1',
    },
  },
})
