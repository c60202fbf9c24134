import { describe, expect, test } from 'vitest'
import { cartesianProduct } from '../../src/exploration/cartesian.ts'
import { derive } from '../../src/exploration/derive.ts'
import { type ExploreTexts, explorationFromFlags } from '../../src/exploration/explore-flags.ts'
import { onlyIf } from '../../src/exploration/only-if.ts'
import { parseExploration } from '../../src/exploration/parse-exploration.ts'
import { planRuns } from '../../src/exploration/plan.ts'
import { repeat, withTrialParameters } from '../../src/exploration/repeat.ts'
import { runPoint } from '../../src/exploration/run-point.ts'
import { random, sobol } from '../../src/exploration/sample.ts'
import { choice, logBetween } from '../../src/exploration/sample-range.ts'
import { where } from '../../src/exploration/where.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { integer } from '../../src/values/value-forms.ts'

const parameters = flattenParameters(
  {
    x: 1,
    y: 1,
    z: 1,
    n: integer(1),
    big: 1n,
    on: true,
    mode: 'fast',
    limit: 2,
    neuron: { tau: 20, between: 1 },
  },
  'parameters',
)

const draftOf = (
  texts: ExploreTexts,
  repeat = 1,
  declared = cartesianProduct({ x: [1, 2, 3], y: [1, 2] }).spec,
) =>
  explorationFromFlags(texts, parameters, {
    declared: () => declared,
    repeat: { given: repeat, where: '--repeat' },
  })
const pointsOfDraft = (exploration: ReturnType<typeof draftOf>) => {
  const plan = planRuns({ parameters: withTrialParameters(parameters, exploration), exploration })
  return Array.from({ length: plan.runCount }, (_, run) => runPoint(plan, run))
}
const pointsOf = (...given: Parameters<typeof draftOf>) => pointsOfDraft(draftOf(...given))

