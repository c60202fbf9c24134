/** The action of `pypet-ts run <job>`. */
import { runExperiment } from '../environment/environment.ts'
import { type PreparedExperiment, prepareExperiment } from '../environment/prepare-experiment.ts'
import type { ExperimentSummary, Reporter } from '../events.ts'
import type { FlagValues } from '../experiment/layers.ts'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../experiment/options.ts'
import { describeOrigin } from '../experiment/origin.ts'
import { openLog } from '../reporting/log.ts'
import { checkLogFolder } from '../reporting/log-folder.ts'
import { quietLines } from '../reporting/quiet-lines.ts'
import { teeReporters } from '../reporting/tee-reporter.ts'
import { Writer } from '../storage/writer.ts'
import { ExitCode } from './exit-code.ts'
import { planText } from './plan-text.ts'
import { stopOnSignals } from './stop-on-signals.ts'
import { summaryText } from './summary.ts'

/** As commander gives them: camelCase names of the flags, not of the options. */
export interface RunFlags {
  readonly config?: string
  readonly set?: readonly string[]
  readonly explore?: readonly string[]
  readonly dryRun?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
  readonly [flag: string]: unknown
}

/**
 * Runs the job, shows its progress, and resolves to the exit code.
 *
 * @throws PypetError before anything has been started, or when storing has become impossible
 */
export async function runCommand(jobFile: string, flags: RunFlags): Promise<number> {
  const request = {
    jobFile,
    configFile: flags.config,
    flags: optionFlags(flags),
    presets: flags.set ?? [],
    explore: flags.explore ?? [],
    env: process.env,
    isProcessOurs: true,
  }
  using stop = stopOnSignals()
  if (flags.dryRun === true) {
    await using experiment = await prepareExperiment(request)
    if (flags.verbose === true) process.stderr.write(settingsText(experiment))
    await checkPlaces(experiment)
    process.stdout.write(planText(experiment, { json: flags.json === true }))
    return ExitCode.OK
  }
  // It starts while the job is loaded, and touches nothing before it is told to.
  await using writer = Writer.start()
  await using experiment = await prepareExperiment(request)
  if (flags.verbose === true) process.stderr.write(settingsText(experiment))
  const { logFolder: folder, name: trajectory, logLevel: level } = experiment.settings
  checkLogFolder(folder, trajectory)

  const shown = await openShownReporter(flags)
  let reporter: Reporter | undefined
  try {
    const summary = await runExperiment(experiment, {
      writer,
      signal: stop.signal,
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

/** What only the writer and the log would refuse. They are not opened for a dry run. */
async function checkPlaces({ settings }: PreparedExperiment): Promise<void> {
  const { checkTarget } = await import('../environment/check-target.ts')
  await checkTarget(settings)
  checkLogFolder(settings.logFolder, settings.name)
}

/** An error that fails no run may have cost a result all the same: that is no success. */
function exitCodeOfRuns({ failedCount, strayErrorCount }: ExperimentSummary): ExitCode {
  return failedCount + strayErrorCount > 0 ? ExitCode.RUNS_FAILED : ExitCode.OK
}

/** A bar on a terminal, lines on a pipe, JSON when asked for. */
async function openShownReporter(flags: RunFlags): Promise<Reporter> {
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

/** The flags that are options, by the options' names: `--file` gives `filename`. */
function optionFlags(flags: RunFlags): FlagValues {
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

function settingsText({ settings, origins }: PreparedExperiment): string {
  const lines = OPTION_NAMES.map((name) => {
    const value = name
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], settings)
    return `  ${name} = ${JSON.stringify(value)} (${describeOrigin(origins[name])})`
  })
  return `options:\n${lines.join('\n')}\n`
}
