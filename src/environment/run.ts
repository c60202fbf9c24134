/** The library's way to run an experiment: what `pypet-ts run` does, as a function. */
import { fileURLToPath } from 'node:url'
import type { ExperimentSummary, Reporter } from '../events.ts'
import type { FlagValues } from '../experiment/layers.ts'

export interface RunCallOptions {
  /** Options by their names in config files; stronger than environment and config file. */
  readonly options?: FlagValues
  /** Presets by name, as text: `{ 'neuron.tau': '10' }`. */
  readonly set?: Readonly<Record<string, string>>
  /** Explorations as of `--explore`: `['x=1,2,3']`; they replace those of the job and the config file. */
  readonly explore?: readonly string[]
  /** A config file; else it is searched from the job's folder upwards. */
  readonly config?: string
  /** Told everything that happens; nothing is printed. */
  readonly reporter?: Reporter
  /** Aborted, it lets active runs finish and starts no others. */
  readonly signal?: AbortSignal
}

/**
 * Runs the experiment of a job module and resolves when every run is stored or failed, and the file
 * closed. Log files are written as by the command line.
 *
 * @param job path or `file:` URL of the job module
 * @throws PypetError with the codes and meanings of the command line
 * @example
 * const { storedCount } = await run(new URL('./job.ts', import.meta.url), { options: { ncores: 4 } })
 */
export async function run(job: string | URL, call: RunCallOptions = {}): Promise<ExperimentSummary> {
  const { prepareExperiment, runExperiment, Writer, openLog, checkLogFolder, teeReporters } =
    await loadParts()
  await using experiment = await prepareExperiment({
    jobFile: job instanceof URL ? fileURLToPath(job) : job,
    configFile: call.config,
    flags: call.options ?? {},
    presets: Object.entries(call.set ?? {}).map(([name, text]) => `${name}=${text}`),
    explore: call.explore ?? [],
    env: process.env,
  })
  const { logFolder: folder, name: trajectory, logLevel: level } = experiment.settings
  checkLogFolder(folder, trajectory)
  await using writer = Writer.start()
  let reporter: Reporter | undefined
  try {
    return await runExperiment(experiment, {
      writer,
      signal: call.signal,
      openReporter: () => {
        const log = openLog({ folder, trajectory, level })
        reporter = teeReporters(call.reporter === undefined ? [log] : [call.reporter, log])
        return reporter
      },
    })
  } finally {
    await reporter?.close()
  }
}

/**
 * Loaded on call, not on import: pool threads import the package for `defineExperiment` alone. In a
 * function of its own, because TypeScript 6 leaves the endings of dynamic imports as they are beside `await using`.
 */
async function loadParts() {
  return {
    ...(await import('./prepare-experiment.ts')),
    ...(await import('./environment.ts')),
    ...(await import('../storage/writer.ts')),
    ...(await import('../reporting/log.ts')),
    ...(await import('../reporting/log-folder.ts')),
    ...(await import('../reporting/tee-reporter.ts')),
  }
}