describe('flags', () => {
  test('--sample draws from what --explore gives: bounds, logarithmic ones, lists', () => {
    expect(
      draftOf({
        sample: 'sobol:16:3',
        explore: ['x=0:1', 'y=0.001:10:log', 'n=1:6', 'mode=a,b', 'z=0:1:0.5', 'neuron.tau=5,7'],
      }),
    ).toEqual({
      ...sobol(
        {
          x: [0, 1],
          y: logBetween(0.001, 10),
          n: [1, 6],
          mode: choice(['a', 'b']),
          z: { kind: 'arange', start: 0, step: 0.5, length: 2 },
          'neuron.tau': choice([5, 7]),
        },
        { count: 16, seed: 3 },
      ).spec,
    })
  })

  test.each([
    ['random:5', 'random', 0],
    ['lhs:5', 'latinHypercube', 0],
    ['latinHypercube:5:1', 'latinHypercube', 1],
    [' sobol : 5 ', 'sobol', undefined],
  ])('--sample %s', (sample, method, seed) => {
    expect(draftOf({ sample, explore: ['x=0:1'] })).toMatchObject({ kind: 'sampler', method, count: 5, seed })
  })

  test('--sample alone draws from the bounds of the job', () => {
    const declared = random({ x: [0, 1], y: [2, 3] }, { count: 7, seed: 5 }).spec
    expect(draftOf({ sample: 'sobol:3' }, 1, declared as never)).toEqual(
      sobol({ x: [0, 1], y: [2, 3] }, { count: 3 }).spec,
    )
  })

  test('what is laid over the sampler of the job stays with --sample alone', () => {
    const laid = (spread: typeof sobol) => {
      const sampler = derive(spread({ x: [0, 1], y: [2, 3] }, { count: 7 }), { z: ({ x }) => x * 2 })
      return repeat(
        where(onlyIf(sampler, { y: ({ x }) => x < 0.5 }), ({ x }) => x > 0),
        2,
      ).spec
    }
    const points = pointsOf({ sample: 'sobol:8' }, 1, laid(random as never) as never)
    // Sobol's first eight points in x are the eighths from 0 on, in another order; 0 is filtered out.
    expect(points.map(({ x }) => Number(x) * 8).sort()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7])
    for (const { x, y, z, trial } of points) {
      expect(z).toBe(Number(x) * 2)
      if (Number(x) >= 0.5) expect(y).toBe(1)
      else expect(y).toBeGreaterThanOrEqual(2)
      expect([0, 1]).toContain(trial)
    }
  })

  test('conditions, formulas, filters and repeats are laid over what is declared, in this order', () => {
    expect(
      pointsOf(
        {
          onlyIf: ['y: x > 1'],
          derive: ['z = x + y', 'neuron.tau = z * 2'],
          where: ['neuron.tau < 8', 'x <= limit'],
        },
        2,
      ),
    ).toEqual(
      [
        { x: 1, y: 1, z: 2, 'neuron.tau': 4 },
        { x: 2, y: 1, z: 3, 'neuron.tau': 6 },
      ].flatMap((point) => [0, 1].map((trial) => ({ ...point, trial }))),
    )
  })

  test('--repeat alone repeats the defaults', () => {
    const exploration = explorationFromFlags({}, parameters, {
      declared: () => undefined,
      repeat: { given: 2, where: '--repeat' },
    })
    expect(pointsOfDraft(exploration)).toEqual([{ trial: 0 }, { trial: 1 }])
  })

  test('without any flag the declared exploration is taken as it is', () => {
    const declared = cartesianProduct({ x: [1] }).spec
    expect(draftOf({}, 1, declared)).toBe(declared)
  })

  test.each<[string, string, string, ExploreTexts]>([
    [
      'PYPET_USAGE',
      '"halton" is not a sampling method',
      'sobol:100',
      { sample: 'halton:5', explore: ['x=0:1'] },
    ],
    ['PYPET_USAGE', 'the number of points is missing', 'sobol:100', { sample: 'sobol', explore: ['x=0:1'] }],
    [
      'PYPET_USAGE',
      '"many" is not a whole number',
      'sobol:100',
      { sample: 'sobol:many', explore: ['x=0:1'] },
    ],
    [
      'PYPET_USAGE',
      '"-1" is not a whole number',
      'random:100:7',
      { sample: 'sobol:5:-1', explore: ['x=0:1'] },
    ],
    [
      'PYPET_USAGE',
      'more than a method, a count and a seed',
      'sobol:100',
      { sample: 'sobol:5:1:2', explore: ['x=0:1'] },
    ],
    ['PYPET_EXPLORATION_EMPTY', 'a count of 0', 'at least one', { sample: 'sobol:0', explore: ['x=0:1'] }],
    [
      'PYPET_EXPLORATION_INVALID',
      'count is 99999999999',
      'whole number',
      { sample: 'sobol:99999999999', explore: ['x=0:1'] },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'seed is 9007199254740992',
      '2^53',
      { sample: 'sobol:1:9007199254740992', explore: ['x=0:1'] },
    ],
    ['PYPET_USAGE', 'no bounds to sample', '--explore x=0:1', { sample: 'sobol:5' }],
    [
      'PYPET_EXPLORATION_INVALID',
      'x=1:0: the lower bound 1',
      '0 and 1',
      { sample: 'sobol:5', explore: ['x=1:0'] },
    ],
    ['PYPET_EXPLORATION_INVALID', '"0:b" are not bounds', '0:1', { sample: 'sobol:5', explore: ['x=0:b'] }],
    [
      'PYPET_EXPLORATION_INVALID',
      '"0:1:lin" are not bounds',
      ':log',
      { sample: 'sobol:5', explore: ['x=0:1:lin'] },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'a logarithmic scale cannot include 0',
      'above 0',
      { sample: 'sobol:5', explore: ['x=0:1:log'] },
    ],
    [
      'PYPET_PARAMETER_TYPE',
      'n is an int64, but 0.5 and 3',
      'whole numbers',
      { sample: 'sobol:5', explore: ['n=0.5:3'] },
    ],
    ['PYPET_PARAMETER_TYPE', 'x is a float64, found "a"', 'number', { sample: 'sobol:5', explore: ['x=a'] }],
    [
      'PYPET_PARAMETER_UNKNOWN',
      'there is no parameter tau',
      'neuron.tau',
      { sample: 'sobol:5', explore: ['tau=0:1'] },
    ],
    [
      'PYPET_NAME_TAKEN',
      '--explore explores x twice',
      'Keep',
      { sample: 'sobol:5', explore: ['x=0:1', 'x=0:2'] },
    ],
    ['PYPET_EXPLORATION_INVALID', '"0:1:log" is not start:stop:step', '0:1:0.1', { explore: ['x=0:1:log'] }],
    ['PYPET_USAGE', 'there is no ":"', "--only-if 'tau: x > 1'", { onlyIf: ['x > 1'] }],
    ['PYPET_USAGE', 'there is no name before ":"', '--only-if', { onlyIf: [': x > 1'] }],
    ['PYPET_USAGE', 'there is no "="', "--derive 'z = x * 2'", { derive: ['z'] }],
    [
      'PYPET_PARAMETER_UNKNOWN',
      'neuron.tau is not explored',
      'Explored parameters: x, y.',
      { onlyIf: ['neuron.tau: x > 1'] },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'x is not known here yet: at position 2',
      'Use other parameters',
      { onlyIf: ['x: x > 1'] },
    ],
    ['PYPET_NAME_TAKEN', 'y already has a condition', '&&', { onlyIf: ['y: x > 1', 'y: x > 2'] }],
    ['PYPET_PARAMETER_UNKNOWN', 'there is no parameter q', 'x', { derive: ['q = x'] }],
    ['PYPET_NAME_TAKEN', 'x is already explored', 'formula', { derive: ['x = y'] }],
    [
      'PYPET_PARAMETER_TYPE',
      'mode is a str, but the formula gives a number',
      'formula',
      { derive: ['mode = x'] },
    ],
    ['PYPET_EXPLORATION_INVALID', 'z is not known here yet', 'Use other', { derive: ['z = z + 1'] }],
    [
      'PYPET_PARAMETER_UNKNOWN',
      '--where x < w: there is no parameter w at position 5',
      '',
      { where: ['x < w'] },
    ],
    [
      'PYPET_EXPLORATION_EMPTY',
      '--where x > 9 is true for none of the 6 points',
      'condition',
      { where: ['x > 9'] },
    ],
  ])('are refused with %s: %s', (code, message, hint, texts) => {
    expect(() => pointsOf(texts)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
        where: expect.stringMatching(/^--(sample|explore|only-if|derive|where)/),
      }),
    )
  })

  test('a condition where nothing is explored is refused', () => {
    expect(() =>
      explorationFromFlags({ where: ['x > 1'] }, parameters, {
        declared: () => undefined,
        repeat: { given: 1, where: '--repeat' },
      }),
    ).toThrow(expect.objectContaining({ code: 'PYPET_EXPLORATION_EMPTY', where: '--where x > 1' }))
  })
})

