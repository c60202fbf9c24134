/**
 * Rounds of experiments that are killed, disturbed, and continued until nothing is left to do, under one oracle: what was
 * announced is never lost, and in the end each run is there once.
 *
 * `npm test` takes a few rounds that bring together what can be; `npm run test:soak` takes 1,000 at random.
 *
 *     PYPET_SOAK_ROUNDS=50 PYPET_SOAK_SEED=7 npm run test:soak    so many rounds of a seed
 *     PYPET_SOAK_ONLY=31 PYPET_SOAK_SEED=7 npm run test:soak      one of them again
 *     PYPET_SOAK_KEEP=1                                           leaves the folders of rounds with findings
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { seedOf } from '../crash/long-form.ts'
import { PYTHON } from '../interop/python.ts'
import { FileReader } from './file-reader.ts'
import type { Finding } from './oracle.ts'
import { type PerformedRound, performRound } from './perform-round.ts'
import { coveringRounds, describeRound, type Round, roundOf, roundWithId, valuesOf } from './round.ts'

const { PYPET_SOAK_ROUNDS, PYPET_SOAK_SEED, PYPET_SOAK_ONLY, PYPET_SOAK_KEEP } = process.env
const isLong = PYPET_SOAK_ROUNDS !== undefined || PYPET_SOAK_ONLY !== undefined
const SHORT_ROUNDS = 12
const AT_A_TIME = 2
const TOLD_EVERY = 25
const DETAILS_MAX = 1500
const SCRIPT = fileURLToPath(new URL('read_files.py', import.meta.url))

interface FoundInRound {
  readonly round: Round
  readonly finding: Finding
}

test.skipIf(process.platform !== 'linux')(
  'whatever is done to an experiment, no announced run is lost, and going on completes it',
  async () => {
    const seed = PYPET_SOAK_SEED === undefined ? seedOf() : Number(PYPET_SOAK_SEED)
    const found = await performRounds(roundsOf(seed), seed)
    expect(
      found.map(
        ({ round, finding }) => `round ${round.id} of seed ${seed}: ${finding.kind}\n${finding.details}`,
      ),
    ).toEqual([])
  },
  24 * 3_600_000,
)

function roundsOf(seed: number): readonly Round[] {
  if (PYPET_SOAK_ONLY !== undefined) return PYPET_SOAK_ONLY.split(',').map((id) => roundWithId(seed, id))
  if (!isLong) return coveringRounds(seed, SHORT_ROUNDS)
  return Array.from({ length: Number(PYPET_SOAK_ROUNDS) }, (_, index) => roundOf(seed, index))
}

async function performRounds(rounds: readonly Round[], seed: number): Promise<readonly FoundInRound[]> {
  const reader = new FileReader()
  const found: FoundInRound[] = []
  const finished: { readonly round: Round; readonly performed: PerformedRound }[] = []
  let next = 0
  let done = 0
  const take = (round: Round, performed: PerformedRound, findings: readonly Finding[]) => {
    if (findings.length === 0) return
    found.push(...findings.map((finding) => ({ round, finding })))
    tell(findingsText(round, performed, findings, seed))
  }
  const lookAtFinished = () => {
    const batch = finished.splice(0)
    const problems = readWithPython(batch.flatMap(({ performed }) => performed.files))
    for (const { round, performed } of batch) {
      const own = problems.filter(({ path }) => path.startsWith(`${performed.workplace.base}/`))
      const details = own.map(({ problem }) => problem).join('\n')
      take(
        round,
        performed,
        own.length === 0 ? [] : [{ kind: 'another reader finds something wrong', details }],
      )
      const isWrong = found.some((entry) => entry.round === round)
      if (!(isWrong && PYPET_SOAK_KEEP !== undefined)) performed.workplace[Symbol.dispose]()
    }
  }
  const work = async () => {
    for (let round = rounds[next++]; round !== undefined; round = rounds[next++]) {
      const performed = await performRound(round, reader)
      take(round, performed, performed.findings)
      finished.push({ round, performed })
      done += 1
      if (!isLong || done % TOLD_EVERY !== 0) continue
      lookAtFinished()
      tell(`${done} of ${rounds.length} rounds of seed ${seed}, ${found.length} findings`)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  lookAtFinished()
  await reader.close()
  if (isLong) tell(summaryText(rounds, found, seed))
  return found
}

function findingsText(
  round: Round,
  { transcript, workplace }: PerformedRound,
  findings: readonly Finding[],
  seed: number,
): string {
  const lines = findings.flatMap(({ kind, details }) => [
    `FINDING in round ${round.id} of seed ${seed}: ${kind}`,
    ...details
      .slice(0, DETAILS_MAX)
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`),
  ])
  return [
    ...lines,
    `  ${describeRound(round)}`,
    ...transcript.map((line) => `    ${line}`),
    ...(PYPET_SOAK_KEEP === undefined ? [] : [`  left in ${workplace.base}`]),
    `  again: PYPET_SOAK_ONLY=${round.id} PYPET_SOAK_SEED=${seed} npm run test:soak`,
  ].join('\n')
}

function summaryText(rounds: readonly Round[], found: readonly FoundInRound[], seed: number): string {
  const counted = (texts: readonly string[]) => {
    const counts = new Map<string, number>()
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }
  const kinds = counted(found.map(({ finding }) => finding.kind)).map(([kind, count]) => {
    const indices = found.flatMap(({ round, finding }) => (finding.kind === kind ? [round.id] : []))
    return `  ${count} × ${kind} (rounds ${[...new Set(indices)].slice(0, 12)})`
  })
  const values = counted(rounds.flatMap(valuesOf)).map(
    ([value, count]) => `  ${String(count).padStart(5)}  ${value}`,
  )
  return [
    `soak: seed ${seed}, ${rounds.length} rounds, ${found.length} findings`,
    ...kinds,
    'rounds by dimension:',
    ...values,
  ].join('\n')
}

/** Both readers look at all files in one go; nothing where they are not there. */
function readWithPython(
  files: readonly object[],
): readonly { readonly path: string; readonly problem: string }[] {
  if (files.length === 0) return []
  if (spawnSync(PYTHON, ['-c', 'import h5py, tables']).status !== 0) return []
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT], {
    input: JSON.stringify(files),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`${PYTHON} ${SCRIPT} failed: ${stderr}`)
  return JSON.parse(stdout)
}

/** At once, in the order of what happens. */
function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}
