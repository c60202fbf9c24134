/** What `run` and `continue` have in common: runs are performed, shown, logged, and summed up. */
import { runExperiment } from '../environment/environment.ts'
import type { PreparedExperiment } from '../environment/prepare-experiment.ts'
import type { RunStores } from '../environment/run-stores.ts'
import type { ExperimentSummary, Reporter } from '../events.ts'
import type { FlagValues } from '../experiment/layers.ts'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import { jobPostprocessing } from '../library/postprocessing.ts'
import { openLog } from '../reporting/log.ts'
import { checkLogFolder } from '../reporting/log-folder.ts'
import { quietLines } from '../reporting/quiet-lines.ts'
import { teeReporters } from '../reporting/tee-reporter.ts'
import { ExitCode } from './exit-code.ts'
import type { SignalStop } from './stop-on-signals.ts'
import { summaryText } from './summary.ts'

/** As commander gives them: camelCase names of the flags, not of the options. */
export interface CommandFlags {
  readonly breakLock?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
  readonly [flag: string]: unknown
}

/**
 * Performs what is missing, shows it, and resolves to the exit code.
 *
 * @param stores none of it opened; what is, is closed here
 * @throws PypetError as `runExperiment`
 */
export async function performCommand(
  experiment: PreparedExperiment,
  {
    stores,
    stop,
    flags,
  }: { readonly stores: RunStores; readonly stop: SignalStop; readonly flags: CommandFlags },
): Promise<number> {
  const { logFolder: folder, name: trajectory, logLevel: level } = experiment.settings
  checkLogFolder(folder, trajectory)
  const shown = await openShownReporter(flags)
  let reporter: Reporter | undefined
  try {
    const summary = await runExperiment(experiment, {
      stores,
      signal: stop.signal,
      giveUp: stop.giveUp,
      breakLock: flags.breakLock,
      postprocessing: jobPostprocessing(experiment),
      openReporter: () => {
        stop.letRunsFinish()
        reporter = teeReporters([shown, openLog({ folder, trajectory, level })])
        return reporter
      },
    })
    await reporter?.close()
    reporter = undefined
    if (flags.quiet !== true && flags.json !== true) {
      process.stdout.write(summaryText(summary, process.stdout))
    }
    return stop.exitCode ?? exitCodeOfRuns(summary)
  } finally {
    await reporter?.close()
  }
}

/** The flags that are options, by the options' names: `--file` gives `filename`. */
export function optionFlags(flags: CommandFlags): FlagValues {
  const values: { [Name in OptionName]?: string | boolean } = {}
  for (const name of OPTION_NAMES) {
    const { flag } = OPTIONS[name]
    const value = flag === undefined ? undefined : flags[camelCase(flag)]
    if (typeof value === 'string' || typeof value === 'boolean') values[name] = value
  }
  return values
}

function camelCase(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** An error that fails no run may have cost a result all the same: that is no success. */
function exitCodeOfRuns({ storedCount, runCount, strayErrorCount }: ExperimentSummary): ExitCode {
  return storedCount < runCount || strayErrorCount > 0 ? ExitCode.RUNS_FAILED : ExitCode.OK
}

/** A bar on a terminal, lines on a pipe, JSON when asked for. */
async function openShownReporter(flags: CommandFlags): Promise<Reporter> {
  if (flags.quiet === true) return quietLines(process.stderr)
  if (flags.json === true) {
    const { eventLines } = await import('../reporting/event-lines.ts')
    return eventLines(process.stdout)
  }
  if (flags.verbose !== true && process.stdout.isTTY) {
    const { progressBar } = await import('../reporting/progress-bar.ts')
    return progressBar(process.stdout)
  }
  const { plainLines } = await import('../reporting/plain-lines.ts')
  if (flags.verbose !== true) return plainLines(process.stdout)
  const { verboseLines } = await import('../reporting/verbose-lines.ts')
  return teeReporters([plainLines(process.stdout), verboseLines(process.stderr)])
}
