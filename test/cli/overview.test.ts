import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type OverviewFlags, overview } from '../../src/cli/overview/perform.ts'
import {
  addColumn,
  addItem,
  addLeaf,
  addTrajectory,
  useFolder,
  writeHdf5,
} from '../results/trajectory-file.ts'

const inFolder = useFolder()

/** Everything that is printed, as on a pipe, or as on a terminal of a width. */
async function printed(file: string, flags: OverviewFlags = {}, columns?: number): Promise<string> {
  let text = ''
  await overview(file, flags, {
    ...(columns !== undefined && { isTTY: true, columns }),
    write(chunk, done) {
      text += chunk
      done()
    },
  })
  return text
}

describe('text', () => {
  test('a trajectory is shown as facts, explored parameters, parameters and results', async () => {
    const file = await writeHdf5(inFolder('small.h5'), (root) => {
      addTrajectory(root, 'multiply', {
        runCount: 12,
        comment: 'The product of two values',
        isDone: (run) => run < 10,
        failed: [10],
        stored: [0, 5, 9],
        explored: { x: (run) => run % 4, y: (run) => run / 10 },
      })
      addColumn(
        addLeaf(root, '/multiply/parameters/tau', 'Parameter', 'in ms'),
        'data',
        '<d',
        Float64Array.of(20),
        'float',
      )
    })
    const text = await printed(file)
    expect(text.slice(text.indexOf('multiply  '))).toBe(
      [
        'multiply  The product of two values',
        '  written  2026-01-31 12:34:56 by pypet-ts 0.1.0, node v20.20.2',
        '  runs     12: 10 done, 1 failed, 1 left',
        '  failed   run 10: TypeError: run 10 is broken',
        '',
        '  explored parameters',
        '    name  type     range                 comment',
        '    x     float64  0, 1, 2, 3            explored x',
        '    y     float64  0 .. 1.1 (12 values)  explored y',
        '',
        '  other parameters',
        '    name  type     value  comment',
        '    tau   float64  20     in ms',
        '',
        '  results seen in runs 0, 5, 9',
        '    name  in        type     example (run 0)  comment',
        '    z     each run  float64  0                the result',
        '',
      ].join('\n'),
    )
  })

  test('100,000 runs take no more lines than 10', async () => {
    const files = await Promise.all(
      [10, 100_000].map((runCount) =>
        writeHdf5(inFolder(`${runCount}.h5`), (root) =>
          addTrajectory(root, 'T', {
            runCount,
            stored: [0, runCount / 2, runCount - 1],
            explored: { x: (run) => run },
          }),
        ),
      ),
    )
    const [few, many] = await Promise.all(files.map((file) => printed(file)))
    expect(many?.split('\n').length).toBe(few?.split('\n').length)
    expect(many).toContain('100,000: 100,000 done, 0 failed, 0 left')
    expect(many).toContain('0 .. 99999 (100,000 values)')
    const withRuns = await printed(files[1] as string, { runs: true }, 80)
    expect(withRuns).toContain('... 99,980 runs omitted, see pypet-ts table ...')
    expect(withRuns.split('\n').length).toBeLessThan(50)
    const onPipe = await printed(files[1] as string, { runs: true })
    expect(onPipe.split('\n').length).toBeGreaterThan(100_000)
  })

  test('--runs --json has every run, a line each', async () => {
    const file = await writeHdf5(inFolder('all.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 2000, stored: [0], explored: { x: (run) => run / 2 } })
    })
    const text = await printed(file, { runs: true, json: true })
    const [trajectory] = JSON.parse(text).trajectories
    expect(trajectory.runs.table.omitted_count).toBe(0)
    expect(trajectory.runs.table.rows.map(({ run }: { run: number }) => run)).toEqual([...Array(2000).keys()])
    expect(trajectory.runs.table.rows[1234].values.x.value).toBe(617)
    expect(text.split('\n').filter((line) => line.includes('"parameter_summary"'))).toHaveLength(2000)
    expect(await printed(file, { json: true })).not.toContain('"table"')
  })

  test('long lists are cut and say how many are missing', async () => {
    const file = await writeHdf5(inFolder('long.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1, stored: [0] })
      for (let index = 0; index < 222; index += 1) {
        const name = `p${String(index).padStart(3, '0')}`
        addColumn(
          addLeaf(root, `/T/parameters/${name}`, 'Parameter'),
          'data',
          '<d',
          Float64Array.of(index),
          'float',
        )
      }
    })
    const text = await printed(file)
    expect(text).toContain('p009')
    expect(text).not.toContain('p010')
    expect(text).toContain('... and 212 more, see --json')
  })

  test('on a terminal no line is wider than it, on a pipe nothing is lost', async () => {
    const comment = 'a comment that is longer than a narrow terminal, but not than their limit'
    const file = await writeHdf5(inFolder('wide.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1, stored: [0], comment: '' })
      const leaf = addLeaf(root, '/T/parameters/tau', 'Parameter', comment)
      addColumn(leaf, 'data', '<d', Float64Array.of(20), 'float')
    })
    expect(await printed(file)).toContain(comment)
    const plain = stripVTControlCharacters(await printed(file, {}, 60))
    const table = plain.split('\n').filter((line) => line.startsWith('    '))
    expect(table.some((line) => line.includes('…'))).toBe(true)
    for (const line of table) expect(line.length).toBeLessThanOrEqual(60)
  })

  test('colours appear on a terminal unless NO_COLOR is set, and never on a pipe', async () => {
    const file = await writeHdf5(inFolder('colours.h5'), (root) => addTrajectory(root, 'T', { runCount: 1 }))
    const { NO_COLOR, FORCE_COLOR, TERM } = process.env
    try {
      delete process.env.NO_COLOR
      delete process.env.FORCE_COLOR
      process.env.TERM = 'xterm'
      expect(await printed(file, {}, 80)).toContain('\u001b[')
      expect(await printed(file)).not.toContain('\u001b[')
      process.env.NO_COLOR = '1'
      expect(await printed(file, {}, 80)).not.toContain('\u001b[')
    } finally {
      for (const [name, value] of Object.entries({ NO_COLOR, FORCE_COLOR, TERM })) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  })

  test('what a file says cannot command the terminal', async () => {
    const file = await writeHdf5(inFolder('hostile.h5'), (root) => {
      addTrajectory(root, 'T', { runCount: 1, comment: 'clear\u001b[2J\u009b31mred\r\nnext\u202eline' })
      addItem(addLeaf(root, '/T/results/text', 'Result', '\u001b]0;title\u0007'), 'text', ['bell\u0007'], [])
    })
    const text = await printed(file)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text).toContain('next\ufffdline')
  })

  test('many trajectories get a line each', async () => {
    const file = await writeHdf5(inFolder('many.h5'), (root) => {
      for (let index = 0; index < 30; index += 1) {
        addTrajectory(root, `t${index}`, { runCount: 1, timestamp: index, comment: `number ${index}` })
      }
    })
    const text = await printed(file)
    expect(text).toContain('30 trajectories')
    expect(text).toContain('10 older ones, see --json')
    expect(text).toMatch(/t29 +2026-01-31 12:34:56 +1: 1 done, 0 failed, 0 left +number 29/)
    expect(text.split('\n').length).toBeLessThan(30)
    expect(await printed(file, { trajectory: 't3' })).toContain('t3  number 3')
  })
})

