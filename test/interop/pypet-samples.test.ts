/** Files that pypet 0.7.0 wrote, each beside the JSON of what pypet itself loads from it: every entry is the same here. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { rangeSize, rangeValue } from '../../src/run/parameter-range.ts'
import { GroupNode, ParameterNode, ResultNode } from '../../src/tree/nodes.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { canonical, canonicalJson, type Tagged } from './canonical-value.ts'
import { isCompared, isOfTheReader, type PypetNode, type PypetTrajectory } from './pypet-nodes.ts'

type Sample = PypetTrajectory<{
  readonly idx: number
  readonly completed: number
  readonly parameter_summary: string
}>

/** What only Python can read, and is shown as such: pickles. Annotations that are no single value are pickles, too. */
const FOR_PYTHON_ONLY: ReadonlySet<string> = new Set([
  'parameters.pickle.p_dict',
  'parameters.pickle.p_none_mix',
  'parameters.xpk',
  'results.pickle_res.o',
  'results.annotated@dct',
  'results.annotated@lst',
  'results.annotated@none',
  'results.annotated@tup',
])

/** Where pypet loses what the file says, and we do not: an empty array of texts is one of floats there. */
const LOST_BY_PYPET: Readonly<Record<string, unknown>> = {
  'results.empty.empty_str': { ndarray: 'str', shape: [0], elements: [] },
}

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-samples-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function fixture(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(`../fixtures/pypet/${name}.gz`, import.meta.url)))
}

describe.each(['a_multiplication', 'b_alltypes', 'd_crashed'])('%s', async (name) => {
  const file = join(folder, `${name}.h5`)
  writeFileSync(file, fixture(`${name}.h5`))
  const sample: Sample = JSON.parse(fixture(`${name}.json`).toString())
  const nodes = Object.entries(sample.nodes).filter(([fullName]) => !isOfTheReader(fullName))
  const traj = await loadTrajectory(file, { all: 'data' })
  afterAll(() => traj.close())

  test('the trajectory is what pypet says', () => {
    const { comment, length, timestamp, version } = sample.trajectory
    expect(traj).toMatchObject({ name: sample.trajectory.name, comment, length, timestamp, version })
    expect(Object.keys(traj.exploredParameters).sort()).toEqual([...sample.explored].sort())
  })

  test('every node of pypet is here, and no other', () => {
    const names = [...traj.iterNodes()].map(({ fullName }) => fullName)
    expect(names.filter(isCompared).sort()).toEqual(
      nodes
        .map(([fullName]) => fullName)
        .filter(isCompared)
        .sort(),
    )
  })

  test('comments and annotations are the same', () => {
    for (const [fullName, { comment, annotations = {} }] of nodes) {
      const node = traj.at(fullName)
      expect([fullName, node?.comment]).toEqual([fullName, comment])
      const found = Object.fromEntries(
        (node?.storedAnnotations ?? []).map(({ name, value }) => [name, value]),
      )
      expect([fullName, Object.keys(found).sort()]).toEqual([fullName, Object.keys(annotations).sort()])
      for (const [key, tagged] of Object.entries(annotations)) {
        same(`${fullName}@${key}`, found[key] as StoredValue, tagged)
      }
    }
  })

  test('every value, range and item is the same', () => {
    let compared = 0
    for (const [fullName, expected] of nodes) {
      const node = traj.at(fullName)
      if (!expected.leaf) expect(node).toBeInstanceOf(GroupNode)
      else if (expected.data === undefined) compared += sameParameter(node as ParameterNode, expected)
      else compared += sameResult(node as ResultNode, expected.data)
    }
    expect(compared).toBeGreaterThan(5)
  })

  test('links lead where they led', () => {
    for (const [link, target] of Object.entries(sample.links)) expect(traj.get(link).fullName).toBe(target)
  })

  test('the runs are known', () => {
    for (const { idx, completed, parameter_summary } of sample.runs) {
      expect(traj.runInformation(idx)).toMatchObject({
        completed: completed === 1,
        parameterSummary: parameter_summary,
      })
    }
  })
})

function sameParameter(node: ParameterNode, { value, range }: PypetNode): number {
  expect(node).toBeInstanceOf(ParameterNode)
  if (value !== undefined) same(node.fullName, node.stored as StoredValue, value)
  if (range === undefined) return 1
  const found = node.range
  if (found === undefined) throw new Error(`${node.fullName} has no range`)
  expect(rangeSize(found)).toBe(range.length)
  for (const [run, tagged] of range.entries()) {
    same(node.fullName, rangeValue(found, run) as StoredValue, tagged)
  }
  return 1 + range.length
}

function sameResult(node: ResultNode, data: Readonly<Record<string, Tagged>>): number {
  expect(node).toBeInstanceOf(ResultNode)
  const items = Object.fromEntries(node.storedItems.map(({ name, value }) => [name, value]))
  expect([node.fullName, Object.keys(items).sort()]).toEqual([node.fullName, Object.keys(data).sort()])
  for (const [key, tagged] of Object.entries(data)) {
    same(
      FOR_PYTHON_ONLY.has(`${node.fullName}.${key}`) ? `${node.fullName}.${key}` : node.fullName,
      items[key] as StoredValue,
      tagged,
    )
  }
  return Object.keys(data).length
}

function same(where: string, found: StoredValue, expected: Tagged): void {
  if (FOR_PYTHON_ONLY.has(where)) expect([where, found.form]).toEqual([where, 'unread'])
  else if (where in LOST_BY_PYPET) expect(canonical(found)).toEqual(LOST_BY_PYPET[where])
  else expect([where, canonical(found)]).toEqual([where, canonicalJson(expected)])
}
