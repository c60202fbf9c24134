/** The job of a round, the storage service of one without an HDF5 file, and what has to come out. */
import type { Round } from './round.ts'

/** The values of `x` of a trajectory: its first one says which trajectory it is. */
export const FIRST_X = { soak: 3, second: 10_003, other: 20_003, expanded: 30_003 } as const
const STEP = 7

/** @param kind whose points they are */
export function pointsOf(kind: keyof typeof FIRST_X, count: number): number[] {
  return Array.from({ length: count }, (_, n) => FIRST_X[kind] + STEP * n)
}

export const isFailing = (x: number): boolean => x < FIRST_X.second && x % 4 === 2

/** Of an array: at least, and for each of five more. Some of the large ones are larger than 1 MiB. */
const LENGTHS = { arrays: [500, 1500], 'large arrays': [30_000, 60_000] } as const

function lengthOf(x: number, values: Round['values']): number {
  if (values === 'scalars') return 0
  const [least, more] = LENGTHS[values]
  return least + (x % 5) * more
}

/** What the run at `x` stores. */
export function resultsOf(x: number, values: Round['values']) {
  const length = lengthOf(x, values)
  return {
    z: x * x + 0.25,
    text: `x is ${x}`,
    ...(values !== 'scalars' && { arrayLength: length, arrayLast: (length - 1) * x }),
  }
}

/** The number of runs when post-processing adds no more. */
export function finalCountOf({ runCount, addedCounts }: Round): number {
  return addedCounts.reduce((sum, added) => sum + added, runCount)
}

/**
 * It notes each of its calls in the folder of marks. A failing run fails while a mark is there, a flaky one until it has
 * left one.
 */
export function jobSource(round: Round): string {
  const { runCount, addedCounts, runMs, failures, values } = round
  // Runs that return nothing are sent together.
  const isReturning = values !== 'scalars' || addedCounts.length > 0
  const failing = `
    if (x < ${FIRST_X.second} && x % 4 === 2 && existsSync(\`\${MARKS}/failing\`)) throw new Error(\`as asked, at \${x}\`)`
  const flaky = `
    if (x % 4 === 1 && !existsSync(\`\${MARKS}/tried-\${x}\`)) {
      writeFileSync(\`\${MARKS}/tried-\${x}\`, '')
      throw new Error(\`the first time, at \${x}\`)
    }`
  const arrays = `
    const length = ${LENGTHS[values === 'scalars' ? 'arrays' : values].join(' + (x % 5) * ')}
    traj.addResult('a', Float64Array.from({ length }, (_, n) => n * x))`
  const lengths = addedCounts.map((_, round) =>
    addedCounts.slice(0, round).reduce((sum, added) => sum + added, runCount),
  )
  const postprocess = `
  postprocess(traj, results) {
    const round = [${lengths}].indexOf(traj.length)
    if (traj.name !== 'soak' || round < 0) return
    traj.addResult(\`rounds.from\${traj.length}\`, results.length)
    return Array.from({ length: [${addedCounts}][round] }, (_, n) => ({ x: ${FIRST_X.soak} + ${STEP} * (traj.length + n) }))
  },`
  return `import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'

const MARKS = process.env.SOAK_MARKS

export default defineExperiment({
  name: 'soak',
  parameters: { x: 0, scale: 2 },
  explore: { x: [${pointsOf('soak', runCount)}] },
  async run(traj) {
    const { x } = traj.par
    if (process.env.SOAK_VERIFIES === undefined) appendFileSync(\`\${MARKS}/performed\`, \`\${x}\\n\`)
    ${runMs > 0 ? `await delay(${runMs})` : ''}${failures.startsWith('failing') ? failing : ''}${failures === 'flaky' ? flaky : ''}
    traj.addResult('z', x * x + 0.25, { comment: 'a square' })
    traj.addResult('sub.text', \`x is \${x}\`)
    traj.addResult('u', traj.random.uniform(0, 1))${values === 'scalars' ? '' : arrays}${isReturning ? '\n    return x' : ''}
  },${addedCounts.length > 0 ? postprocess : ''}
})
`
}

/** A file a run, made under another name. */
export const SERVICE_SOURCE = `import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'

const folder = 'runs'

function write(name, value) {
  writeFileSync(\`\${folder}/new-\${name}\`, JSON.stringify(value))
  renameSync(\`\${folder}/new-\${name}\`, \`\${folder}/\${name}\`)
}

export default {
  open({ isContinued, retryFailed }) {
    mkdirSync(folder, { recursive: true })
    const clear = (pattern) => {
      for (const name of readdirSync(folder)) if (pattern.test(name)) rmSync(\`\${folder}/\${name}\`)
    }
    clear(!isContinued ? /./ : retryFailed ? /^new-|failed/ : /^new-/)
    const numbers = (end) => readdirSync(folder).filter((name) => name.endsWith(end)).map((name) => Number.parseInt(name, 10))
    const stored = numbers('.run.json')
    return { stored, failed: numbers('.failed.json').filter((run) => !stored.includes(run)), workerData: {} }
  },
  failRun({ run, error }) {
    write(\`\${run}.failed.json\`, error)
  },
  extend() {},
  close() {},
}

export function openWorker() {
  return {
    storeRun({ run, leaves }) {
      const values = Object.fromEntries(leaves.map(({ location, values }) => [location.split('.').at(-1), Object.values(values)[0]]))
      const { z, text, a } = values
      write(\`\${run}.run.json\`, { z, text, ...(a && { arrayLength: a.length, arrayLast: a.at(-1) }) })
    },
  }
}
`
