/** What scripts and commands do to a stored trajectory, in both layouts: they read back equal, and columns stay true. */
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../dist/index.js'
import { convertFile } from '../../src/library/convert.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { mergeFiles } from '../../src/library/merge.ts'
import type { Trajectory } from '../../src/library/trajectory.ts'
import { runName } from '../../src/names.ts'
import { type Hdf5Reader, openHdf5Reader } from '../../src/reading/reader.ts'
import { pypet } from '../cli/pypet.ts'
import { randomFrom } from '../crash/long-form.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { contentOf, disagreements, otherUnits } from '../storage/layout-content.ts'

const JOB = `
import { defineExperiment, parameter } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: parameter(1, { unit: 'm' }) },
  run(traj) {
    const { x } = traj.par
    traj.addResult('z', x * 2, { comment: 'twice', unit: 'mV' })
    traj.addResult('neuron.rate', x / 2)
    traj.addResult('both', { a: x, text: 'of ' + x }, { unit: x > 4 ? 'V' : 'mV' })
    traj.addResult('trace', Float64Array.of(x, x + 1), { unit: 'µm²' })
    if (x > 2) traj.addResult('rare', true)
    if (x > 3) traj.addResult('mixed', x > 4 ? 'a text' : 1)
    traj.addDerivedParameter('d', x + 1, { unit: 's' })
  },
})`
const SEED = Number(process.env.PYPET_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
const LAYOUTS = ['tree', 'columns'] as const

let folder = ''
const inFolder = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  for (const layout of LAYOUTS) {
    for (const [name, values] of Object.entries({ a: '1,2,3,4,5,6', b: '2,7,8' })) {
      const filename = inFolder(`${name}-${layout}.h5`)
      await run(inFolder('job.mjs'), {
        options: { filename, layout, logging: false, purgeDuplicateComments: false },
        explore: [`x=${values}`],
      })
    }
  }
}, 120_000)

/** A copy of a file in each layout. */
function copies(name: string, of = 'a'): readonly string[] {
  return LAYOUTS.map((layout) => {
    const copy = inFolder(`${name}-${layout}.h5`)
    copyFileSync(inFolder(`${of}-${layout}.h5`), copy)
    return copy
  })
}

async function expectEqual(files: readonly string[], { withComments = true } = {}): Promise<void> {
  const contents: Record<string, unknown>[] = []
  for (const file of files) {
    using reader = await openHdf5Reader(file)
    contents.push(contentOf(reader, 'demo', { withComments }))
    expect(disagreements(reader, 'demo')).toEqual([])
    expect(otherUnits(reader, 'demo')).toEqual([])
  }
  expect(contents[1]).toEqual(contents[0])
}

type Edit = (traj: Trajectory) => Promise<void>

const EDITS: Readonly<Record<string, (random: () => number) => Edit>> = {
  'a new result in a run': (random) => {
    const [run, value] = [Math.floor(random() * 6), random()]
    const name = `runs.${runName(run)}.${random() < 0.5 ? 'added' : 'neuron.added'}`
    return async (traj) => {
      if (traj.contains(`results.${name}`)) return
      traj.addResult(name, value)
      await traj.store()
    }
  },
  'a new item of a result': (random) => {
    const name = `results.runs.${runName(Math.floor(random() * 6))}.both`
    const item = random() < 0.5 ? 'b' : 'c'
    const value = random() < 0.5 ? random() : 'a new text'
    return async (traj) => {
      if (!traj.contains(name) || traj.getResult(name).has(item)) return
      traj.getResult(name).setItem(item, value)
      await traj.store()
    }
  },
  'another value': (random) => {
    const name = `results.runs.${runName(Math.floor(random() * 6))}.z`
    const value = random() < 0.5 ? random() : 'no number'
    return async (traj) => {
      if (!traj.contains(name)) return
      traj.getResult(name).setItem('z', value)
      await traj.storeItem(name, { overwrite: true })
    }
  },
  'a comment and an annotation': (random) => {
    const name = `results.runs.${runName(Math.floor(random() * 6))}.neuron.rate`
    const comment = `comment ${Math.floor(random() * 3)}`
    return async (traj) => {
      if (!traj.contains(name)) return
      const result = traj.getResult(name)
      result.comment = comment
      result.annotate({ unit: 'Hz' })
      await traj.store()
    }
  },
  'another unit': (random) => {
    const name = `results.runs.${runName(Math.floor(random() * 6))}.${random() < 0.5 ? 'z' : 'both'}`
    const unit = ['mV', 'V', undefined][Math.floor(random() * 3)]
    return async (traj) => {
      if (!traj.contains(name)) return
      const result = traj.getResult(name)
      if (unit === undefined) result.removeAnnotation('unit')
      else result.annotate({ unit })
      await traj.store()
    }
  },
  'a link': (random) => {
    const run = `results.runs.${runName(Math.floor(random() * 6))}`
    return async (traj) => {
      if (!traj.contains(`${run}.both`) || traj.contains(`${run}.same`)) return
      traj.addLink(`${run}.same`, `${run}.both`)
      await traj.store()
    }
  },
  'a deleted result': (random) => {
    const run = `results.runs.${runName(Math.floor(random() * 6))}`
    const name = `${run}.${['z', 'neuron', 'trace', 'both'][Math.floor(random() * 4)]}`
    return async (traj) => {
      if (traj.contains(name)) await traj.deleteItem(name)
    }
  },
  'a compaction': () => async (traj) => {
    await traj.compact()
  },
}

