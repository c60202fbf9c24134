/** The action of `pypet-ts compare`. */
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { readHdf5 } from '../../reading/read-hdf5.ts'
import { coloursOf } from '../../reporting/text-output.ts'
import { chooseTrajectory } from '../../results/choose-trajectory.ts'
import { compareRuns } from '../../results/run-comparison.ts'
import { RunData } from '../../results/run-data.ts'
import { type RunReport, RunReports } from '../../results/run-report.ts'
import { compareJson } from './compare-json.ts'
import { compareText } from './compare-text.ts'
import { type NamedRun, namedRuns } from './named-runs.ts'

export interface CompareFlags {
  readonly trajectory?: string | undefined
  readonly json?: boolean | undefined
}

/** `process.stdout`, or another stream. */
export type CompareStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/**
 * Prints what differs between runs. Resolves when it is written.
 *
 * @throws PypetError as `namedRuns`, `findRun` and `readRunData`
 */
export async function compare(
  words: readonly string[],
  flags: CompareFlags,
  stream: CompareStream,
): Promise<void> {
  if (knowsQuickening()) quickenH5wasm(TIERING.glance)
  const comparison = compareRuns(await readRuns(namedRuns(words, flags.trajectory)))
  const text =
    flags.json === true
      ? compareJson(comparison)
      : compareText(comparison, {
          width: stream.isTTY === true ? stream.columns : undefined,
          colours: coloursOf(stream),
        })
  await new Promise<void>((resolve) => stream.write(text, () => resolve()))
}

/** Opens each file once, so that its runs are of one commit. Keeps the order. */
async function readRuns(named: readonly NamedRun[]): Promise<readonly RunReport[]> {
  const reports = new Map<NamedRun, RunReport>()
  for (const file of new Set(named.map((each) => each.file))) {
    const ofFile = named.filter((each) => each.file === file)
    const found = await readHdf5(file, (reader) => {
      const trajectories = new Map<string | undefined, RunReports>()
      return ofFile.map(({ trajectory, run }) => {
        const open = () => {
          const data = RunData.open(reader, chooseTrajectory(reader, trajectory))
          return new RunReports(reader, data, { withSources: true })
        }
        const known = trajectories.get(trajectory) ?? open()
        trajectories.set(trajectory, known)
        return known.report(run)
      })
    })
    for (const [at, each] of ofFile.entries()) reports.set(each, found[at] as RunReport)
  }
  return named.map((each) => reports.get(each) as RunReport)
}
