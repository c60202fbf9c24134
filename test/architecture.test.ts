/** Holds what ARCHITECTURE.md says about folders, imports and processes. */
import { describe, expect, test } from 'vitest'
import { readSourceTree, ringsOf, staticReach } from './source-tree.ts'

const tree = readSourceTree()
const modules = [...tree.values()]

/** From left to right: a folder imports what stands left of its own slot, never its neighbours. */
const SLOTS: readonly (readonly string[])[] = [
  ['thrown-value'],
  ['errors', 'names', 'own-files', 'process-facts', 'shell-word', 'folders', 'breath'],
  ['temporary-names'],
  ['values'],
  ['run'],
  ['exploration'],
  ['tree'],
  ['protocol', 'events', 'stack-frames'],
  ['experiment', 'reporting', 'hdf5'],
  ['journal'],
  ['layout'],
  ['reading'],
  ['executors', 'storage'],
  ['environment', 'results'],
  ['library', 'export', 'plot'],
  ['view'],
  ['cli', 'index'],
]

function folderOf(path: string): string {
  return (path.includes('/') ? path.split('/')[0] : path.replace(/\.ts$/, '')) as string
}

function slotOf(path: string): number {
  return SLOTS.findIndex((slot) => slot.includes(folderOf(path)))
}

test('the reader of imports misses none', () => {
  const missed = modules.filter(({ text, imports }) => {
    const lines = text.match(/^(import .*|\} from .*|export .* from .*)'[^']+'$/gm)?.length ?? 0
    return lines !== imports.filter(({ isDynamic }) => !isDynamic).length
  })
  expect(missed.map(({ path }) => path)).toEqual([])
  expect(staticReach(tree, 'executors/run-thread.ts')).toContain('values/value.ts')
})

