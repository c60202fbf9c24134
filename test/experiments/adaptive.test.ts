/** The adaptive search as a user runs it: it finds what theory says, whole and interrupted, in under 60 runs. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { continueRun, loadTrajectory, run } from '../../dist/index.js'
import { resonance, steadyAmplitude } from '../../experiments/adaptive/oscillator.ts'
import { contentOf } from '../crash/file-content.ts'
import { stoppedAfter } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = fileURLToPath(new URL('../../experiments/adaptive/job.ts', import.meta.url))
const OSCILLATOR = { naturalFrequency: 2, damping: 0.5 }

/** Runs the search, stopped whenever so many more runs are stored; gives its file. */
async function search(stopEvery: number, ncores: number) {
  const folder = fileTree({})
  const filename = join(folder, 'resonance.h5')
  const options = { filename, logFolder: join(folder, 'logs'), ncores }
  let { cntFile } = await run(JOB, { options, ...stoppedAfter(stopEvery) })
  let sessionCount = 1
  while (cntFile !== undefined) {
    cntFile = (await continueRun(cntFile, stoppedAfter(stopEvery))).cntFile
    sessionCount += 1
  }
  return { filename, sessionCount }
}

const COMMENT = /,?\{"name":"SRVC_INIT_COMMENT"[^}]*"value":"([^"]*)"\}/

/**
 * Results and parameters, and the comments of the runs' results apart: of equal ones a file keeps one, with the run that
 * was stored first, and on two cores that may be any.
 */
async function resultsOf(file: string) {
  const content: Record<string, string> = {}
  const runComments: (string | undefined)[] = []
  for (const [path, text] of Object.entries(await contentOf(file))) {
    if (!/^\/resonance\/(results|parameters)\//.test(path)) continue
    const comment = path.startsWith('/resonance/results/runs/') ? COMMENT.exec(text) : null
    if (comment !== null) runComments.push(comment[1])
    content[path] = comment === null ? text : text.replace(comment[0], '')
  }
  return { content, runComments }
}

test('the simulation agrees with theory where theory is known', () => {
  const { frequency, amplitude } = resonance(OSCILLATOR)
  expect(steadyAmplitude(OSCILLATOR, frequency)).toBeCloseTo(amplitude, 6)
})

test('the maximum is found in under 60 runs, and interrupted again and again with the same runs', async () => {
  const whole = await search(Number.POSITIVE_INFINITY, 2)
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
