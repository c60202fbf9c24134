/** The adaptive search as a user runs it: it finds what theory says, whole and interrupted, in under 60 runs. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { continueRun, loadTrajectory, run } from '../../dist/index.js'
import { resonance, steadyAmplitude } from '../../experiments/adaptive/oscillator.ts'
import { contentOf } from '../crash/file-content.ts'
import { keepEvents } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = fileURLToPath(new URL('../../experiments/adaptive/job.ts', import.meta.url))
const OSCILLATOR = { naturalFrequency: 2, damping: 0.5 }

/** Runs the search, stopped whenever so many more runs are stored; gives its file. */
async function search(stopEvery: number, ncores: number) {
  const folder = fileTree({})
  const filename = join(folder, 'resonance.h5')
  const options = { filename, logFolder: join(folder, 'logs'), ncores }
  const stoppable = () => {
    const stop = new AbortController()
    let storedCount = 0
    const reporter = keepEvents((event) => {
      if (event.type === 'runs-stored') storedCount += event.runs.length
      if (storedCount >= stopEvery) stop.abort()
    })
    return { reporter, signal: stop.signal }
  }
  let { cntFile } = await run(JOB, { options, ...stoppable() })
  let sessionCount = 1
  while (cntFile !== undefined) {
    cntFile = (await continueRun(cntFile, stoppable())).cntFile
    sessionCount += 1
  }
  return { filename, sessionCount }
}

const resultsOf = async (file: string) =>
  Object.fromEntries(
    Object.entries(await contentOf(file)).filter(([path]) =>
      /^\/resonance\/(results|parameters)\//.test(path),
    ),
  )

test('the simulation agrees with theory where theory is known', () => {
  const { frequency, amplitude } = resonance(OSCILLATOR)
  expect(steadyAmplitude(OSCILLATOR, frequency)).toBeCloseTo(amplitude, 6)
})

test('the maximum is found in under 60 runs, and interrupted again and again with the same runs', async () => {
  // On one core, as the comment lies with the run that was stored first.
  const whole = await search(Number.POSITIVE_INFINITY, 1)
  using traj = await loadTrajectory(whole.filename)
  const found = traj.getResult('results.resonance').toRecord() as { frequency: number; amplitude: number }
  expect(Math.abs(found.frequency - resonance(OSCILLATOR).frequency)).toBeLessThan(1e-4)
  expect(found.amplitude).toBeCloseTo(resonance(OSCILLATOR).amplitude, 6)
  expect(traj.length).toBeLessThan(60)
  expect(traj.isCompleted()).toBe(true)
  const interrupted = await search(12, 1)
  expect(interrupted.sessionCount).toBeGreaterThan(2)
  expect(await resultsOf(interrupted.filename)).toEqual(await resultsOf(whole.filename))
})