describe('the dependency rule', () => {
  test('every module lies in a folder that has a slot', () => {
    expect(modules.filter(({ path }) => slotOf(path) < 0).map(({ path }) => path)).toEqual([])
  })

  test('imports point left, never right and never across a slot', () => {
    const wrong = modules.flatMap(({ path, imports }) =>
      imports
        .filter(({ isOwn, to }) => isOwn && folderOf(to) !== folderOf(path) && slotOf(to) >= slotOf(path))
        .map(({ to }) => `${path} imports ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('every import of our own names a module that exists', () => {
    const missing = modules.flatMap(({ path, imports }) =>
      imports.filter(({ isOwn, to }) => isOwn && !tree.has(to)).map(({ to }) => `${path} imports ${to}`),
    )
    expect(missing).toEqual([])
  })

  test('no modules import each other in a ring', () => {
    expect(ringsOf(tree).map((ring) => ring.join(' ↔ '))).toEqual([])
  })

  test.each(['values', 'run', 'exploration', 'tree'])('%s is pure: it imports nothing of Node', (folder) => {
    const impure = modules
      .filter(({ path }) => folderOf(path) === folder)
      .flatMap(({ path, imports }) =>
        imports.filter(({ to }) => to.startsWith('node:')).map(({ to }) => `${path} imports ${to}`),
      )
    expect(impure).toEqual([])
  })
})

test('the page of `view` shares with the server what both must agree on, and nothing of Node', () => {
  const shared = modules
    .filter(({ path }) => path.startsWith('view/page/'))
    .flatMap(({ imports }) => imports)
    .filter(({ to, isTypeOnly }) => !to.startsWith('view/page/') && !isTypeOnly)
  expect([...new Set(shared.map(({ to }) => to))].sort()).toEqual([
    'preact',
    'preact/hooks',
    'uplot',
    'values/typed-array.ts',
    'view/view-protocol.ts',
  ])
})

describe('outside packages', () => {
  test.each([
    ['h5wasm/node', ['hdf5/h5wasm.ts']],
    ['piscina', ['executors/pool-executor.ts']],
    ['winston', ['reporting/log.ts']],
    ['cosmiconfig', ['experiment/load-config.ts']],
    ['smol-toml', ['experiment/load-config.ts']],
    ['commander', ['cli/main.ts']],
    ['jsep', ['exploration/expression-syntax.ts']],
    ['pure-rand/generator/xoroshiro128plus', ['executors/run-seeds.ts']],
    ['cli-progress', ['reporting/progress-bar.ts']],
    ['string-width', ['reporting/text-width.ts']],
    ['@observablehq/plot', ['plot/svg/draw-svg.ts']],
    ['linkedom', ['plot/svg/draw-svg.ts']],
    ['fastest-levenshtein', ['values/nearest-name.ts']],
    ['uplot', ['view/page/line-view.tsx']],
  ])('%s has one home', (name, homes) => {
    const users = modules
      .filter(({ imports }) => imports.some(({ to, isTypeOnly }) => to === name && !isTypeOnly))
      .map(({ path }) => path)
    expect(users).toEqual(homes)
  })

  test('esbuild has one home; its plugins use its types only', () => {
    const users = modules.filter(({ imports }) =>
      imports.some(({ to, isTypeOnly }) => to === 'esbuild' && !isTypeOnly),
    )
    expect(users.map(({ path }) => path)).toEqual(['experiment/module-bundle.ts'])
  })
})

describe('what an entry loads', () => {
  const HEAVY = ['h5wasm/node', 'piscina', 'winston', 'cosmiconfig', 'commander', 'esbuild', 'cli-progress']

  test.each([
    ['executors/run-thread.ts', 'a pool thread'],
    ['executors/run-process.ts', 'the process of a run'],
    ['storage/queue/writer-process.ts', 'the writer process'],
    ['index.ts', 'a job that imports the package'],
  ])('%s: %s loads no heavy package at its start', (entry) => {
    const reach = staticReach(tree, entry)
    expect(HEAVY.filter((name) => reach.has(name))).toEqual([])
  })

  test('the command line loads commander at its start and nothing else that is heavy', () => {
    const reach = staticReach(tree, 'cli/main.ts')
    expect(HEAVY.filter((name) => reach.has(name))).toEqual(['commander'])
  })

  test.each(['cli/main.ts', 'cli/run/perform.ts', 'cli/overview/perform.ts', 'cli/plot/perform.ts'])(
    '%s loads nothing that draws pictures',
    (entry) => {
      const reach = staticReach(tree, entry)
      expect(['@observablehq/plot', 'linkedom'].filter((name) => reach.has(name))).toEqual([])
    },
  )

  test.each(['cli/run/perform.ts', 'cli/continue/perform.ts'])(
    '%s loads no library: only post-processing needs it',
    (entry) => {
      const reach = [...staticReach(tree, entry)]
      expect(reach.filter((path) => path.startsWith('library/'))).toEqual([])
    },
  )

  test('the two sides of a conversation meet only in protocol.ts', () => {
    expect(staticReach(tree, 'storage/queue/writer.ts')).not.toContain('storage/queue/writer-process.ts')
    expect(staticReach(tree, 'executors/pool-executor.ts')).not.toContain('executors/run-thread.ts')
    expect(staticReach(tree, 'executors/process-executor.ts')).not.toContain('executors/run-process.ts')
    const protocol = tree.get('protocol.ts')
    expect(protocol?.imports.every(({ isTypeOnly }) => isTypeOnly)).toBe(true)
  })
})

describe('the size of things', () => {
  test('no folder is a drawer without a noun', () => {
    expect(
      modules.filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(path)),
    ).toEqual([])
  })

  test('only index.ts re-exports', () => {
    const barrels = modules
      .filter(({ path, text }) => path !== 'index.ts' && /^export (\*|\{[^}]*\}) from /m.test(text))
      .map(({ path }) => path)
    expect(barrels).toEqual([])
  })
})