describe('config files', () => {
  const parse = (value: unknown) => parseExploration(value, { parameters, origin: 'pypet.config.json' })
  const pointsOfConfig = (value: unknown) => pointsOfDraft(parse(value))

  test('samplers mean what the builders mean', () => {
    const bounds = {
      x: [0, 1],
      y: { logBetween: [0.001, 10] },
      n: '1:6',
      big: { between: [1, 9] },
      z: { choice: [1, 2, 3] },
      mode: ['a', 'b'],
      on: [true, false],
      neuron: { tau: '1:10:log' },
      limit: '1,2,3',
    }
    expect(parse({ sobol: bounds, count: 8, seed: 2 })).toEqual(
      sobol(
        {
          x: [0, 1],
          y: logBetween(0.001, 10),
          n: [1, 6],
          big: [1n, 9n],
          z: choice([1, 2, 3]),
          mode: ['a', 'b'],
          on: [true, false],
          'neuron.tau': logBetween(1, 10),
          limit: choice([1, 2, 3]),
        },
        { count: 8, seed: 2 },
      ).spec,
    )
    expect(parse({ random: { x: [0, 1] }, count: 8 })).toEqual(random({ x: [0, 1] }, { count: 8 }).spec)
    expect(parse({ latinHypercube: { x: '0:1' }, count: 8 })).toMatchObject({
      method: 'latinHypercube',
      seed: 0,
    })
  })

  test('choices are typed by the parameter, and a parameter called like a word wins over it', () => {
    const found = pointsOfConfig({ random: { big: { choice: [5] }, 'neuron.between': [3, 4] }, count: 1 })
    expect(found[0]?.big).toBe(5n)
    expect(found[0]?.['neuron.between']).toSatisfy((value: number) => value >= 3 && value < 4)
  })

  test('where, onlyIf, derive and repeat stand beside an exploration, and inside a concatenation', () => {
    expect(
      pointsOfConfig({
        product: { mode: ['fast', 'slow'], neuron: { tau: [1, 2, 3] } },
        onlyIf: { neuron: { tau: 'mode == "slow"' } },
        derive: { z: 'neuron.tau * 2' },
        where: ['z > 2', 'z != 6'],
        repeat: 1,
      }),
    ).toEqual([
      { mode: 'fast', 'neuron.tau': 20, z: 40, trial: 0 },
      { mode: 'slow', 'neuron.tau': 2, z: 4, trial: 0 },
    ])
    expect(pointsOfConfig({ concat: [{ zip: { x: [1, 2] }, where: 'x > 1' }, { x: [7] }] })).toEqual([
      { x: 2 },
      { x: 7 },
    ])
  })

  test('a config file that is code gives functions', () => {
    const where = ({ x }: { x: number }) => x > 1
    const derive = { z: ({ x }: { x: number }) => x * 3 }
    expect(pointsOfConfig({ zip: { x: [1, 2] }, where, derive })).toEqual([{ x: 2, z: 6 }])
  })

  test.each<[string, string, string, unknown]>([
    ['PYPET_EXPLORATION_INVALID', 'explore.count', 'count is not given', { sobol: { x: [0, 1] } }],
    ['PYPET_EXPLORATION_INVALID', 'explore.count', 'count is "9"', { sobol: { x: [0, 1] }, count: '9' }],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.cuont',
      'has cuont next to sobol',
      { sobol: { x: [0, 1] }, cuont: 9 },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.count',
      'has count next to product',
      { product: { x: [0, 1] }, count: 9 },
    ],
    ['PYPET_EXPLORATION_INVALID', 'explore.sobol', 'bounds by parameter name', { sobol: [0, 1], count: 1 }],
    ['PYPET_EXPLORATION_EMPTY', 'explore.sobol', 'explores nothing', { sobol: {}, count: 1 }],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.sobol.x',
      'found a list of 3',
      { sobol: { x: [0, 1, 2] }, count: 1 },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.sobol.x.between',
      'expected a list',
      { sobol: { x: { between: 1 } }, count: 1 },
    ],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.sobol.x.between',
      'two numbers',
      { sobol: { x: { between: [1] } }, count: 1 },
    ],
    [
      'PYPET_EXPLORATION_EMPTY',
      'explore.sobol.x.choice',
      'is empty',
      { sobol: { x: { choice: [] } }, count: 1 },
    ],
    [
      'PYPET_PARAMETER_TYPE',
      'explore.sobol.mode',
      'bounds need a number',
      { sobol: { mode: [0, 1] }, count: 1 },
    ],
    ['PYPET_PARAMETER_UNKNOWN', 'explore.sobol.q', 'no parameter q', { sobol: { q: [0, 1] }, count: 1 }],
    ['PYPET_EXPLORATION_INVALID', 'explore.where', 'has where among the ranges', { x: [1], where: 'x > 1' }],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.where',
      'expected a text, found number',
      { zip: { x: [1] }, where: 1 },
    ],
    ['PYPET_EXPLORATION_INVALID', 'explore.onlyIf', 'by parameter name', { zip: { x: [1] }, onlyIf: 'x' }],
    [
      'PYPET_EXPLORATION_INVALID',
      'explore.where[1]',
      'at position 4',
      { zip: { x: [1] }, where: ['x > 0', 'x >'] },
    ],
    ['PYPET_PARAMETER_UNKNOWN', 'explore.where', 'xx at position 1', { zip: { x: [1] }, where: 'xx > 1' }],
    ['PYPET_EXPLORATION_INVALID', 'explore.repeat', '>= 1, found 0', { zip: { x: [1] }, repeat: 0 }],
  ])('are refused with %s at %s: %s', (code, where, message, value) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({
        code,
        where,
        message: expect.stringContaining(message),
        hint: expect.any(String),
      }),
    )
  })
})