describe(`edits (PYPET_TEST_SEED=${SEED})`, () => {
  test.each(Object.keys(EDITS))('%s reads back equal from both layouts', async (name) => {
    const files = copies(`one ${name}`)
    const edit = (EDITS[name] as (typeof EDITS)[string])(randomFrom(SEED))
    for (const file of files) {
      using traj = await loadTrajectory(file)
      await edit(traj)
    }
    await expectEqual(files)
  })

  test.each([0, 1, 2, 3, 4, 5])('a random sequence of them does, too (%i)', async (number) => {
    const random = randomFrom(SEED + number)
    const files = copies(`sequence ${number}`)
    const names = Object.keys(EDITS)
    const edits = Array.from({ length: 8 }, () => {
      const name = names[Math.floor(random() * names.length)] as string
      return (EDITS[name] as (typeof EDITS)[string])(random)
    })
    for (const file of files) {
      for (const edit of edits) {
        using traj = await loadTrajectory(file)
        await edit(traj)
      }
    }
    await expectEqual(files)
  })
})

test('the last annotation of a node takes its mark with it, in both layouts and their conversions', async () => {
  const marked = (reader: Hdf5Reader, path: string) => reader.attributeNames(path).includes('SRVC_ANNOTATED')
  const result = 'results.runs.run_00000000.z'
  for (const [index, file] of copies('without annotations').entries()) {
    const steps: Edit[] = [
      async (traj) => {
        traj.getResult(result).removeAnnotation('unit')
        traj.getParameter('x').removeAnnotation('unit')
        traj.get('results').annotate({ made: 'by hand', on: 1 })
        await traj.store()
      },
      async (traj) => {
        traj.get('results').removeAnnotation('made')
        await traj.store()
      },
      async (traj) => {
        traj.get('results').removeAnnotation('on')
        await traj.store()
      },
    ]
    const marks: unknown[] = []
    for (const step of steps) {
      using traj = await loadTrajectory(file)
      await step(traj)
      using reader = await openHdf5Reader(file)
      const leaf = `/demo/${result.replaceAll('.', '/')}`
      marks.push([
        marked(reader, leaf),
        marked(reader, '/demo/parameters/x'),
        marked(reader, '/demo/results'),
      ])
    }
    expect(marks).toEqual([
      [false, false, true],
      [false, false, true],
      [false, false, false],
    ])
    for (const layout of LAYOUTS) {
      const target = inFolder(`without-annotations-${index}-as-${layout}.h5`)
      await convertFile(file, target, { layout })
      await expectEqual([file, target])
    }
  }
})

test('results with another name in each run make few columns, and read back equal', async () => {
  const named = fileTree({
    'job.mjs': `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  run(traj) {
    const { x } = traj.par
    if (x === 0) throw new Error('the first one fails')
    traj.addResult('z', x)
    // As many as a first run may have.
    for (let n = 0; n < 70; n += 1) traj.addResult('common' + n, n)
    for (const part of ['a', 'b']) traj.addResult(part + x, x)
  },
})`,
  })
  const files: string[] = []
  for (const layout of LAYOUTS) {
    const filename = join(named, `${layout}.h5`)
    files.push(filename)
    const options = { filename, layout, logging: false }
    expect(await run(join(named, 'job.mjs'), { options, explore: ['x=0:40'] })).toMatchObject({
      storedCount: 39,
    })
    using reader = await openHdf5Reader(filename)
    const columns = reader.columns('demo')?.columns ?? []
    // Four facts, what all runs have, and those of single values: the limit, and what the last run before it had added.
    expect(columns.length).toBeLessThan(4 + 71 + 64 + 2)
    const names = columns.map(({ name }) => name)
    expect(['z', 'common0', 'common69'].filter((name) => !names.includes(name))).toEqual([])
    const last = columns.find(({ name }) => name === 'common69')
    const without = Array.from({ length: 40 }, (_, run) => run).filter(
      (run) => last === undefined || reader.columns('demo')?.has(last, run) !== true,
    )
    expect(without).toEqual([0])
  }
  await expectEqual(files)
})

