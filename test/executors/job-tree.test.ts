/** A run's tree answers as the trajectory does when it is set to that run: the same names, the same values, the same refusals. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isPypetError } from '../../src/errors.ts'
import { AttemptParts } from '../../src/executors/attempt-parts.ts'
import { jobTree } from '../../src/executors/job-tree.ts'
import { packNodes, writeNodes } from '../../src/executors/packed-nodes.ts'
import { treeParameters } from '../../src/library/tree-experiment.ts'
import { treeExtension } from '../../src/library/tree-extension.ts'
import type { NodesInFile, PackedNodes } from '../../src/protocol.ts'
import { parameterViews } from '../../src/run/parameter-view.ts'
import type { RawLeaf } from '../../src/run/run-frame.ts'
import { loadedValue, type RunParts } from '../../src/run/stored-items.ts'
import { JobRun } from '../../src/tree/job-run.ts'
import { ParameterNode, type ResultNode } from '../../src/tree/nodes.ts'
import { describedParameters, type RunNodes } from '../../src/tree/run-nodes.ts'
import { TrajectoryTree } from '../../src/tree/trajectory-tree.ts'
import type { OwnClass } from '../../src/values/own-class.ts'
import { rawValue } from '../../src/values/raw-value.ts'
import { type StorableValue, toStoredValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'
import { makeTestFolder } from './performed.ts'

/** The run of a tree at a point, as a worker makes it of what main has sent. */
function runOf(
  tree: TrajectoryTree,
  run: number,
  point: Readonly<Record<string, unknown>>,
  {
    pack = (nodes: RunNodes): RunNodes | PackedNodes | NodesInFile => packNodes(nodes, { isShared: true }),
    parts = (): RunParts => {
      throw new Error('nothing is stored here')
    },
    classes = [],
  }: {
    readonly pack?: (nodes: RunNodes) => RunNodes | PackedNodes | NodesInFile
    readonly parts?: () => RunParts
    readonly classes?: readonly OwnClass[]
  } = {},
): JobRun {
  const isParameter = (node: { readonly branch: string }) => node.branch === 'parameters'
  const { groups, leaves, links } = treeExtension(tree, [tree], { skips: isParameter }).extension
  const parameters = treeParameters(tree)
  const nodes = { groups, leaves, links, described: describedParameters(parameters) }
  const shared = jobTree({ parameters, nodes: pack(nodes) }, new Map(classes.map((own) => [own.name, own])))
  return new JobRun({
    run,
    runCount: tree.length,
    par: parameterViews(parameters, shared.findParameter)(point),
    point,
    derived: () => ({}),
    tree: shared,
    seeds: () => {
      throw new Error('no run here draws')
    },
    writeLog: () => undefined,
    parts,
  })
}

class Named {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  static load(text: string) {
    return new Named(text)
  }
  store() {
    return this.text
  }
}

class Other {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  static load(text: string) {
    return new Other(text)
  }
  store() {
    return this.text
  }
}

/** A run that may store before its end; `large` is in the file and was not sent. */
function storing() {
  const tree = new TrajectoryTree({ name: 'demo', parameters: { x: 1 } })
  tree.addDerivedParameter('script', new Named('script') as never)
  tree.addDerivedParameter('large', 'to be left out')
  tree.addResult('baseline', Float64Array.of(5, 6))
  tree.explore({ x: [10, 20] })
  const before = new Map<string, RawLeaf>()
  const { path, remove } = makeTestFolder()
  onTestFinished(remove)
  const place = { folder: path, areTaken: true }
  const attempt = new AttemptParts(place, { run: 0, attempt: 1 }, async () => undefined)
  onTestFinished(() => attempt.drop())
  const parts = () => ({ ...attempt.open(), before: async (name: string) => before.get(name) })
  const pack = (nodes: RunNodes): RunNodes => ({
    ...nodes,
    leaves: nodes.leaves.map((leaf) => (leaf.location.endsWith('.large') ? { ...leaf, items: [] } : leaf)),
  })
  return { live: runOf(tree, 0, { x: 10 }, { parts, pack, classes: [Named] }), before }
}

