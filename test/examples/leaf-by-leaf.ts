/**
 * Files go both ways, leaf by leaf: what pypet 0.7 reads from the files of our ports, and what we read from the files of
 * pypet's own examples, is what the other reads. It needs pypet's sources, whose folder has `examples`, and the Python of
 * the interop tests with pandas, SciPy and matplotlib. Vitest takes it for tests where they are named; it takes a quarter
 * of an hour:
 *
 *     PYPET_SOURCES=<pypet 0.7.0> npx vitest run test/examples/leaf-by-leaf.ts
 *
 * Left out are the examples that need more: 19, 19b, 19c and 20 DEAP, 21 SCOOP, 22 SAGA, 23 and 24 Brian.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTrajectory, type Trajectory } from '../../src/index.ts'
import { rangeSize, rangeValue } from '../../src/run/parameter-range.ts'
import { GroupNode, ParameterNode, ResultNode, type TreeNode } from '../../src/tree/nodes.ts'
import type { StoredField, StoredValue } from '../../src/values/stored-value.ts'
import { canonical, canonicalJson, type Tagged } from '../interop/canonical-value.ts'
import { isCompared, isOfTheReader, type PypetNode, type PypetTrajectory } from '../interop/pypet-nodes.ts'
import { PYTHON } from '../interop/python.ts'

const SOURCES = process.env.PYPET_SOURCES as string
const HERE = new URL('.', import.meta.url)
const READER = fileURLToPath(new URL('leaf-by-leaf.py', HERE))

/** Their files are those of pypet's examples in full. */
const PYPETS_EXAMPLES = [
  'example_01_first_steps.py',
  'example_02_trajectory_access_and_storage.py',
  'example_03_trajectory_merging.py',
  'example_04_multiprocessing.py',
  'example_05_custom_parameter.py',
  'example_06_parameter_presetting.py',
  'example_08_f_find_idx.py',
  'example_09_large_results.py',
  'example_10_get_items_from_all_runs.py',
  'example_12_sharing_data_between_processes.py',
  'example_13_post_processing/main.py',
  'example_13_post_processing/pipeline.py',
  'example_14_links.py',
  'example_15_more_ways_to_add_data.py',
  'example_16_multiproc_context.py',
  'example_17_wrapping_an_existing_project/pypetwrap.py',
  'example_18_many_runs.py',
]
/** It stores nothing, here and there. */
const WITHOUT_FILE = /^example.15.more.ways.to.add.data\./

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-leaf-by-leaf-'))
const before = process.cwd()
// Logs go where the script is started.
beforeAll(() => process.chdir(folder))
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

describe('leaf by leaf', () => {
  const ports = readdirSync(HERE).filter((file) => /^example-\d+[a-z]?-.+\.ts$/.test(file))

  test.each(ports)('pypet reads from the files of %s what we read', async (port) => {
    const own = mkdtempSync(join(folder, 'port-'))
    const { default: example } = await import(new URL(port, HERE).href)
    await example(own)
    if (WITHOUT_FILE.test(port)) expect(hdf5FilesIn(own)).toEqual([])
    else expect(await differencesIn(own)).toEqual([])
  })

  test.each(PYPETS_EXAMPLES)('we read from the files of %s what pypet reads', async (example) => {
    const own = mkdtempSync(join(folder, 'pypet-'))
    python(own, [fileURLToPath(new URL(`examples/${example}`, `file://${SOURCES}/`))])
    if (WITHOUT_FILE.test(example)) expect(hdf5FilesIn(own)).toEqual([])
    else expect(await differencesIn(own)).toEqual([])
  })
})

/** Of all trajectories of all files of a folder, one line each. */
async function differencesIn(where: string): Promise<string[]> {
  const files = hdf5FilesIn(where)
  expect(files).not.toEqual([])
  // pypet opens files for writing.
  const copies = `${where}-for-pypet`
  mkdirSync(copies)
  const copied = new Map(files.map((file, index) => [join(copies, `${index}.hdf5`), file]))
  for (const [copy, file] of copied) cpSync(file, copy)
  const read: Record<string, PypetTrajectory<object>[]> = JSON.parse(
    python(copies, [READER, ...copied.keys()]),
  )
  const differences: string[] = []
  for (const [copy, trajectories] of Object.entries(read)) {
    for (const theirs of trajectories) {
      const file = copied.get(copy) as string
      using ours = await loadTrajectory(file, { name: theirs.trajectory.name, all: 'data' })
      differences.push(...differencesOf(ours, theirs).map((line) => `${ours.name}: ${line}`))
    }
  }
  return differences
}