test('expanded and continued trajectories keep their layout', async () => {
  const files = copies('expanded')
  for (const [index, file] of files.entries()) {
    const expanded = await pypet(folder, ['expand', file, '--explore', 'x=9,10'])
    expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])
    using reader = await openHdf5Reader(file)
    expect(reader.columns('demo')?.layout).toBe(LAYOUTS[index])
    expect(reader.raw.kind('/demo/results/runs/run_00000007/z')).toBe(index === 0 ? 'group' : undefined)
    expect([...(reader.columns('demo')?.statuses() ?? [])]).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
    const units = new Map(reader.columns('demo')?.columns.map(({ name, unit }) => [name, unit]))
    expect([units.get('z'), units.get('both:a'), units.get('d')]).toEqual(['mV', 'mV', 's'])
    expect(reader.attribute('/demo/parameters/x', 'SRVC_AN_unit')).toBe('m')
    expect(reader.attribute('/demo/results/runs/run_00000007/z', 'SRVC_AN_unit')).toBe('mV')
  }
  // In the tree, a comment is with the first run that has it. A column has it for all runs.
  await expectEqual(files, { withComments: false })
})

test.each([
  ['tree', 'tree'],
  ['tree', 'columns'],
  ['columns', 'tree'],
  ['columns', 'columns'],
])('a merge of %s and %s has the layout of the first, and the content of any', async (first, second) => {
  const target = inFolder(`merged-${first}-${second}.h5`)
  const reference = inFolder(`reference-${first}-${second}.h5`)
  const inputs = [first, second].map((layout, index) => ({ file: inFolder(`${'ab'[index]}-${layout}.h5`) }))
  await mergeFiles(inputs, { file: target }, { removeDuplicates: true })
  await mergeFiles(
    [{ file: inFolder('a-tree.h5') }, { file: inFolder('b-tree.h5') }],
    { file: reference },
    {
      removeDuplicates: true,
    },
  )
  await expectEqual([target, reference])
  using reader = await openHdf5Reader(target)
  expect(reader.columns('demo')?.layout).toBe(first)
  expect(reader.raw.kind('/demo/results/runs/run_00000007/z')).toBe(first === 'tree' ? 'group' : undefined)
})

describe(`a conversion (PYPET_TEST_SEED=${SEED})`, () => {
  test.each([
    ['tree', 'columns'],
    ['columns', 'tree'],
    ['tree', 'tree'],
    ['columns', 'columns'],
  ] as const)('of %s into %s reads back equal, and so does the way back', async (from, to) => {
    const source = inFolder(`a-${from}.h5`)
    const target = inFolder(`${from}-as-${to}.h5`)
    const report = await convertFile(source, target, { layout: to })
    const { leavesInColumns, leavesInTree } = report.trajectories[0] as (typeof report.trajectories)[number]
    expect([report.layout, leavesInColumns > 0, leavesInTree > 0]).toEqual([to, to === 'columns', true])
    const back = inFolder(`${from}-as-${to}-and-back.h5`)
    await convertFile(target, back, { layout: from })
    await expectEqual([source, target])
    await expectEqual([source, back])
    using reader = await openHdf5Reader(target)
    expect(reader.columns('demo')?.layout).toBe(to)
    const facts = contentOfFacts(reader)
    using before = await openHdf5Reader(source)
    expect(facts).toEqual(contentOfFacts(before))
  })

  test('of edited trajectories loses nothing', async () => {
    const random = randomFrom(SEED)
    const edits = Object.values(EDITS).map((edit) => edit(random))
    for (const [index, file] of copies('edited, then converted').entries()) {
      for (const edit of edits) {
        using traj = await loadTrajectory(file)
        await edit(traj)
      }
      for (const layout of LAYOUTS) {
        const target = inFolder(`edited-${index}-as-${layout}.h5`)
        await convertFile(file, target, { layout })
        await expectEqual([file, target])
      }
    }
  })

  test('is refused for another layout, for the file itself, and for a file that exists', async () => {
    const [file = ''] = copies('refused')
    const converting = (target: string, layout: string) => convertFile(file, target, { layout } as never)
    await expect(converting(inFolder('new.h5'), 'rows')).rejects.toMatchObject({ code: 'PYPET_USAGE' })
    await expect(converting(file, 'tree')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_WRITABLE' })
    const existing = inFolder('b-tree.h5')
    await expect(converting(existing, 'tree')).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_WRITABLE' })
    await convertFile(file, inFolder('twice.h5'), { layout: 'columns' })
    await convertFile(file, inFolder('twice.h5'), { layout: 'tree', overwrite: true })
    using reader = await openHdf5Reader(inFolder('twice.h5'))
    expect(reader.columns('demo')?.layout).toBe('tree')
    expect(readdirSync(folder).filter((name) => name.includes('convert'))).toEqual([
      'edited, then converted-columns.h5',
      'edited, then converted-tree.h5',
    ])
  })
})

/** Facts of runs, and the state of each. */
function contentOfFacts(reader: Hdf5Reader): unknown {
  const set = reader.columns('demo')
  const facts = set?.columns.filter(({ name }) => name.startsWith('_')) ?? []
  return facts.map(({ name, path }) => [name, reader.raw.bytes(path)])
}