type Asked = Pick<TrajectoryTree, 'get' | 'value' | 'contains' | 'getDefault'>

/** What a name leads to, or the code of the refusal. */
function answers(asked: Asked, name: string): unknown {
  const attempt = (ask: () => unknown) => {
    try {
      return ask()
    } catch (error) {
      if (isPypetError(error)) return error.code
      throw error
    }
  }
  return {
    name: attempt(() => asked.get(name).fullName),
    comment: attempt(() => asked.get(name).comment),
    annotations: attempt(() => asked.get(name).annotations),
    value: attempt(() => asked.value(name)),
    contains: attempt(() => asked.contains(name)),
    preset: attempt(() => asked.getDefault(name, 'preset')),
    isExplored: attempt(() => {
      const node = asked.get(name)
      return node instanceof ParameterNode ? [node.isExplored, node.length, node.getDefault()] : node.isLeaf
    }),
  }
}

/** A small generator, so that a failure is found again by its seed. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const WORDS = ['a', 'b', 'c', 'tau', 'z']

describe('names in a job and in the trajectory', () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))('random tree %i', (seed) => {
    const draw = generator(seed)
    const word = () => WORDS[draw(WORDS.length)] as string
    const path = () => Array.from({ length: 1 + draw(3) }, word).join('.')
    const values: readonly StorableValue[] = [
      3,
      'text',
      true,
      [1, 2],
      Float64Array.of(1, 2),
      { re: 1, im: 2 },
    ]
    const value = () => values[draw(values.length)] as number
    const tree = new TrajectoryTree({ name: 'demo', parameters: { x: 1 } })
    /** Adds something, unless the name is taken. */
    const attempt = (add: () => void) => {
      try {
        add()
      } catch (error) {
        if (!isPypetError(error, 'PYPET_NAME_TAKEN')) throw error
      }
    }
    const described = () => (draw(2) === 0 ? {} : { comment: `comment ${draw(9)}` })
    for (let count = draw(5); count > 0; count -= 1)
      attempt(() => tree.addParameter(path(), value(), described()))
    for (let count = draw(5); count > 0; count -= 1)
      attempt(() => tree.addDerivedParameter(path(), value(), described()).annotate({ unit: 'mV' }))
    for (let count = draw(5); count > 0; count -= 1)
      attempt(() => tree.addResult(path(), value(), described()))
    for (let count = draw(3); count > 0; count -= 1) attempt(() => tree.addConfig(path(), value()))
    for (let count = draw(2); count > 0; count -= 1)
      attempt(() => tree.addGroup(`results.${path()}`, described()))
    if (draw(2) === 0) attempt(() => tree.addLink(word(), 'parameters.x'))
    tree.explore({ x: [10, 20, 30] })

    const live = runOf(tree, 1, { x: 20 })
    if (draw(2) === 0) live.contains('x') // the tree may be made before or after something is added
    for (const run of [0, 1, 2]) {
      const own = generator(seed + 1000 * run)
      const ownPath = () => Array.from({ length: 1 + own(2) }, () => WORDS[own(WORDS.length)]).join('.')
      tree.startRun(run)
      for (let count = own(4); count > 0; count -= 1) {
        const [name, added] = [own(4) === 0 ? `sets.$.${ownPath()}` : ownPath(), own(100)]
        const isDerived = own(3) === 0
        for (const target of run === 1 ? [tree, live] : [tree]) {
          attempt(
            () => void (isDerived ? target.addDerivedParameter(name, added) : target.addResult(name, added)),
          )
        }
      }
      tree.finishRun()
    }
    tree.idx = 1
    if (!live.contains('results.runs.$.a') && tree.at('results.runs.run_00000001') === undefined) {
      tree.addGroup('results.runs.run_00000001')
    }
    const names = WORDS.flatMap((one) => [
      one,
      ...WORDS.map((two) => `${one}.${two}`),
      ...[
        'x',
        'parameters',
        'results',
        'results.runs.$',
        'crun',
        'res.runs.run_1',
        'r_1',
        'dpar',
        'conf',
        '$',
      ].map((first) => `${first}.${one}`),
    ])
    for (const name of [...names, 'x', 'par.x', 'crun', '$', 'run_1', 'nothing']) {
      expect({ name, ...(answers(live, name) as object) }).toEqual({
        name,
        ...(answers(tree, name) as object),
      })
    }
    const listed = (nodes: Iterable<{ readonly fullName: string }>) =>
      [...nodes]
        .map(({ fullName }) => fullName)
        .filter((name) => !/run_0000000[02]/.test(name))
        .sort()
    // Groups that other runs have made are not there either.
    expect(listed(live.iterLeaves())).toEqual(listed(tree.iterLeaves()))
    expect(listed(live.getAll('a').filter(({ isLeaf }) => isLeaf))).toEqual(
      listed(tree.getAll('a').filter(({ isLeaf }) => isLeaf)),
    )
  })
})

