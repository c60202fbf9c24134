/**
 * Files go both ways, leaf by leaf: what pypet 0.7 reads from the files of our ports, and what we read from the files of
 * pypet's own examples, is what the other reads. It needs pypet's sources, whose folder has `examples`, and the Python of
 * the interop tests with pandas, SciPy and matplotlib; by hand, it takes a quarter of an hour:
 *
 *     PYPET_SOURCES=<pypet 0.7.0> npx vitest run test/examples/leaf-by-leaf.test.ts
 *
 * Left out are the examples that need more: 19, 19b, 19c and 20 DEAP, 21 SCOOP, 22 SAGA, 23 and 24 Brian.
 */
import { test } from 'vitest'

// They load what the other tests of this folder need, too, and more.
if (process.env.PYPET_SOURCES !== undefined) await import('./leaf-by-leaf.ts')
else
  test.skip('pypet reads our files leaf by leaf, and we its (PYPET_SOURCES names its folder)', () =>
    undefined)
