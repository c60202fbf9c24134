/** The action of `pypet-ts show <file> <run>`. */
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { readHdf5 } from '../../reading/read-hdf5.ts'
import { coloursOf } from '../../reporting/text-output.ts'
import { chooseTrajectory } from '../../results/choose-trajectory.ts'
import { RunData } from '../../results/run-data.ts'
import { type LogLimits, readRunLog } from '../../results/run-log.ts'
import { RunReports } from '../../results/run-report.ts'
import { runCommands } from './run-commands.ts'
import { showJson } from './show-json.ts'
import { showText } from './show-text.ts'

export interface ShowFlags {
  readonly trajectory?: string | undefined
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
}

/** `process.stdout`, or another stream. */
export type ShowStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Without `--all`. A larger log takes seconds to read. */
const LOG_LIMITS: LogLimits = { linesMax: 20, bytesMax: 256 * 2 ** 20 }
const NO_LIMITS: LogLimits = { linesMax: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY }

/**
 * Prints everything that is known of a run. Resolves when it is written.
 *
 * @throws PypetError as `findRun` and `readRunData`
 */
export async function show(file: string, run: string, flags: ShowFlags, stream: ShowStream): Promise<void> {
  if (knowsQuickening()) quickenH5wasm(TIERING.glance)
  const { trajectory, all } = flags
  const report = await readHdf5(file, (reader) => {
    const data = RunData.open(reader, chooseTrajectory(reader, trajectory))
    return new RunReports(reader, data, { withSources: false }).report(run)
  })
  const { linesMax } = all === true ? NO_LIMITS : LOG_LIMITS
  // The document has no place to say that the log was not read from its start.
  const { bytesMax } = all === true || flags.json === true ? NO_LIMITS : LOG_LIMITS
  const log = await readRunLog(report, { linesMax, bytesMax })
  const commands = runCommands(report)
  const text =
    flags.json === true
      ? showJson(report, log, commands)
      : showText(report, log, commands, {
          width: stream.isTTY === true ? stream.columns : undefined,
          showsAll: all === true,
          colours: coloursOf(stream),
        })
  await new Promise<void>((resolve) => stream.write(text, () => resolve()))
}
