/** The experiment as a user runs it: the built command line, its file, and the f–I curve of the textbook. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  analyticRate,
  firingRate,
  type Neuron,
  rheobase,
  simulateSpikes,
} from '../../experiments/neuron-rates/neuron.ts'
import { type Hdf5Reader, openHdf5Reader } from '../../src/reading/reader.ts'

const COMMAND = fileURLToPath(new URL('../../bin/pypet-ts.js', import.meta.url))
const JOB = fileURLToPath(new URL('../../experiments/neuron-rates/job.ts', import.meta.url))
const DURATION_MS = 2000
const STEP_MS = 0.01
const MODEL: Neuron = { tau: 10, resistance: 10, rest: -65, threshold: -50, refractory: 2 }

/**
 * Written apart from the experiment's own formula, with the numbers of the README: 10 MΩ and 15 mV from
 * rest to threshold. Dayan & Abbott, Theoretical Neuroscience, equation 5.11, and the refractory time.
 */
function intervalByFormula(current: number, refractory: number): number {
  return 10 * current > 15 ? refractory - 10 * Math.log1p(-15 / (10 * current)) : Number.POSITIVE_INFINITY
}

interface StoredRun {
  readonly current: number // nA
  readonly refractory: number // ms
  readonly rate: number // Hz
  readonly analyticRate: number // Hz
  readonly rheobase: number // nA
  readonly count: number
  readonly times: readonly number[] // ms
}

/** Runs the experiment with the command line into a new file; gives what it printed and stored. */
async function runExperiment(folder: string, file: string, flags: readonly string[]) {
  const path = join(folder, file)
  const log = ['--log-folder', join(folder, 'logs')]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [COMMAND, 'run', JOB, '--file', path, ...log, ...flags],
    { cwd: folder },
  )
  using reader = await openHdf5Reader(path)
  return { stdout, runs: readRuns(reader) }
}

function readRuns(reader: Hdf5Reader): StoredRun[] {
  const currents = exploredValues(reader, 'input/current')
  const refractories = exploredValues(reader, 'neuron/refractory')
  expect(refractories).toHaveLength(currents.length)
  return currents.map((current, run) => {
    const name = `run_${String(run).padStart(8, '0')}`
    const result = `/neuron_rates/results/runs/${name}`
    const derived = `/neuron_rates/derived_parameters/runs/${name}`
    const derivedValue = (leaf: string) => onlyNumber(columnValues(reader, `${derived}/${leaf}/data`))
    return {
      current,
      refractory: refractories[run] as number,
      rate: onlyNumber(reader.cells(`${result}/rate/rate`)),
      analyticRate: derivedValue('analytic_rate'),
      rheobase: derivedValue('rheobase'),
      count: onlyNumber(reader.cells(`${result}/spikes/count`)),
      times: reader.cells(`${result}/spikes/times`) as number[],
    }
  })
}

function exploredValues(reader: Hdf5Reader, parameter: string): number[] {
  return columnValues(reader, `/neuron_rates/parameters/${parameter}/explored_data`)
}

function columnValues(reader: Hdf5Reader, table: string): number[] {
  const values: number[] = []
  reader.scanRows(table, ['data'], (_, [cell]) => values.push(cell as number))
  return values
}

function onlyNumber(cells: readonly unknown[]): number {
  expect(cells).toEqual([expect.any(Number)])
  return cells[0] as number
}

