/** Random experiments in both layouts: they read back equal, run by run, and in the layout `tree` columns and leaves agree. */
import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { zip } from '../../src/exploration/cartesian.ts'
import { LayoutMemory } from '../../src/layout/layout-memory.ts'
import { RunColumns } from '../../src/layout/run-columns.ts'
import { MEMORY, RUN_STATUS, runName } from '../../src/names.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import type { LeafRecord, RunRecord } from '../../src/run/run-record.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { type StorableValue, toStoredValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'
import { randomFrom } from '../crash/long-form.ts'
import { useFolder } from '../temporary-folder.ts'
import { contentOf, disagreements, otherUnits } from './layout-content.ts'
import {
  arrived,
  closeStore,
  continueRequest,
  failure,
  openRequest,
  result,
  runRecord,
  storeOptions,
} from './open-request.ts'

const inFolder = useFolder()
const SEED = Number(process.env.PYPET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const LAYOUTS = ['tree', 'columns'] as const

type Step =
  | { readonly do: 'store'; readonly record: RunRecord }
  | { readonly do: 'fail'; readonly run: number }
  | { readonly do: 'commit' }
  | { readonly do: 'kill'; readonly retries: boolean }
  | { readonly do: 'grow'; readonly count: number }

const VALUES: readonly ((random: () => number) => StorableValue)[] = [
  (random) => random() * 100,
  (random) => random() * 100,
  (random) => [Number.NaN, -0, Number.POSITIVE_INFINITY, 5e-324][Math.floor(random() * 4)] as number,
  (random) => integer(Math.floor(random() * 1e6)),
  (random) => random() < 0.5,
  (random) =>
    ['', 'a', 'Grüße', 'ends in a space ', 'x'.repeat(64), `${'x'.repeat(63)} `][
      Math.floor(random() * 6)
    ] as string,
  () => 'ä'.repeat(40),
  () => null,
  (random) => Float64Array.of(random(), random(), Number.NaN),
  (random) => Float32Array.of(random(), random()),
  (random) => [random(), random()],
  () => ['a', 'bc'],
  (random) => ({ deep: random(), name: 'n' }),
  (random) => new Date(Math.floor(random() * 1e12)),
]

/** Each name mostly has values of one kind, as in real jobs. */
const NAMES = ['z', 'rate', 'a.b', 'a.c.d', 'status', 'columns', 'late', 'a_b']

/** Each name mostly has one unit, or none. Some units fit no column. */
function annotated(name: string, random: () => number): Pick<LeafRecord, 'annotations'> {
  const usual = name.length % 2 === 0 ? '' : `${name}/s`
  const unit = random() < 0.85 ? usual : ['', 'mV', 'µm²', 'x'.repeat(70), 3][Math.floor(random() * 5)]
  const annotations = {
    ...(unit !== '' && { unit }),
    ...(random() < 0.05 && { note: 1 }),
  }
  const fields = Object.entries(annotations).map(([key, value]) => ({
    name: key,
    value: toStoredValue(value, key),
  }))
  return fields.length === 0 ? {} : { annotations: fields }
}

function leavesOf(run: number, random: () => number, kindOf: ReadonlyMap<string, number>): LeafRecord[] {
  const leaves: LeafRecord[] = []
  const value = (name: string): StorableValue => {
    const usual = random() < 0.9 ? (kindOf.get(name) ?? 0) : Math.floor(random() * VALUES.length)
    return (VALUES[usual] as (typeof VALUES)[number])(random)
  }
  for (const name of NAMES) {
    if (random() < 0.25 || (name === 'late' && run < 5)) continue
    const last = name.slice(name.lastIndexOf('.') + 1)
    const items = [last, ...(random() < 0.3 ? ['other'] : [])]
    leaves.push({
      location: `results.runs.${runName(run)}.${name}`,
      kind: 'result',
      comment: random() < 0.8 ? `the ${name}` : '',
      items: items.map((item) => ({ name: item, value: toStoredValue(value(`${name} ${item}`), name) })),
      ...annotated(name, random),
    })
  }
  if (random() < 0.5) {
    const location = `derived_parameters.runs.${runName(run)}.d`
    leaves.push({
      location,
      kind: 'parameter',
      comment: '',
      items: [{ name: 'data', value: toStoredValue(value('d'), 'd') }],
      ...annotated('d', random),
    })
  }
  return leaves
}

function program(random: () => number): { readonly runCount: number; readonly steps: readonly Step[] } {
  const runCount = 1 + Math.floor(random() * 30)
  const names = NAMES.flatMap((name) => [`${name} ${name.slice(name.lastIndexOf('.') + 1)}`, `${name} other`])
  const kindOf = new Map([...names, 'd'].map((name) => [name, Math.floor(random() * VALUES.length)] as const))
  const steps: Step[] = []
  let waiting = Array.from({ length: runCount }, (_, run) => run)
  const failed: number[] = []
  let total = runCount
  let growths = 0
  while (waiting.length > 0) {
    const choice = random()
    const at = random() < 0.7 ? 0 : Math.floor(random() * waiting.length)
    const run = waiting[at] as number
    if (choice < 0.7) {
      waiting.splice(at, 1)
      const links = random() < 0.05 ? { links: [linkIn(run)] } : {}
      const leaves = leavesOf(run, random, kindOf)
      const hasTarget = leaves.some(({ location }) => location.endsWith('.z'))
      const record = {
        run,
        startTimestamp: 1.7e9 + run,
        finishTimestamp: 1.7e9 + run + 0.25,
        ...(random() < 0.1 && { attempts: 3 }),
        ...(hasTarget && links),
        leaves,
      }
      steps.push({ do: 'store', record })
    } else if (choice < 0.78) {
      waiting.splice(at, 1)
      failed.push(run)
      steps.push({ do: 'fail', run })
    } else if (choice < 0.92) steps.push({ do: 'commit' })
    else if (choice < 0.96) {
      const retries = random() < 0.5
      if (retries) waiting = [...waiting, ...failed.splice(0)].sort((a, b) => a - b)
      steps.push({ do: 'kill', retries })
    } else if (growths < 2) {
      growths += 1
      const count = 1 + Math.floor(random() * 80)
      waiting.push(...Array.from({ length: count }, (_, index) => total + index))
      total += count
      steps.push({ do: 'grow', count })
    }
  }
  return { runCount, steps }
}

function linkIn(run: number) {
  const location = `results.runs.${runName(run)}.best`
  return { location, target: `results.runs.${runName(run)}.z` }
}

async function perform(
  file: string,
  layout: (typeof LAYOUTS)[number],
  { runCount, steps }: ReturnType<typeof program>,
): Promise<void> {
  const x = Array.from({ length: runCount }, (_, run) => run)
  const storage = { layout, purgeDuplicateComments: false }
  const request = { ...openRequest(file, { x, storage }), mayGrow: true }
  let store = await TrajectoryStore.open(request, storeOptions())
  for (const step of steps) {
    if (step.do === 'store') store.storeRun(arrived(step.record))
    else if (step.do === 'fail') store.failRun(failure(step.run))
    else if (step.do === 'commit') store.commit()
    else if (step.do === 'grow') {
      const added = zip({ x: Array.from({ length: step.count }, (_, index) => 1000 + index) }).spec
      store.extend({ added, groups: [], leaves: [], links: [] })
    } else {
      const { cntFile } = store.opened
      store.close({ config: [], isComplete: false })
      await store.finish()
      const asked = { retryFailed: step.retries, storage: request.storage }
      store = await TrajectoryStore.continue(continueRequest(cntFile, asked), storeOptions())
    }
  }
  await closeStore(store)
}

describe(`random experiments (PYPET_TEST_SEED=${SEED})`, () => {
  test.each(Array.from({ length: 12 }, (_, index) => SEED + index))(
    'experiment %i reads back equal from both layouts, and columns agree with leaves',
    async (seed) => {
      const random = randomFrom(seed)
      const experiment = program(random)
      const contents: Record<string, unknown>[] = []
      for (const layout of LAYOUTS) {
        const file = inFolder(`${layout}-${seed}.h5`)
        await perform(file, layout, experiment)
        using reader = await openHdf5Reader(file)
        contents.push(contentOf(reader))
        if (layout === 'tree') expect(disagreements(reader)).toEqual([])
        expect(otherUnits(reader)).toEqual([])
        const set = reader.columns('made')
        expect(set?.layout).toBe(layout)
        const completed: number[] = []
        reader.scanRows('/made/overview/runs', ['completed'], (_, [cell]) => completed.push(Number(cell)))
        const stored = [...(set?.statuses() ?? [])].map((status) => (status === RUN_STATUS.stored ? 1 : 0))
        expect(stored).toEqual(completed)
      }
      expect(contents[1]).toEqual(contents[0])
    },
    120_000,
  )
})

test.each(LAYOUTS)('%s: a large array that few runs have takes no space for the others', async (layout) => {
  const file = inFolder(`rare-${layout}.h5`)
  const x = Array.from({ length: 300 }, (_, run) => run)
  const store = await TrajectoryStore.open(openRequest(file, { x, storage: { layout } }), storeOptions())
  for (const run of x) {
    const leaves = [result(run, 'z', run)]
    if (run % 100 === 7) leaves.push(result(run, 'samples', new Float64Array(100_000).fill(run)))
    store.storeRun(arrived(runRecord(run, leaves)))
    if (run % 50 === 49) store.commit()
  }
  await closeStore(store)
  expect(statSync(file).size).toBeLessThan(4_500_000)
  using reader = await openHdf5Reader(file)
  for (const run of [7, 107, 207]) {
    const bytes = reader.bytes(`/made/results/runs/${runName(run)}/samples/samples`)
    expect(new Float64Array(bytes.buffer, bytes.byteOffset)[99_999]).toBe(run)
  }
  expect(reader.kind(`/made/results/runs/${runName(8)}/samples`)).toBeUndefined()
})

test('a commit of scattered runs takes time in proportion to them', () => {
  const runCount = 200_000
  const memory = new LayoutMemory()
  const columns = new RunColumns({ root: '/made', layout: 'columns', runCount, memory })
  const facts = { attempts: 1, start: 1, runtime: 1 }
  for (let run = 0; run < runCount; run += 1)
    columns.end(run, { ...facts, status: run % 2 === 0 ? RUN_STATUS.stored : RUN_STATUS.failed })
  columns.commit()
  for (let run = 1; run < runCount; run += 2) columns.end(run, { ...facts, status: RUN_STATUS.missing })
  // With a quadratic algorithm, this outlasts the limit of a test.
  expect(columns.commit().length).toBe(4 * (runCount / 2))
}, 60_000)

test('an experiment that an older version has begun goes on without columns', async () => {
  const file = inFolder('older.h5')
  const request = openRequest(file)
  const { layout: _, overviews, ...storage } = request.storage
  const { columns: __, ...older } = overviews
  const begun = { ...request, storage: { ...storage, overviews: older } as typeof request.storage }
  const store = await TrajectoryStore.open(begun, storeOptions())
  store.storeRun(arrived(runRecord(0, [result(0, 'z', 1)])))
  const { cntFile } = store.opened
  store.close({ config: [], isComplete: false })
  await store.finish()
  const again = await TrajectoryStore.continue(
    continueRequest(cntFile, { storage: { ...request.storage, layout: 'columns' } }),
    storeOptions(),
  )
  for (const run of [1, 2]) again.storeRun(arrived(runRecord(run, [result(run, 'z', 1)])))
  expect((await closeStore(again)).stored).toEqual([1, 2])
  using reader = await openHdf5Reader(file)
  expect(reader.columns('made')).toBeUndefined()
  expect(reader.children('/made/results/runs')).toHaveLength(3)
})

test('a post-processing cannot add to a run that has ended, and the experiment goes on', async () => {
  const file = inFolder('ended.h5')
  const store = await TrajectoryStore.open(openRequest(file), storeOptions())
  store.storeRun(arrived(runRecord(0, [result(0, 'z', 1)])))
  const leaves = arrived(runRecord(0, [result(0, 'late', 1)])).leaves
  expect(() => store.extend({ groups: [], leaves, links: [] })).toThrow(/belongs to a run/)
  for (const run of [1, 2]) store.storeRun(arrived(runRecord(run, [result(run, 'z', 1)])))
  expect((await closeStore(store)).stored).toEqual([0, 1, 2])
})

test.each([
  'scalar float64  ../z\0',
  'scalar constructor  z\0',
  'table float64  z\0',
  'ndarray float64 99999999999 z\0',
  'ndarray str 2 z\0',
  'scalar float64  z\0a comment\0mV\0more',
  'z',
])('a .cnt file that remembers the column %j is refused', (text) => {
  const memory = new LayoutMemory({ added: { [MEMORY.columnsOf('results')]: [text] }, values: {} })
  expect(() => new RunColumns({ root: '/made', layout: 'columns', runCount: 3, memory })).toThrow(
    /is not a column/,
  )
})

describe('what the .cnt file remembers of a column', () => {
  const leaf = (unit: string): LeafRecord => ({
    ...result(0, 'z', 1, 'of z'),
    ...(unit !== '' && { annotations: [{ name: 'unit', value: toStoredValue(unit, 'unit') }] }),
  })

  test.each([
    ['an older version', 'scalar float64  z\0of z', ''],
    ['this one, without a unit', 'scalar float64  z\0of z', ''],
    ['this one, with a unit', 'scalar float64  z\0of z\0mV', 'mV'],
  ])('by %s says which leaves the column holds whole', (_, text, unit) => {
    const memory = new LayoutMemory({ added: { [MEMORY.columnsOf('results')]: [text] }, values: {} })
    const columns = new RunColumns({ root: '/made', layout: 'columns', runCount: 3, memory })
    const isWhole = (given: string) => {
      columns.beginRun()
      const [raw] = arrived(runRecord(0, [leaf(given)])).leaves
      return raw !== undefined && columns.add(0, raw)
    }
    expect(['', 'mV', 'V'].filter(isWhole)).toEqual([unit])
  })
})

test.each(LAYOUTS)('%s: a continued experiment keeps the unit of a column', async (layout) => {
  const file = inFolder(`unit-${layout}.h5`)
  const withUnit = (run: number, unit: string): LeafRecord => ({
    ...result(run, 'z', run),
    annotations: [{ name: 'unit', value: toStoredValue(unit, 'unit') }],
  })
  const request = openRequest(file, { storage: { layout } })
  const store = await TrajectoryStore.open(request, storeOptions())
  store.storeRun(arrived(runRecord(0, [withUnit(0, 'mV')])))
  const { cntFile } = store.opened
  store.close({ config: [], isComplete: false })
  await store.finish()
  const again = await TrajectoryStore.continue(
    continueRequest(cntFile, { storage: request.storage }),
    storeOptions(),
  )
  again.storeRun(arrived(runRecord(1, [withUnit(1, 'mV')])))
  again.storeRun(arrived(runRecord(2, [withUnit(2, 'V')])))
  await closeStore(again)
  using reader = await openHdf5Reader(file)
  const set = reader.columns('made')
  const column = set?.columns.find(({ name }) => name === 'z')
  expect(column?.unit).toBe('mV')
  expect([0, 1, 2].map((run) => column !== undefined && set?.has(column, run))).toEqual([true, true, false])
  const leaves = [0, 1, 2].map((run) => `/made/results/runs/${runName(run)}/z`)
  expect(leaves.map((leaf) => reader.attribute(leaf, 'SRVC_AN_unit'))).toEqual(['mV', 'mV', 'V'])
  const isTree = layout === 'tree'
  expect(leaves.map((leaf) => reader.raw.kind(leaf) === 'group')).toEqual([isTree, isTree, true])
})
