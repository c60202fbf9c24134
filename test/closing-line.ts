import type { Reporter, TestModule } from 'vitest/node'

/** Ends the output with one plain line, `tests: 12 passed, 0 failed, 1 skipped`, which any CI can read. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1
      // A file that cannot be loaded has no tests to fail, and must not look like a success.
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
    }
    const { passed, failed, skipped, pending } = counts
    const line = `tests: ${passed} passed, ${failed + pending} failed, ${skipped} skipped`
    // After the summary of the default reporter, which is printed in the same turn.
    process.once('exit', () => process.stdout.write(`\n${line}\n`))
  }
}