describe('a run and its tree', () => {
  const trajectory = () => {
    const tree = new TrajectoryTree({
      name: 'demo',
      parameters: { x: 1, neuron: { tau: 20, weights: Float64Array.of(1, 2) } },
    })
    tree.addDerivedParameter('area', 4, { comment: 'of the cell' }).annotate({ unit: 'mm2' })
    tree.addResult('baseline', Float64Array.of(5, 6))
    tree.addConfig('threads', 2)
    tree.explore({ x: [10, 20] })
    return tree
  }

  test('what it adds is there at once, can be changed, and is stored as it is at the end', () => {
    const live = runOf(trajectory(), 1, { x: 20 })
    live.addResult('z', 7, { comment: 'seven' })
    expect([live.value('z'), live.res['z'], live.get('crun.z').fullName]).toEqual([
      7,
      7,
      'results.runs.run_00000001.z',
    ])
    live.getResult('z').set(8).annotate({ unit: 'mV' })
    live.get('z').comment = 'eight'
    live.addDerivedParameter('w', 1)
    live.getParameter('w').set(2)
    live.addResult('gone', 1)
    live.getGroup('results.runs.$').removeChild('gone')
    live.addResult('gone', { other: 2 })
    expect(live.end()).toMatchObject([
      {
        location: 'results.runs.run_00000001.z',
        comment: 'eight',
        annotations: [{ name: 'unit', value: { form: 'scalar', value: 'mV' } }],
        items: [{ name: 'z', value: { value: 8 } }],
      },
      { location: 'derived_parameters.runs.run_00000001.w', items: [{ name: 'data', value: { value: 2 } }] },
      { location: 'results.runs.run_00000001.gone', items: [{ name: 'other', value: { value: 2 } }] },
    ])
  })

  test('what is added through groups and nodes is added to the run, by its rules', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.getGroup('results').addResult('a', 1)
    live.getGroup('results.runs.$').addResult('b.c', 2).annotate('first')
    live.getGroup('derived_parameters').addDerivedParameter('d', 3)
    live.getGroup('results').addLeaf('by.$.e', 4)
    live.getGroup('results.by.$').addResult('f', 5)
    live.getGroup('results.runs.$').addLink('best', 'b.c')
    live.getGroup('results.runs.$.b').comment = 'a group'
    expect(() => live.getGroup('results').addResult('a', 1)).toThrow(/already/)
    expect(() => live.addResult('b', 1)).toThrow(/already a group/)
    expect(live.get('best')).toBe(live.get('b.c'))
    expect(live.end().map(({ location }) => location)).toEqual([
      'results.runs.run_00000000.a',
      'results.runs.run_00000000.b.c',
      'derived_parameters.runs.run_00000000.d',
      'results.by.run_00000000.e',
      'results.by.run_00000000.f',
    ])
    expect(live.links).toEqual([
      { location: 'results.runs.run_00000000.best', target: 'results.runs.run_00000000.b.c' },
    ])
    expect(live.groups).toEqual([
      { location: 'results.runs.run_00000000.b', comment: 'a group', annotations: [] },
    ])
    expect(() => live.getResult('a').set(2)).toThrow(/has ended/)
  })

  test('a derived parameter that is set to an instance is stored with its class, and without one when it is set back', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.addDerivedParameter('s', 1)
    live.getParameter('s').set(new Named('a'))
    live.addDerivedParameter('t', new Other('b'))
    live.getParameter('t').set('c')
    live.addDerivedParameter('u', new Other('d'))
    live.getParameter('u').set(new Named('e'))
    expect([live.value('s'), live.value('t'), live.value('u')]).toEqual([new Named('a'), 'c', new Named('e')])
    expect(live.end().map(({ userClass }) => userClass)).toEqual(['Named', undefined, 'Named'])
  })

  test('a link leads to the node that it was given, whatever else has the name', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.addResult('z', 1)
    live.addDerivedParameter('z', 2)
    const own = live.getGroup('results.runs.$')
    own.addLink('d', live.get('derived_parameters.runs.$.z'))
    live.addLink('e', 'derived_parameters.runs.run_00000000.z')
    live.addLink('f', 'z')
    live.addResult('baseline', 3)
    expect(() => own.addLink('g', live.get('results.baseline'))).toThrow(
      expect.objectContaining({ code: 'PYPET_NODE_NOT_FOUND' }),
    )
    live.end()
    expect(live.links.map(({ target }) => target)).toEqual([
      'derived_parameters.runs.run_00000000.z',
      'derived_parameters.runs.run_00000000.z',
      'results.runs.run_00000000.z',
    ])
  })

  test('what is stored before the end is not in memory: the tree says how to load it, and takes nothing out of it', async () => {
    const { live } = storing()
    live.addResult('big', { a: 1, b: 2 })
    await live.storeItem('big')
    const big = live.getResult('big')
    const notLoaded = expect.objectContaining({
      code: 'PYPET_DATA_NOT_LOADED',
      hint: "Load it: await traj.loadItem('results.runs.run_00000000.big').",
    })
    expect([big.has('a'), big.has('c'), live.contains('big')]).toEqual([true, false, true])
    expect(() => live.value('big.a')).toThrow(notLoaded)
    expect(() => big.get('b')).toThrow(notLoaded)
    expect(() => big.get('c')).toThrow(expect.objectContaining({ code: 'PYPET_ITEM_NOT_FOUND' }))
    expect(() => big.removeItem('a')).toThrow(expect.objectContaining({ code: 'PYPET_PARAMETER_LOCKED' }))
    big.setItem('a', 3)
    expect(big.get('a')).toBe(3)
    expect(() => big.removeItem('a')).toThrow(/has stored it/)
    await live.store()
    expect(await live.loadItem('big')).toEqual({ a: 3, b: 2 })
  })

  test('loadItem gives instances, and copies, wherever a leaf is', async () => {
    const { live, before } = storing()
    const large = new Named('large')
    before.set('derived_parameters.large', {
      location: 'derived_parameters.large',
      kind: 'parameter',
      comment: '',
      userClass: 'Named',
      items: [{ name: 'data', value: rawValue(toStoredValue(large.store(), 'large')) }],
    })
    live.addDerivedParameter('own', new Named('own'))
    live.addDerivedParameter('other', new Other('other'))
    await live.store()
    expect(
      await live.loadItems(['own', 'derived_parameters.script', 'derived_parameters.large', 'other']),
    ).toEqual([new Named('own'), new Named('script'), large, new Other('other')])
    const baseline = await live.loadItem<Float64Array>('baseline')
    baseline[0] = 99
    expect(await live.loadItem('baseline')).toEqual(Float64Array.of(5, 6))
    live.value<Float64Array>('baseline')[0] = 98
    expect(await live.loadItem('baseline')).toEqual(Float64Array.of(5, 6))
  })

  test('loadItem of a group gives all that is in it, of the run and of the script', async () => {
    const { live } = storing()
    live.addResult('z', 1)
    expect(await live.loadItem('results')).toEqual({
      baseline: Float64Array.of(5, 6),
      'runs.run_00000000.z': 1,
    })
    expect(await live.loadItem('results.runs.$')).toEqual({ z: 1 })
    await expect(live.loadItem('nothing')).rejects.toThrow(
      expect.objectContaining({ code: 'PYPET_DATA_NOT_STORED' }),
    )
  })

  test('a link that is removed is not stored, and its name is free again', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.addResult('a', 1)
    live.addLink('b', 'a')
    live.getGroup('results.runs.$').removeLink('b')
    live.addResult('b', 2)
    live.addLink('c', 'a')
    live.getGroup('results.runs.$').removeChild('a')
    expect([live.end().map(({ location }) => location), live.links]).toEqual([
      ['results.runs.run_00000000.b'],
      [],
    ])
  })

  test.each<[what: string, change: (live: JobRun) => unknown]>([
    ['a parameter', (live) => live.getParameter('tau').set(1)],
    ['an unlocked parameter', (live) => live.getParameter('tau').unlock()],
    ['a derived parameter of the script', (live) => live.getParameter('area').set(1)],
    ['a result of the script', (live) => live.getResult('baseline').set(1)],
    ['an item of one', (live) => live.getResult('baseline').removeItem('baseline')],
    ['the comment of a node', (live) => (live.get('area').comment = 'other')],
    ['an annotation', (live) => live.get('neuron').annotate({ a: 1 })],
    ['what is removed', (live) => live.getGroup('results').removeChild('baseline')],
    ['what is added beside it', (live) => live.getGroup('parameters.neuron').addGroup('more')],
    ['the exploration', (live) => live.get('tau').root.explore({ tau: [1, 2] })],
  ])('%s belongs to all runs and cannot be changed', (_what, change) => {
    const live = runOf(trajectory(), 0, { x: 10 })
    expect(() => change(live)).toThrow(expect.objectContaining({ code: 'PYPET_PARAMETER_LOCKED' }))
    expect(live.value('tau')).toBe(20)
    expect([live.end(), live.links, live.groups]).toEqual([[], [], []])
  })

  test('config and parameters cannot be added, and views cannot be assigned', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    expect(() => live.getGroup('parameters').addParameter('y', 1)).toThrow(/during a run/)
    expect(() => live.getGroup('config').addConfig('y', 1)).toThrow(/during a run/)
    expect(() => {
      live.conf.threads = 3
    }).toThrow(/cannot be assigned/)
    expect(live.conf.threads).toBe(2)
  })

  test('a run has its own value of what is explored, and no other', () => {
    const live = runOf(trajectory(), 1, { x: 20 })
    const { x } = live.getGroup('parameters').toDict({ shortNames: true }) as { x: ParameterNode }
    expect([x.get(), x.getDefault(), x.isExplored, x.length]).toEqual([20, 1, true, 2])
    expect(Object.keys(live.exploredParameters)).toEqual(['parameters.x'])
    expect(() => x.getRange()).toThrow(expect.objectContaining({ code: 'PYPET_DATA_NOT_LOADED' }))
  })

  test('traj.par finds what is in groups, and gives one array wherever it is asked', () => {
    const live = runOf(trajectory(), 1, { x: 20 })
    const par = live.par as unknown as Record<string, Float64Array>
    ;(par['weights'] as Float64Array)[0] = 99
    expect([par['tau'], live.value<Float64Array>('weights')[0]]).toEqual([20, 99])
    expect(() => par['taux']).toThrow(expect.objectContaining({ code: 'PYPET_PARAMETER_UNKNOWN' }))
  })

  test('whole numbers are numbers in a job, as in the script and in files', () => {
    const tree = new TrajectoryTree({ name: 'demo', parameters: { x: 1 } })
    tree.addConfig('threads', integer(2)).annotate({ most: integer(8) })
    tree.addDerivedParameter('n', integer(5))
    tree.addResult('counts', {
      list: [integer(1), integer(2)],
      inner: { deep: integer(3) },
      large: 2n ** 60n,
    })
    tree.explore({ x: [10, 20] })
    const live = runOf(tree, 1, { x: 20 })
    const { counts } = live.toDict({ shortNames: true }) as { counts: ResultNode }
    expect([
      live.conf.threads * 2,
      live.get('threads').annotations,
      live.dpar['n'],
      counts.toRecord(),
    ]).toEqual([4, { most: 8 }, 5, { list: [1, 2], inner: { deep: 3 }, large: 2n ** 60n }])
    const items = [{ name: 'n', value: rawValue(toStoredValue(integer(5), 'n')) }]
    expect(
      loadedValue(
        { kind: 'result', items },
        () => true,
        () => undefined,
      ),
    ).toBe(5)
  })

  test('what a run does to an array stays in the run', () => {
    const tree = trajectory()
    const { path, remove } = makeTestFolder()
    onTestFinished(remove)
    const inFile = (nodes: RunNodes) => writeNodes(packNodes(nodes, { isShared: false }), join(path, 'nodes'))
    for (const pack of [(nodes: RunNodes) => nodes, undefined, inFile]) {
      const first = runOf(tree, 0, { x: 10 }, pack === undefined ? {} : { pack })
      first.value<Float64Array>('baseline')[0] = 99
      first.value<Float64Array>('weights')[0] = 99
      expect(first.value<Float64Array>('baseline')[0]).toBe(99)
      const second = runOf(tree, 1, { x: 20 }, pack === undefined ? {} : { pack })
      expect([second.value('baseline'), second.value('weights')]).toEqual([
        Float64Array.of(5, 6),
        Float64Array.of(1, 2),
      ])
    }
    expect(tree.value('baseline')).toEqual(Float64Array.of(5, 6))
  })

  test('a name of the tree is no property of traj: the error says where it is', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    const asked = live as unknown as Record<string, unknown>
    const hintOf = (ask: () => unknown) => {
      try {
        return String(ask())
      } catch (error) {
        return isPypetError(error) ? error.hint : String(error)
      }
    }
    expect(hintOf(() => asked['tau'])).toBe("Write traj.par.tau, or traj.value('tau').")
    expect(hintOf(() => asked['area'])).toBe("Write traj.dpar.area, or traj.value('area').")
    expect(hintOf(() => asked['addresult'])).toBe('Did you mean traj.addResult?')
    expect(hintOf(() => asked['qqqqqqqqq'])).toMatch(/traj\.par/)
    expect(hintOf(() => (asked['z'] = 3))).toMatch(/addResult\('z', value\)/)
    expect([JSON.stringify(live).length > 0, asked['then'], String(live)]).toEqual([
      true,
      undefined,
      '[object Object]',
    ])
  })

  test('an empty result is refused when the job returns', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.addResult('z', 1)
    live.getResult('z').empty()
    expect(() => live.end()).toThrow(expect.objectContaining({ code: 'PYPET_VALUE_UNSUPPORTED' }))
  })

  test('noClobber keeps what is there', () => {
    const live = runOf(trajectory(), 0, { x: 10 })
    live.noClobber = true
    live.addResult('z', 1)
    live.addResult('z', 2)
    expect([live.value('z'), live.end().length]).toEqual([1, 1])
  })
})
