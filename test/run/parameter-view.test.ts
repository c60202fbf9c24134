import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parameterViews } from '../../src/run/parameter-view.ts'

const PARAMETERS = [
  { name: 'x', value: 1 },
  { name: 'neuron.tau', value: 20 },
  { name: 'neuron.syn.w', value: 0.5 },
  { name: 'other.y', value: 'a' },
]
// The declared types of a tree are tested in test/types; here any name may be asked for.
// biome-ignore lint/suspicious/noExplicitAny: a view without a declared tree
const viewAt = (point: Record<string, unknown> = {}): any => parameterViews(PARAMETERS)(point)

describe('values', () => {
  test('groups are walked by natural naming', () => {
    const par = viewAt()
    expect([par.x, par.neuron.tau, par.neuron.syn.w, par.other.y]).toEqual([1, 20, 0.5, 'a'])
  })

  test('the point of a run replaces the explored values and no others', () => {
    const par = viewAt({ x: 5, 'neuron.syn.w': 9 })
    expect([par.x, par.neuron.tau, par.neuron.syn.w, par.other.y]).toEqual([5, 20, 9, 'a'])
  })

  test('views of several runs do not change each other', () => {
    const views = parameterViews(PARAMETERS) as (point: object) => { x: number; other: object }
    const [first, second] = [views({ x: 1 }), views({ x: 2 })]
    expect([first.x, second.x]).toEqual([1, 2])
    expect(first.other).toBe(second.other)
  })

  test('falsy values of a point count', () => {
    expect(viewAt({ x: 0 }).x).toBe(0)
    expect(viewAt({ 'other.y': '' }).other.y).toBe('')
  })

  test('names of methods of objects are names like others', () => {
    // biome-ignore lint/suspicious/noExplicitAny: a view without a declared tree
    const par: any = parameterViews([{ name: 'toString', value: 3 }])({})
    expect(par.toString).toBe(3)
  })
})

describe('unknown names', () => {
  test.each([
    [(par: { nueron: unknown }) => par.nueron, 'parameters.nueron', 'Did you mean parameters.neuron?'],
    [
      (par: { neuron: { taus: unknown } }) => par.neuron.taus,
      'parameters.neuron.taus',
      'parameters.neuron.tau?',
    ],
    [(par: { zzzzz: unknown }) => par.zzzzz, 'parameters.zzzzz', 'parameters has: x, neuron, other.'],
  ])('%s throws and suggests', (read, where, hint) => {
    for (const par of [viewAt(), viewAt({ 'neuron.tau': 1 })]) {
      expect(() => read(par)).toThrow(
        expect.objectContaining({
          code: 'PYPET_PARAMETER_UNKNOWN',
          where,
          hint: expect.stringContaining(hint),
        }),
      )
    }
  })

  test('a view can be printed, spread, awaited and made JSON', async () => {
    const par = viewAt({ x: 2 })
    expect(JSON.stringify(par)).toBe('{"x":2,"neuron":{"tau":20,"syn":{"w":0.5}},"other":{"y":"a"}}')
    expect(Object.keys({ ...par })).toEqual(['x', 'neuron', 'other'])
    expect(inspect(par)).toContain('tau: 20')
    expect(await par).toBe(par)
    expect('x' in par).toBe(true)
    expect('nothing' in par).toBe(false)
  })
})

test('a view cannot be written to', () => {
  const par = viewAt({ 'neuron.tau': 1 })
  for (const group of [par, par.neuron, par.other]) {
    expect(() => {
      group.added = 1
    }).toThrow(/parameters are fixed/)
  }
  expect(() => {
    par.x = 2
  }).toThrow(/parameters are fixed/)
})

describe('arrays', () => {
  class Matrix {
    readonly data = Float64Array.of(1, 2)
    readonly shape = [1, 2]
    sum() {
      return this.data.reduce((total, element) => total + element, 0)
    }
  }
  const DECLARED = {
    w: Float64Array.of(1, 2),
    bytes: Buffer.from([1, 2]),
    matrix: new Matrix(),
    plain: { data: [1, 2], shape: [2, 1] },
    list: [1, 2],
  }
  const arrayViews = parameterViews([
    { name: 'x', value: 1 },
    ...Object.entries(DECLARED).map(([name, value]) => ({ name: `deep.group.${name}`, value })),
    { name: 'other.y', value: 1 },
  ])
  const groupAt = (point: object = {}): typeof DECLARED =>
    (arrayViews(point as never) as unknown as { readonly deep: { readonly group: typeof DECLARED } }).deep
      .group

  test('what a run writes into an array no other run sees, nor the declaration', () => {
    for (const point of [{}, { x: 1 }, { x: 2 }, {}]) {
      const group = groupAt(point)
      for (const elements of [group.w, group.bytes, group.matrix.data, group.plain.data]) {
        expect([...elements]).toEqual([1, 2])
        elements[0] = 2
      }
      group.plain.shape[0] = 9
      // Within the run it is one array, however often it is asked for.
      expect([group.w[0], group.bytes[0], group.matrix.data[0], group.plain.data[0]]).toEqual([2, 2, 2, 2])
      expect({ ...group }.w).toBe(group.w)
    }
    expect([DECLARED.w[0], DECLARED.bytes[0], DECLARED.matrix.data[0], DECLARED.plain.data[0]]).toEqual([
      1, 1, 1, 1,
    ])
    expect(DECLARED.plain.shape).toEqual([2, 1])
  })

  test('a copy is what the array was', () => {
    const group = groupAt()
    expect(group.w).toBeInstanceOf(Float64Array)
    expect(group.bytes).toBeInstanceOf(Buffer)
    expect(group.matrix.sum()).toBe(3)
    expect(group.plain).toEqual({ data: [1, 2], shape: [2, 1] })
  })

  test('a list cannot be written to, but the one that was declared stays as it is', () => {
    expect(() => groupAt().list.push(3)).toThrow(TypeError)
    expect(Object.isFrozen(DECLARED.list)).toBe(false)
  })

  test('groups without arrays are still shared by all runs', () => {
    const views = arrayViews as (point: object) => { deep: object; other: object }
    const [first, second] = [views({ x: 1 }), views({ x: 2 })]
    expect(first.other).toBe(second.other)
    expect(first.deep).not.toBe(second.deep)
  })

  test('a group with arrays cannot be written to either', () => {
    const group: { w?: unknown } = groupAt()
    expect(() => {
      group.w = 1
    }).toThrow(/parameters are fixed/)
    expect(() => {
      delete group.w
    }).toThrow(/parameters are fixed/)
    expect(() => Object.defineProperty(group, 'w', { value: 1 })).toThrow(/parameters are fixed/)
  })
})