describe('--json', () => {
  test('one document tells the same facts, with numbers that JSON lacks as strings', async () => {
    const file = await writeHdf5(inFolder('json.h5'), (root) => {
      addTrajectory(root, 'T', {
        runCount: 2,
        stored: [0, 1],
        explored: { x: (run) => (run === 0 ? -Infinity : NaN) },
      })
      const leaf = addLeaf(root, '/T/results/odd', 'Result')
      addItem(leaf, 'big', BigInt64Array.of(2n ** 53n + 1n), [])
      addItem(leaf, 'list', Float64Array.of(1, Number.POSITIVE_INFINITY), [2])
    })
    const document = JSON.parse(await printed(file, { json: true, runs: true }))
    expect(document).toMatchObject({ file, file_bytes: expect.any(Number) })
    const [trajectory] = document.trajectories
    expect(trajectory).toMatchObject({
      name: 'T',
      version: 'pypet-ts 0.1.0',
      python: 'node v20.20.2',
      time: '2026_01_31_12h34m56s',
      runs: { total: 2, done: 2, failed: 0, left: 0, failures: [], table: { omitted_count: 0 } },
      sampled_runs: [0, 1],
    })
    expect(trajectory.runs.table.rows[1]).toMatchObject({ run: 1, state: 'done', runtime_seconds: 0.25 })
    expect(trajectory.explored[0].range).toMatchObject({
      distinct_count: 2,
      minimum: '-Infinity',
      maximum: '-Infinity',
      has_nan: true,
    })
    const results = Object.fromEntries(
      trajectory.results.entries.map((entry: { name: string; example: unknown }) => [
        entry.name,
        entry.example,
      ]),
    )
    expect(results).toEqual({
      z: { type: 'float64', shape: [], value: 0 },
      'odd.big': { type: 'int64', shape: [], value: '9007199254740993' },
      'odd.list': { type: 'float64 array', shape: [2], first_values: [1, 'Infinity'] },
    })
  })

  test('an error prints nothing', async () => {
    let writes = 0
    const printing = overview(inFolder('absent.h5'), { json: true }, { write: () => (writes += 1) })
    await expect(printing).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_FOUND' })
    expect(writes).toBe(0)
  })
})