describe('pypet-ts run experiments/neuron-rates/job.ts', () => {
  let folder = ''
  let stdout = ''
  let runs: readonly StoredRun[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pypet-ts-neuron-rates-'))
    ;({ stdout, runs } = await runExperiment(folder, 'two-cores.h5', []))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('the config file beside the job asks for two cores', () => {
    expect(stdout).toContain('300 runs on 2 cores')
    expect(stdout).toContain('300 runs stored')
  })

  test('20 currents from 0.2 to 4 nA meet 15 refractory times from 0 to 7 ms, each pair once', () => {
    const pairs = Array.from({ length: 300 }, (_, run) => [
      0.2 * (1 + Math.floor(run / 15)),
      0.5 * (run % 15),
    ])
    expect(runs).toHaveLength(300)
    for (const [run, [current, refractory]] of pairs.entries()) {
      expect(runs[run]?.current).toBeCloseTo(current as number, 12)
      expect(runs[run]?.refractory).toBeCloseTo(refractory as number, 12)
    }
  })

  test('every rate is within 1 % of the analytic f–I curve', () => {
    const wrong = runs.filter(({ current, refractory, rate }) => {
      const expected = 1000 / intervalByFormula(current, refractory)
      return !(Math.abs(rate - expected) <= 0.01 * expected)
    })
    expect(wrong.map(({ current, refractory, rate }) => ({ current, refractory, rate }))).toEqual([])
  })

  test('the neuron is silent at the 7 currents below the rheobase of 1.5 nA and fires at the other 13', () => {
    expect(new Set(runs.map((run) => run.rheobase))).toEqual(new Set([1.5]))
    const silent = runs.filter(({ rate }) => rate === 0)
    expect(silent).toHaveLength(7 * 15)
    expect(silent.every(({ current, count }) => current < 1.5 && count === 0)).toBe(true)
  })

  test('the derived analytic rate is the formula’s', () => {
    for (const { current, refractory, analyticRate } of runs) {
      expect(analyticRate).toBeCloseTo(1000 / intervalByFormula(current, refractory), 9)
    }
  })

  test('spike times rise, one interval apart to one time step, within the simulated time', () => {
    const rounding = 1e-9
    for (const { current, refractory, times } of runs) {
      const interval = intervalByFormula(current, refractory)
      for (const [index, time] of times.entries()) {
        // The first spike has no refractory time before it.
        const elapsed = index === 0 ? time + refractory : time - (times[index - 1] as number)
        expect(elapsed - interval).toBeGreaterThanOrEqual(-rounding)
        expect(elapsed - interval).toBeLessThanOrEqual(STEP_MS + rounding)
      }
      expect(times.at(-1) ?? 0).toBeLessThanOrEqual(DURATION_MS + rounding)
    }
  })

  test('the number of spikes agrees with their times and with the rate', () => {
    for (const { rate, count, times } of runs) {
      expect(count).toBe(times.length)
      expect(Math.abs(count - (rate * DURATION_MS) / 1000)).toBeLessThanOrEqual(1)
    }
  })

  test('a second run on one core gives the same bits', async () => {
    const again = await runExperiment(folder, 'one-core.h5', ['--ncores', '1'])
    expect(again.stdout).toContain('300 runs on 1 core ')
    // Numbers are compared by Object.is, so equal means the same bits.
    expect(again.runs).toEqual(runs)
  })
})

describe('the neuron', () => {
  test('a current at the rheobase never reaches the threshold', () => {
    const current = rheobase(MODEL)
    expect(current).toBe(1.5)
    expect(simulateSpikes(MODEL, current, { duration: 500, step: 0.1 })).toHaveLength(0)
    expect(analyticRate(MODEL, current)).toBe(0)
  })

  test('a strong current fires as fast as the refractory time allows', () => {
    const times = simulateSpikes(MODEL, 1e6, { duration: 100, step: STEP_MS })
    expect(firingRate(times)).toBeCloseTo(1000 / (2 + STEP_MS), 6)
    expect(analyticRate(MODEL, 1e6)).toBeCloseTo(500, 1)
  })

  test.each([
    [[], 0],
    [[12], 0],
    [[10, 30], 50],
    [[10, 15, 30], 100],
  ])('spikes at %j ms are a rate of %i Hz', (times, rate) => {
    expect(firingRate(Float64Array.from(times))).toBe(rate)
  })
})
