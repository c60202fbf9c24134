import type { Reporter, TestModule } from 'vitest/node'

const SLOWEST_COUNT = 10

/**
 * Ends the output with the slowest tests, and one plain line that any CI can read:
 * `tests: 12 passed, 0 failed, 1 skipped`.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    for (const test of tests) counts[test.result().state] += 1
    // A file that cannot be loaded has no tests to fail, and must not look like a success.
    counts.failed += modules.filter(
      (module) => module.state() === 'failed' && module.errors().length > 0,
    ).length
    const { passed, failed, skipped, pending } = counts
    const slowest = tests
      .map((test) => ({ test, ms: test.diagnostic()?.duration ?? 0 }))
      .sort((a, b) => b.ms - a.ms)
      .slice(0, SLOWEST_COUNT)
      .map(
        ({ test, ms }) =>
          `  ${(ms / 1000).toFixed(1).padStart(5)} s  ${test.module.relativeModuleId}: ${test.fullName}`,
      )
    const summary = `tests: ${passed} passed, ${failed + pending} failed, ${skipped} skipped`
    // After the summary of the default reporter, which is printed in the same turn.
    process.once('exit', () =>
      process.stdout.write(`\nslowest:\n${slowest.join('\n')}\n\n${timeText()}\n${summary}\n`),
    )
  }
}

/** Of everything that began with `npm test`, the build and the checks too. */
function timeText(): string {
  const startedMs = Number(process.env.TESTS_STARTED_MS ?? Date.now() - performance.now())
  const seconds = Math.round((Date.now() - startedMs) / 1000)
  return `time: ${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
