/** A `.cnt` file is a stranger's, also when its digests are right: it works, or it is refused by a word that says why. */
import { readFileSync, writeFileSync } from 'node:fs'
import { serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { planContinue, readUnfinished } from '../../src/environment/prepare-continue.ts'
import { isPypetError } from '../../src/errors.ts'
import type { ExplorationDraft, ExplorationSpec } from '../../src/exploration/exploration.ts'
import { planRuns } from '../../src/exploration/plan.ts'
import {
  cartesianProduct,
  concat,
  derive,
  latinHypercube,
  linspace,
  repeat,
  sobol,
  where,
  zip,
} from '../../src/index.ts'
import { type Disk, type DiskSystem, FILES } from '../../src/journal/disk.ts'
import { recoverFile } from '../../src/journal/recover.ts'
import { missingRuns } from '../../src/journal/run-set.ts'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { summariseFile } from '../../src/results/summarise.ts'
import { parameter } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { integer } from '../../src/values/value-forms.ts'
import { pypet, treeOf } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import {
  arrived,
  continueRequest,
  failure,
  openRequest,
  result,
  runRecord,
  storeOptions,
} from '../storage/open-request.ts'
import { craftedFile, Draws, type Json, type LooseRecord, looseRecords, mutate } from './crafted-cnt.ts'
import { makeCnt } from './made-cnt.ts'

const SEED = Number(process.env.PYPET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const CASES = Number(process.env.PYPET_TEST_CASES ?? 2000)
/** Nothing that a case is made of is larger than 2 MB. */
const ALLOCATED_BYTES_MAX = 64_000_000
const CPU_MS_MAX = 2000

interface Original {
  readonly records: readonly LooseRecord[]
  readonly file: Buffer
}

/** As a writer leaves it, with every kind of value and exploration. */
async function realOriginal(
  draft: ExplorationDraft | undefined,
  more: ExplorationDraft,
  { isGoneOn = false }: { readonly isGoneOn?: boolean } = {},
): Promise<Original> {
  const folder = fileTree({})
  const path = `${folder}/made.h5`
  const plain = openRequest(path, {
    parameters: {
      y: 2.5,
      n: integer(3),
      big: 7n,
      is: true,
      text: parameter('word', { comment: 'a text' }),
      list: [1, 2, 3],
      array: { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] },
      complex: { re: 1, im: 2 },
      nothing: null,
    },
  })
  const { parameters } = plain
  const settled = (given: ExplorationDraft | undefined) =>
    planRuns({ parameters, exploration: given }).exploration
  const request = {
    ...plain,
    exploration: settled(draft),
    nodes: {
      groups: [{ location: 'results.before', comment: 'a group', annotations: [] }],
      leaves: [],
      links: [],
    },
  }
  const added = settled(more) as ExplorationSpec
  const withArguments = {
    ...request,
    continuation: { ...request.continuation, args: new Uint8Array(serialize([1, 'two'])) },
  }
  const store = await TrajectoryStore.open(withArguments, storeOptions())
  store.storeRun(arrived(runRecord(0, [result(0, 'z', 6)])))
  store.commit()
  store.extend({ added, groups: [], leaves: [], links: [], postprocessedCount: 1 })
  store.storeRun({
    ...arrived(runRecord(1, [result(1, 'z', 7)])),
    returned: new Uint8Array(serialize({ x: 1 })),
  })
  store.failRun(failure(2))
  store.commit()
  const original = {
    records: looseRecords(readFileSync(`${folder}/made.cnt`)),
    file: readFileSync(path),
  }
  store.close({ config: [], isComplete: false })
  await store.finish()
  return isGoneOn ? await withAnotherEnvironment(folder) : original
}

/** A job that has changed has gone on with it. */
async function withAnotherEnvironment(folder: string): Promise<Original> {
  const job = { file: '/jobs/job.ts', relativeFile: 'job.ts', sha256: 'cd34', sources: { 'job.ts': 'cd34' } }
  const environment = { name: 'environment_fedcba9_2024', hexsha: 'fedcba98', timestamp: 1.71e9, job }
  const request = continueRequest(`${folder}/made.cnt`, { environment, retryFailed: true })
  const store = await TrajectoryStore.continue(request, storeOptions())
  store.storeRun(arrived(runRecord(2, [result(2, 'z', 8)])))
  store.commit()
  const original = {
    records: looseRecords(readFileSync(`${folder}/made.cnt`)),
    file: readFileSync(`${folder}/made.h5`),
  }
  store.close({ config: [], isComplete: false })
  await store.finish()
  return original
}

function madeOriginal(): Original {
  const folder = fileTree({})
  makeCnt(`${folder}/made.h5`, `${folder}/made.cnt`, 4).close()
  return {
    records: looseRecords(readFileSync(`${folder}/made.cnt`)),
    file: readFileSync(`${folder}/made.h5`),
  }
}

const PRODUCT = cartesianProduct({ x: linspace(0, 1, 4), y: [1, 2.5], text: ['a', 'b'] })
const MORE = cartesianProduct({ x: [8, 9], y: [3], text: ['c'] })

async function originals(): Promise<Original[]> {
  const shaped = repeat(
    derive(
      where(PRODUCT, ({ x }) => Number(x) < 1),
      { big: ({ y }) => BigInt(Math.floor(Number(y))) },
    ),
    2,
    { parameter: 'n' },
  )
  const moreShaped = zip({ x: [1], y: [2], text: ['d'], big: [8n], n: [5] })
  const sampled = concat(
    sobol({ x: [0, 1] }, { count: 4 }),
    latinHypercube({ x: [0, 1] }, { count: 3, seed: 2 }),
  )
  return [
    madeOriginal(),
    await realOriginal(PRODUCT.spec, MORE.spec),
    await realOriginal(shaped.spec, moreShaped.spec),
    await realOriginal(sampled.spec, zip({ x: [5] }).spec),
    await realOriginal(undefined, zip({ x: [5, 6, 7] }).spec),
    await realOriginal(PRODUCT.spec, MORE.spec, { isGoneOn: true }),
  ]
}

/** What is asked for at once, the largest of it, while something is done. */
async function largestAllocation(action: () => Promise<void>): Promise<number> {
  let largest = 0
  const note = (size: unknown) => {
    if (typeof size === 'number') largest = Math.max(largest, size)
  }
  const { Uint8Array: bytes } = globalThis
  const { alloc } = Buffer
  globalThis.Uint8Array = new Proxy(bytes, {
    construct(target, args, newTarget) {
      note(args[0])
      return Reflect.construct(target, args, newTarget === globalThis.Uint8Array ? target : newTarget)
    },
  })
  Buffer.alloc = ((...args: Parameters<typeof alloc>) => {
    note(args[0])
    return alloc.apply(Buffer, args)
  }) as typeof alloc
  try {
    await action()
  } finally {
    globalThis.Uint8Array = bytes
    Buffer.alloc = alloc
  }
  return largest
}

/** Nothing here has to outlive a power cut. */
const UNSYNCED: DiskSystem = {
  ...FILES,
  open: (path, access) => unsynced(FILES.open(path, access)),
  create: (path) => unsynced(FILES.create(path)),
  syncFolderOf: () => undefined,
}

function unsynced(disk: Disk): Disk {
  disk.sync = () => undefined
  return disk
}

function read(folder: string): void {
  planContinue(readUnfinished(`${folder}/made.cnt`), {})
}

function summarise(folder: string): Promise<unknown> {
  return summariseFile(`${folder}/made.h5`)
}

/** What the commands do with a file, one after the other. */
const CALLS: readonly ((folder: string) => unknown)[] = [
  (folder) => {
    const plan = planContinue(readUnfinished(`${folder}/made.cnt`), { retryFailed: true })
    const missing = missingRuns(plan.runCount, plan.runs.toRanges())[Symbol.iterator]()
    for (let index = 0; index < 1000 && missing.next().done !== true; index += 1);
  },
  (folder) => void takeSnapshot(`${folder}/made.cnt`, `${folder}/copy.h5`, { overwrite: true }, UNSYNCED),
  summarise,
  (folder) => recoverFile(readUnfinished(`${folder}/made.cnt`), UNSYNCED),
]

/** The codes of those that were refused. Anything else that is thrown is a failure. */
async function handled(folder: string, calls = CALLS): Promise<string[]> {
  const refusals: string[] = []
  for (const call of calls) {
    try {
      await call(folder)
    } catch (error) {
      if (!isPypetError(error)) throw error
      refusals.push(error.code)
    }
  }
  return refusals
}

describe.skipIf(process.platform === 'win32')('a crafted .cnt file', () => {
  test(`works or is refused by name, whatever was changed in it, seed ${SEED}`, async () => {
    const all = await originals()
    const root = fileTree({ 'outside/kept.txt': 'kept', 'inside/empty': '' })
    const inside = `${root}/inside`
    const before = treeOf(`${root}/outside`)
    const draws = new Draws(SEED)
    const codes = new Map<string, number>()
    let lying: Original | undefined
    for (let index = 0; index < CASES; index += 1) {
      const original = draws.of(all)
      const records = structuredClone(original.records).map(({ header, payload }) => ({
        header,
        payload: Buffer.from(payload),
      }))
      const done = Array.from({ length: draws.of([1, 1, 1, 2, 3]) }, () =>
        records.length === 0 ? '' : mutate(records, draws),
      )
      const what = `case ${index} of seed ${SEED}: ${done.join('; ')}`
      // What was recovered is another file.
      if (original !== lying) writeFileSync(`${inside}/made.h5`, original.file)
      lying = original
      writeFileSync(`${inside}/made.cnt`, craftedFile(records))
      const startCpu = process.cpuUsage()
      try {
        const largest = await largestAllocation(async () => {
          const [refusal] = await handled(inside, [read])
          if (refusal !== undefined) codes.set(refusal, (codes.get(refusal) ?? 0) + 1)
          // What is refused once is refused by all, as a sample shows. To look into a file takes longest.
          if (refusal !== undefined && index % 16 > 0) return
          lying = undefined
          await handled(inside, index % 8 === 0 ? CALLS : CALLS.filter((call) => call !== summarise))
        })
        expect(largest).toBeLessThan(ALLOCATED_BYTES_MAX)
      } catch (error) {
        throw new Error(what, { cause: error })
      }
      const { user, system } = process.cpuUsage(startCpu)
      expect((user + system) / 1000, what).toBeLessThan(CPU_MS_MAX)
      FILES.remove(`${inside}/copy.h5`)
    }
    expect(treeOf(`${root}/outside`)).toEqual(before)
    expect(Object.keys(treeOf(root)).filter((name) => !/^(outside|inside)/.test(name))).toEqual([])
    // Both happen: changes that are found, and changes that are as right as what was there.
    expect(codes.get('PYPET_CNT_DAMAGED')).toBeGreaterThan(CASES / 4)
    expect(codes.get('PYPET_CNT_DAMAGED')).toBeLessThan(0.9 * CASES)
  })

  /** Where in the record it is, what stands there then, and what is said of it. */
  const CRAFTED: readonly (readonly [string, Json, RegExp])[] = [
    ['1.stored', [0, 2 ** 50], /stored\[1\]: expected a bound from 1 to 2147483647, found 1125899906842624/],
    ['1.stored', [0, 2 ** 31 - 1], /in commit 1, stored: expected runs below 16, found 2147483646/],
    ['1.stored', [3, 2], /stored\[1\]: expected a bound from 4/],
    ['1.stored', { length: 2 }, /stored: expected a list, found an object/],
    ['1.reopened', [0, 2 ** 31 - 1], /in commit 1, reopened: expected runs below 16/],
    ['1.fileBytes', 2 ** 60, /fileBytes: expected a whole number/],
    ['1.sequence', 'two', /sequence: expected a whole number from 1 to \d+, found "two"/],
    ['1.startTimestamp', 1e300, /startTimestamp: expected seconds since 1970/],
    ['1.memory', null, /memory: expected an object, found null/],
    ['1.memory.added', Object.fromEntries([['__proto__', ['x']]]) as Json, /memory.added: expected names/],
    ['1.memory.values', { rows: 2 ** 53 }, /memory.values.rows: expected a whole number/],
    ['1.pages', [[2 ** 49, 0]], /pages\[0\]: expected a part of a file of \d+ bytes/],
    ['1.returned', [[0, 2 ** 40]], /payload: expected \d+ bytes/],
    ['1.failed', [{ run: -1 }], /failed\[0\].run: expected a whole number/],
    ['0.request.file', '../made.h5', /request.file: expected the name of a file in the same folder/],
    ['0.request.trajectory.name', '../../etc', /request.trajectory.name: "..\/..\/etc" is not a legal name/],
    ['0.request.trajectory.timestamp', 'now', /request.trajectory.timestamp: expected seconds/],
    ['0.request.parameters', { length: 1 }, /request.parameters: expected a list/],
    ['0.request.parameters.0.stored', { form: 'pickle' }, /stored.form: expected a form of value/],
    ['0.request.parameters.0.value', {}, /request.parameters\[0\].value: expected a value of type float64/],
    ['0.request.parameters.0.name', 'a/b', /request.parameters\[0\].name: "a\/b" is not a legal name/],
    ['0.request.exploration.kind', 'none', /request.exploration.kind: expected a kind of exploration/],
    [
      '0.request.exploration.factors.0.0.range',
      { kind: 'arange', start: 0, step: 1, length: 2 ** 53 - 1 },
      /range.length: expected a number from 1 to 2147483647/,
    ],
    [
      '0.request.exploration.factors.0.0.range',
      { kind: 'arange', start: 0, step: 1, length: 2 ** 30 },
      /request.exploration: expected 1 to 2147483647 points, found 4294967296/,
    ],
    ['0.request.parameters.0.name', 'other', /exploration.x: there is no parameter x/],
    ['0.request.storage.complevel', 1e9, /request.storage.complevel: expected a whole number from 0 to 9/],
    ['0.request.continuation.job', 'job.ts', /request.continuation.job: expected an object, found "job.ts"/],
    [
      '0.request.continuation.settings',
      { ncores: 1e6 },
      /settings.ncores: expected a whole number from 0 to 4096/,
    ],
    [
      '0.request.continuation.args',
      { $array: 'Uint8Array' },
      /continuation.args: an array without its bytes/,
    ],
    ['0.request.continuation.environmentName', '../x', /environmentName: "..\/x" is not a legal name/],
    ['0.type', 'other', /type: expected "experiment", "commit" or "applied", found "other"/],
  ]

  test.each(CRAFTED)('is refused by the field %s, when that is %j', async (path, value, message) => {
    const original = await productOriginal()
    const folder = fileTree({})
    writeFileSync(`${folder}/made.h5`, original.file)
    writeFileSync(`${folder}/made.cnt`, craftedFile(withValue(original.records, path, value)))
    const before = treeOf(folder)
    const largest = await largestAllocation(async () => {
      expect(() => read(folder)).toThrow(message)
      expect(() => read(folder)).toThrow(`${folder}/made.cnt is damaged: `)
    })
    expect(largest).toBeLessThan(ALLOCATED_BYTES_MAX)
    expect(treeOf(folder)).toEqual(before)
  })

  test('is refused when it nests deeper than any stack', async () => {
    const original = await productOriginal()
    const folder = fileTree({})
    writeFileSync(`${folder}/made.h5`, original.file)
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
    const records = withValue(original.records, '1.stored', 'here')
    writeFileSync(
      `${folder}/made.cnt`,
      craftedFile(records, (header) => JSON.stringify(header).replace('"here"', deep)),
    )
    expect(() => read(folder)).toThrow(/is damaged: in the record at byte \d+, header: stored\[0\]/)
  })

  test('is refused by the commands with exit code 2, and nothing is touched', async () => {
    const original = await productOriginal()
    const folder = fileTree({})
    for (const [path, value] of [
      ['1.stored', [0, 2 ** 50]],
      [
        '0.request.exploration',
        { kind: 'repeat', of: { kind: 'points', columns: [] }, count: 2 ** 53, name: 'x' },
      ],
      ['0.request.continuation', null],
    ] as const) {
      writeFileSync(`${folder}/made.h5`, original.file)
      writeFileSync(`${folder}/made.cnt`, craftedFile(withValue(original.records, path, value as Json)))
      const before = treeOf(folder)
      for (const words of [
        ['continue', 'made.cnt'],
        ['continue', 'made.h5', '--dry-run'],
        ['snapshot', 'made.cnt', 'copy.h5'],
      ]) {
        const { exitCode, stdout, stderr } = await pypet(folder, words)
        expect({ exitCode, stdout }, words.join(' ')).toEqual({ exitCode: 2, stdout: '' })
        expect(stderr).toMatch(/made\.cnt is damaged: in the record at byte \d+, /)
        expect(stderr).toContain('hint: ')
      }
      const { stdout, stderr } = await pypet(folder, ['overview', 'made.h5'])
      expect(stdout + stderr).toContain('made.cnt is damaged')
      expect(stdout + stderr).not.toContain('internal error')
      expect(treeOf(folder)).toEqual(before)
    }
  })
})

let made: Promise<Original> | undefined

/** Four values of x, two of y and two texts, of which the first run is stored in commit 1. */
function productOriginal(): Promise<Original> {
  made ??= realOriginal(PRODUCT.spec, MORE.spec)
  return made
}

/** A copy with another value at a path such as `1.memory.values`. */
function withValue(records: readonly LooseRecord[], path: string, value: Json): LooseRecord[] {
  const copy = structuredClone(records).map(({ header, payload }) => ({
    header,
    payload: Buffer.from(payload),
  }))
  const [index = '', ...keys] = path.split('.')
  let holder = copy[Number(index)]?.header as Record<string, Json>
  for (const key of keys.slice(0, -1)) holder = holder[key] as Record<string, Json>
  holder[keys.at(-1) as string] = value
  return copy
}
