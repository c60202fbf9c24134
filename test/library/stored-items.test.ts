/** `storeItem`, `store` and `loadItem` of a job: what it stores before its run ends. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { Environment, loadTrajectory, MemoryStorage, type Run, run, verify } from '../../dist/index.js'
import { readHdf5 } from '../../src/reading/read-hdf5.ts'
import { temporaryBeside } from '../../src/temporary-names.ts'
import { contentOf, differences } from '../crash/file-content.ts'
import { fileTree } from '../experiment/file-tree.ts'

type Options = Readonly<Record<string, string | number | boolean>>

/** What `early` says is stored before the end, and let go of. */
const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'items',
  parameters: { x: 0 },
  explore: { x: [1, 2, 3] },
  async run(traj, early = 'none') {
    const { x } = traj.par
    traj.addResult('first', x, { comment: 'the same of all', annotations: { unit: 'mV' } })
    for (const n of [0, 1, 2]) {
      traj.addResult('big.a' + n, new Float64Array(9000).fill(x + n), { comment: 'a big one' })
      if (early === 'each') await traj.storeItem('big.a' + n)
    }
    traj.addDerivedParameter('twice', 2 * x, { comment: 'twice' })
    traj.addResult('two', { text: 'a text', list: [1, 2, 3], when: new Date(0), record: { a: 1, b: [x] } })
    if (early === 'each') {
      await traj.storeItems(['first', 'two'])
      const { list } = await traj.loadItem('two', { except: 'when' })
      const [a1] = await traj.loadItems(['big.a1'])
      const values = [await traj.load('first'), list.join(), a1.length, a1[8999], Object.keys(await traj.loadItem('big')).join()]
      const asExpected = [x, '1,2,3', 9000, x + 1, 'a0,a1,a2']
      if (String(values) !== String(asExpected)) throw new Error(values.join(' '))
      void traj.store()
    }
    traj.addLink('best', 'big.a1')
    traj.addResult('last', x)
  },
})`

const MODES: readonly (readonly [string, Options])[] = [
  ['in the main thread', { ncores: 1 }],
  ['on a thread', { executor: 'pool' }],
  ['in a process of its own', { isolate: true }],
  ['on a thread that stores by itself', { executor: 'pool', wrapMode: 'lock' }],
]

describe('a run that stores what it has before its end', () => {
  let folder = ''
  let expected: Readonly<Record<string, string>> = {}
  const perform = async (name: string, early: string, options: Options, job = 'job.mjs') => {
    mkdirSync(join(folder, name))
    const filename = join(folder, name, 'f.h5')
    const args = [early]
    const summary = await run(join(folder, job), {
      options: { ...options, filename, logging: false, provenance: false },
      args,
    })
    return { filename, summary, left: readdirSync(join(folder, name)) }
  }
  beforeAll(async () => {
    folder = fileTree({ 'job.mjs': JOB })
    const { filename } = await perform('plain', 'none', { ncores: 1 })
    expected = comparable(await contentOf(filename))
  })

  test.each(MODES)(
    '%s leaves the file of one that does not, and nothing beside it',
    async (name, options) => {
      const { filename, summary, left } = await perform(name, 'each', options)
      expect(summary.storedCount).toBe(3)
      expect(left).toEqual(['f.h5'])
      expect(differences(comparable(await contentOf(filename)), expected)).toEqual([])
    },
  )

  test('is verified by performing it again', async () => {
    const { filename } = await perform('verified', 'each', { ncores: 1 })
    const { differentCount, identicalCount } = counted(
      await verify(filename, { runs: 'all', args: ['each'] }),
    )
    expect({ differentCount, identicalCount }).toEqual({ differentCount: 0, identicalCount: 3 })
  })

  test('is handed over whole to a storage service', async () => {
    const memory = new MemoryStorage()
    mkdirSync(join(folder, 'memory'))
    const filename = join(folder, 'memory', 'f.h5')
    const options = { filename, logging: false, provenance: false, ncores: 2, executor: 'pool' } as const
    await run(join(folder, 'job.mjs'), { storageService: memory, options, args: ['each'] })
    expect(readdirSync(join(folder, 'memory'))).toEqual([])
    expect(Object.keys(memory.record(1)?.leaves[1]?.values ?? {})).toEqual(['a0'])
    expect(memory.record(1)?.leaves.map(({ location }) => location.split('.').slice(3).join('.'))).toEqual([
      'first',
      'big.a0',
      'big.a1',
      'big.a2',
      'twice',
      'two',
      'last',
    ])
  })
})

const FAILING = `
import { existsSync, writeFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  name: 'fails',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3] },
  async run(traj, how) {
    const { x } = traj.par
    traj.addResult('early', { attempt: existsSync(here('tried-' + x)) ? 2 : 1 })
    await traj.storeItem('early')
    if (x === 0 || !existsSync(here('tried-' + x))) {
      writeFileSync(here('tried-' + x), '')
      if (x === 1) process.kill(process.pid, 'SIGKILL')
      if (x < 3) throw new Error('as asked')
    }
  },
})`

test.skipIf(process.platform === 'win32')(
  'what an attempt has stored is dropped when it fails or its process is killed; what the next one stores is kept',
  async () => {
    const folder = fileTree({ 'job.mjs': FAILING, 'h5/none': '' })
    const filename = join(folder, 'h5', 'f.h5')
    const options = {
      filename,
      logging: false,
      isolate: true,
      ncores: 2,
      retries: 1,
      provenance: false,
    } as const
    const summary = await run(join(folder, 'job.mjs'), { options })
    expect([summary.storedCount, summary.failedCount]).toEqual([3, 1])
    using traj = await loadTrajectory(filename)
    const attempts = [0, 1, 2, 3].map((at) => {
      const name = `results.runs.run_0000000${at}.early`
      return traj.contains(name)
        ? (traj.getResult(name) as { get(item: string): unknown }).get('attempt')
        : undefined
    })
    expect(attempts).toEqual([undefined, 2, 2, 1])
    expect(readdirSync(join(folder, 'h5')).sort()).toEqual(['f.h5', 'fails.cnt', 'none'])
  },
)

const READING = `
export default async (traj, other) => {
  const told = []
  for (const name of ['base', 'results.base', 'group', 'x', 'derived_parameters.half', 'nope', other]) {
    try {
      const value = await traj.loadItem(name)
      told.push(ArrayBuffer.isView(value) ? [...value] : value)
    } catch (error) {
      told.push(error.code)
    }
  }
  traj.addResult('z', traj.par.x)
  return told
}`

test.each<[string, Options]>([
  ['in the main thread', { ncores: 1 }],
  ['on a thread', { executor: 'pool' }],
  ['in a process', { isolate: true }],
])('a job reads what was stored before the experiment, and no other run: %s', async (_name, options) => {
  const folder = fileTree({ 'job.mjs': READING })
  await using env = new Environment({
    trajectory: 'reads',
    filename: join(folder, 'f.h5'),
    logging: false,
    provenance: false,
    parameters: { x: 0 },
    ...options,
  })
  const { trajectory } = env
  trajectory.addResult('base', Float64Array.of(1, 2))
  trajectory.addResult('group.a', { p: 1, q: 'two' })
  trajectory.addDerivedParameter('half', 0.5)
  trajectory.explore({ x: [7] })
  const other = 'results.runs.run_00000000.z'
  const answers = [[1, 2], [1, 2], { a: { p: 1, q: 'two' } }, 7, 0.5]
  const first = await env.run(join(folder, 'job.mjs'), other)
  expect(first).toEqual([[0, [...answers, 'PYPET_DATA_NOT_STORED', 'PYPET_DATA_NOT_STORED']]])
  trajectory.expand({ x: [8] })
  // Now all of it is in the file.
  const [again] = await env.run(join(folder, 'job.mjs'), other)
  expect(again).toEqual([1, [...answers.with(3, 8), 'PYPET_DATA_NOT_STORED', 'PYPET_DATA_NOT_STORED']])
})

test('what is stored shows in the tree of the run, and can be added to', async () => {
  const folder = fileTree({})
  const filename = join(folder, 'f.h5')
  const options = { trajectory: 'adds', filename, logging: false, provenance: false, parameters: { x: 0 } }
  await using env = new Environment(options)
  env.trajectory.explore({ x: [1] })
  const [[, told] = []] = await env.run(async (traj: Run) => {
    traj.addResult('huge', { mat1: Float64Array.of(1, 2), mat2: Float64Array.of(3) }, { comment: 'large' })
    traj.addDerivedParameter('deep.half', 0.5)
    const node = traj.getResult('huge')
    await traj.storeItem(node)
    await traj.storeItem('half')
    const before = [node.isEmpty, traj.contains('huge'), await traj.loadItem('half')]
    node.setItem('monty', 'the bright side').annotate({ unit: 'mV' })
    await traj.storeItem('huge')
    node.setItem('mat2', 4)
    return [...before, await traj.loadItem('huge', { only: ['mat2', 'monty'] })]
  })
  expect(told).toEqual([true, true, 0.5, { mat2: 4, monty: 'the bright side' }])
  using traj = await loadTrajectory(filename)
  const huge = traj.getResult('results.runs.run_00000000.huge')
  expect(huge.toRecord()).toEqual({ mat1: Float64Array.of(1, 2), mat2: 4, monty: 'the bright side' })
  expect([huge.comment, huge.annotations]).toEqual(['large', { unit: 'mV' }])
  expect(traj.value('half')).toBe(0.5)
})

test('where it cannot be stored now, the run fails with the reason; one that expects it keeps it, whether it waits or not', async () => {
  const folder = fileTree({})
  const filename = join(folder, 'f.h5')
  const job = async (traj: Run) => {
    const { x } = traj.par as { x: number }
    // Where a folder of this process would be.
    for (let n = 1; n < 100; n += 1) writeFileSync(`${temporaryBeside(filename, 'parts')}.${n}`, '')
    traj.addResult('z', Float64Array.of(1, 2, 3))
    const storing = traj.storeItem('z')
    if (x === 1) await storing
    else if (x === 2) await storing.catch(() => undefined)
    else if (x === 3) storing.catch(() => undefined)
    else void storing
  }
  const options = { trajectory: 'full', filename, logging: false, provenance: false, parameters: { x: 0 } }
  await using env = new Environment(options)
  env.trajectory.explore({ x: [1, 2, 3, 4] })
  await env.run(job)
  expect(env.summary).toMatchObject({ storedCount: 2, failedCount: 2 })
  using traj = await loadTrajectory(filename)
  expect(traj.getFromRuns('z')).toEqual({
    run_00000001: Float64Array.of(1, 2, 3),
    run_00000002: Float64Array.of(1, 2, 3),
  })
  const reader = await readHdf5(filename, (file) => {
    const rows: unknown[] = []
    file.scanRows('/full/overview/failed_runs', ['message'], (_, [message]) => rows.push(message))
    return rows
  })
  const reason = expect.stringMatching(/^cannot store early results in .*: .* is not a folder of this user/)
  expect(reader).toEqual([reason, reason])
})

type Verdicts = { readonly verdicts: readonly { readonly state: string }[] }

function counted(verified: unknown): { readonly differentCount: number; readonly identicalCount: number } {
  const { verdicts } = verified as Verdicts
  const count = (state: string) => verdicts.filter((each) => each.state === state).length
  return { differentCount: count('different') + count('failed'), identicalCount: count('identical') }
}

/** Without the options, which differ on purpose. */
function comparable(content: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(content).filter(
      ([path]) => !/\/(?:config|overview\/(?:config_overview|info))\b/.test(path),
    ),
  )
}
