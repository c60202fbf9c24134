/** `docs/exploration.md`: every example gives the points that stand under it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exploredCsvText } from '../src/cli/explored-text.ts'
import { type ExplorationDraft, isExploration } from '../src/exploration/exploration.ts'
import { parseExploration } from '../src/exploration/parse-exploration.ts'
import { planRuns } from '../src/exploration/plan.ts'
import { withTrialParameters } from '../src/exploration/repeat.ts'
import { runPoint } from '../src/exploration/run-point.ts'
import * as library from '../src/index.ts'
import { flattenParameters } from '../src/run/parameter.ts'
import { pypet } from './cli/pypet.ts'
import { codeBlocks } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'

const page = readFileSync(new URL('../docs/exploration.md', import.meta.url), 'utf8')

interface Example {
  readonly language: string
  readonly code: string
  /** What stands under it. */
  readonly csv: string
}

const blocks = codeBlocks(page)
const [job] = blocks
const examples: Example[] = blocks.slice(1).flatMap(({ language, code }, index, others) => {
  const csv = others.slice(index).find((block) => block.language === 'csv')?.code ?? ''
  return language === 'csv' ? [] : [{ language, code, csv }]
})
const of = (language: string) => examples.filter((example) => example.language === language)

const parameters = flattenParameters(
  {
    x: 1,
    y: 1,
    z: 0,
    n: library.integer(1),
    mode: 'fast',
    neuron: { tau: 20 },
    start: [0, 0],
    mix: [[1]],
    pole: { re: 0, im: 0 },
    since: new Date(0),
  },
  'parameters',
)

function csvOf(draft: ExplorationDraft): string {
  const plan = planRuns({ parameters: withTrialParameters(parameters, draft), exploration: draft })
  const rows = Array.from({ length: plan.runCount }, (_, run) => [
    run,
    ...Object.values(runPoint(plan, run)).map(cellOf),
  ])
  const header = ['run', ...plan.explored.map(({ name }) => name)]
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`
}

function cellOf(value: unknown): unknown {
  const text = exploredCsvText(value)
  return text.includes(',') ? `"${text}"` : text
}

test('every builder that is exported has its example', () => {
  const written = of('js')
    .map(({ code }) => code)
    .join('')
  for (const name of ['cartesianProduct', 'zip', 'points', 'concat', 'random', 'latinHypercube', 'sobol']) {
    expect(written).toContain(`${name}(`)
  }
  for (const name of ['where', 'onlyIf', 'derive', 'repeat']) expect(written).toContain(`${name}(`)
})

describe('in code', () => {
  test.each(of('js').map(({ code, csv }) => [code.trim(), csv]))('%s', (code, csv) => {
    const built: unknown = new Function(...Object.keys(library), `return ${code}`)(...Object.values(library))
    if (!isExploration(built)) throw new Error('no exploration')
    expect(csvOf(built.spec)).toBe(csv)
  })
})

describe('in a config file', () => {
  test.each(of('json').map(({ code, csv }) => [code.trim(), csv]))('%s', (code, csv) => {
    expect(csvOf(parseExploration(JSON.parse(code), { parameters, origin: 'pypet.config.json' }))).toBe(csv)
  })
})

test('on the command line', async () => {
  const folder = fileTree({ 'job.mjs': job?.code ?? '' })
  const commands = of('sh')
  expect(commands).toHaveLength(8)
  for (const { code, csv } of commands) {
    const words = [...code.trim().matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    )
    const { exitCode, stdout, stderr } = await pypet(folder, words.slice(1))
    expect({ code, exitCode, stdout, stderr }).toEqual({ code, exitCode: 0, stdout: csv, stderr: '' })
  }
})