function hdf5FilesIn(where: string): string[] {
  return readdirSync(where, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(h5|hdf5)$/.test(name))
    .map((name) => join(where, name))
}

function python(cwd: string, words: readonly string[]): string {
  const env = { ...process.env, PYTHONPATH: SOURCES, MPLBACKEND: 'Agg' }
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', ...words], {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 1_000_000_000,
  })
  if (status !== 0) throw new Error(`${words.join(' ')}:\n${stderr}`)
  return stdout
}

function differencesOf(ours: Trajectory, theirs: PypetTrajectory<object>): string[] {
  const found: string[] = []
  const same = (where: string, our: unknown, their: unknown) => {
    if (!isDeepStrictEqual(our, their))
      found.push(`${where}: ${JSON.stringify(our)} here, ${JSON.stringify(their)} in pypet`)
  }
  const { name, comment, length, timestamp, version } = ours
  same('the trajectory', { name, comment, length, timestamp, version }, theirs.trajectory)
  same('explored', Object.keys(ours.exploredParameters).sort(), theirs.explored)
  same('links', sorted(linksIn(ours)), sorted(theirs.links))
  for (const [run, information] of theirs.runs.entries()) {
    const { idx, name, completed, parameterSummary, environmentHexsha } = ours.runInformation(run)
    const own = {
      idx,
      name,
      completed: Number(completed),
      parameter_summary: parameterSummary,
      environment: environmentHexsha,
    }
    same(`run ${run}`, own, information)
  }
  const nodes = new Map<string, TreeNode>([...ours.iterNodes()].map((node) => [node.fullName, node]))
  same(
    'names',
    [...nodes.keys()].filter(isCompared).sort(),
    Object.keys(theirs.nodes).filter(isCompared).sort(),
  )
  for (const [fullName, node] of Object.entries(theirs.nodes)) {
    const own = nodes.get(fullName)
    if (own === undefined || isOfTheReader(fullName)) continue
    same(fullName, ourNode(own), theirNode(node))
  }
  return found
}

function linksIn(traj: Trajectory): Record<string, string> {
  const groups = [traj, ...traj.iterNodes()].filter((node) => node instanceof GroupNode)
  return Object.fromEntries(
    groups.flatMap((group) =>
      Object.entries(group.links).map(([link, target]) => [
        [group.fullName, link].filter((part) => part !== '').join('.'),
        target.fullName,
      ]),
    ),
  )
}

function ourNode(node: TreeNode): object {
  const all = (fields: readonly StoredField[]) =>
    sorted(Object.fromEntries(fields.map(({ name, value }) => [name, canonical(value, true)])))
  const told = { leaf: node.isLeaf, comment: node.comment, annotations: all(node.storedAnnotations) }
  if (node instanceof ResultNode) return { ...told, data: all(node.storedItems) }
  if (!(node instanceof ParameterNode)) return told
  const { range, stored } = node
  const values =
    range === undefined
      ? undefined
      : Array.from({ length: rangeSize(range) }, (_, run) =>
          canonical(rangeValue(range, run) as StoredValue, true),
        )
  return { ...told, value: stored === undefined ? undefined : canonical(stored, true), range: values }
}

function theirNode({ leaf, comment, annotations = {}, value, range, data }: PypetNode): object {
  const all = (fields: Readonly<Record<string, Tagged>>) =>
    sorted(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, canonicalJson(field)])))
  const told = { leaf, comment, annotations: all(annotations) }
  if (data !== undefined) return { ...told, data: all(data) }
  if (!leaf) return told
  return {
    ...told,
    value: value === undefined ? undefined : canonicalJson(value),
    range: range?.map(canonicalJson),
  }
}

function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([one], [two]) => (one < two ? -1 : 1)))
}
