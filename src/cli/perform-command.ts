/** The common part of `run` and `continue`: computes runs, shows and logs them, and prints a summary. */
import { AsyncResource } from 'node:async_hooks'
import type { Postprocessing } from '../environment/postprocessing.ts'
import { prepareLogs } from '../environment/prepare-logs.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { runExperiment } from '../environment/run-experiment.ts'
import type { RunStores } from '../environment/run-stores.ts'
import { PypetError } from '../errors.ts'
import type { ExperimentSummary, Reporter } from '../events.ts'
import { tellSlowImports } from '../experiment/import-module.ts'
import { OPTION_NAMES } from '../experiment/options.ts'
import { describeOrigin } from '../experiment/origin.ts'
import { openShownReporter, type ProgressKind } from '../reporting/open-shown.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { teeReporters } from '../reporting/tee-reporter.ts'
import { showWaiting, type WaitingLine } from '../reporting/waiting-line.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandFlags } from './options.ts'
import type { SignalStop } from './stop-on-signals.ts'
import { summaryText } from './summary.ts'

/**
 * Computes what is missing, shows it, and resolves to the exit code.
 *
 * @param stores not opened yet; closed here
 * @throws PypetError as `runExperiment`
 */
export async function performCommand(
  experiment: PreparedExperiment,
  {
    stores,
    stop,
    waiting,
    flags,
  }: {
    readonly stores: RunStores
    readonly stop: SignalStop
    readonly waiting?: WaitingLine
    readonly flags: CommandFlags
  },
): Promise<number> {
  const progress = shownProgress(experiment, flags)
  await using logs = await prepareLogs(experiment.settings)
  const shown = await openShownReporter({
    progress,
    progressStep: experiment.settings.progressStep,
    isQuiet: flags.quiet === true,
    isVerbose: flags.verbose === true,
    stdout: process.stdout,
    stderr: process.stderr,
  })
  let reporter: Reporter | undefined
  try {
    const summary = await runExperiment(experiment, {
      stores,
      signal: stop.signal,
      giveUp: stop.giveUp,
      breakLock: flags.breakLock,
      postprocessing: await postprocessingOf(experiment),
      openReporter: (environment) => {
        waiting?.clear()
        stop.letRunsFinish()
        reporter = teeReporters([shown, ...logs.open(environment, shown)])
        return reporter
      },
    })
    await reporter?.close()
    reporter = undefined
    if (flags.quiet !== true && progress !== 'json') {
      process.stdout.write(summaryText(summary, process.stdout))
    }
    return stop.exitCode ?? exitCodeOfRuns(summary)
  } finally {
    await reporter?.close()
  }
}

/**
 * From Enter to the first run takes about half a second, in which a terminal shows what is loading. A module whose
 * top-level await never ends looks like a hanging command, so stderr reports it, even for a pipe.
 */
export function showLoading(file: string, flags: CommandFlags): WaitingLine {
  const line = showWaiting(process.stdout, `loading ${shownPath(file)} …`, { isQuiet: isQuiet(flags) })
  const slow = sayWhenSlow(flags, () => line.clear())
  const clear = () => {
    slow.clear()
    line.clear()
  }
  return { clear, [Symbol.dispose]: clear }
}

/** For commands that otherwise show nothing: reports modules that take long to load, each once. */
export function sayWhenSlow(flags: CommandFlags, before?: () => void): WaitingLine {
  const clear = () => tellSlowImports(undefined)
  if (!isQuiet(flags)) {
    // This message comes from the command; anything written on behalf of the module counts as its output.
    const tell = (file: string) => {
      before?.()
      process.stderr.write(`loading ${shownPath(file)} …: its top-level await has not finished yet\n`)
    }
    tellSlowImports(AsyncResource.bind(tell))
  }
  return { clear, [Symbol.dispose]: clear }
}

function isQuiet({ quiet, json, progress: given }: CommandFlags): boolean {
  // A config file may set it, too, but has not been read yet.
  const progress = given ?? process.env.PYPET_PROGRESS
  return quiet === true || json === true || progress === 'json' || progress === 'none'
}

/** It loads the library's whole trajectory, which most commands do not need. */
async function postprocessingOf(experiment: PreparedExperiment): Promise<Postprocessing | undefined> {
  if (experiment.postprocess === undefined) return undefined
  const { jobPostprocessing } = await import('../library/postprocessing.ts')
  return jobPostprocessing(experiment)
}

/** An error that fails no run may still have cost a result, so this is not a success. */
function exitCodeOfRuns({ storedCount, runCount, strayErrorCount, isBehind }: ExperimentSummary): ExitCode {
  // The file that others read does not hold every run.
  if (isBehind) return ExitCode.FAILED
  return storedCount < runCount || strayErrorCount > 0 ? ExitCode.RUNS_FAILED : ExitCode.OK
}

/** `--json` is short for `--progress json`, and overrides the config file. */
function shownProgress({ settings, origins }: PreparedExperiment, { json }: CommandFlags): ProgressKind {
  if (json !== true) return settings.progress
  if (origins.progress.kind === 'flag' && settings.progress !== 'json') {
    throw new PypetError('PYPET_USAGE', `--json is given, but --progress is ${settings.progress}`, {
      where: '--progress',
      hint: 'Leave out one of them.',
    })
  }
  return 'json'
}

/** For commands that start no runs: nothing else shows these warnings. */
export function sayWarnings({ warnings = [] }: PreparedExperiment): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
}

export function settingsText({ settings, origins }: PreparedExperiment): string {
  const lines = OPTION_NAMES.map((name) => {
    const value = name
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], settings)
    return `  ${name} = ${JSON.stringify(value)} (${describeOrigin(origins[name])})`
  })
  return `options:\n${lines.join('\n')}\n`
}
