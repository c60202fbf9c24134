/** The action of `pypet-ts run <job>`. */
import { prepareExperiment } from '../../environment/prepare-experiment.ts'
import { checkLogs } from '../../environment/prepare-logs.ts'
import type { PreparedExperiment } from '../../environment/prepared-experiment.ts'
import { RunStores } from '../../environment/run-stores.ts'
import { PypetError } from '../../errors.ts'
import type { ExploreTexts } from '../../exploration/explore-flags.ts'
import { ExitCode } from '../exit-code.ts'
import { type CommandFlags, exploreTexts, optionFlags } from '../options.ts'
import { performCommand, sayWarnings, sayWhenSlow, settingsText, showLoading } from '../perform-command.ts'
import { planText } from '../plan-text.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { withWaysOut } from './second-run.ts'

export interface RunFlags extends CommandFlags, ExploreTexts {
  readonly config?: string
  readonly set?: readonly string[]
  readonly dryRun?: boolean
  readonly point?: string
  readonly inspect?: boolean
}

/**
 * Runs the job, shows its progress, and resolves to the exit code.
 *
 * @throws PypetError before anything has started, or if storing has become impossible
 */
export async function runCommand(
  jobFile: string,
  flags: RunFlags,
  args: readonly string[] = [],
): Promise<number> {
  const request = {
    jobFile,
    configFile: flags.config,
    flags: optionFlags(flags),
    presets: flags.set ?? [],
    ...exploreTexts(flags),
    args,
    env: process.env,
    isProcessOurs: true,
  }
  if (flags.point !== undefined) {
    const { pointCommand } = await loadPoint()
    return await pointCommand(request, { point: flags.point, inspects: flags.inspect === true })
  }
  if (flags.inspect === true) throw inspectsAll()
  using stop = stopOnSignals()
  if (flags.dryRun === true) {
    using slow = sayWhenSlow(flags)
    await using experiment = await prepareExperiment(request)
    slow.clear()
    if (flags.verbose === true) process.stderr.write(settingsText(experiment))
    sayWarnings(experiment)
    await checkPlaces(experiment)
    process.stdout.write(planText(experiment, { json: flags.json === true }))
    return ExitCode.OK
  }
  using waiting = showLoading(jobFile, flags)
  // It starts while the job loads, and touches nothing before it is told to.
  await using stores = RunStores.start(flags.wrapMode ?? process.env.PYPET_WRAP_MODE)
  if (looksParallel(flags)) void preloadPool()
  await using experiment = await prepareExperiment(request)
  if (flags.verbose === true) {
    waiting.clear()
    process.stderr.write(settingsText(experiment))
  }
  try {
    return await performCommand(experiment, { stores, stop, waiting, flags })
  } catch (error) {
    throw withWaysOut(error, process.argv.slice(2))
  }
}

/** This process is idle while esbuild bundles the job. */
async function preloadPool(): Promise<void> {
  try {
    const { loadPiscina } = await import('../../executors/pool-executor.ts')
    loadPiscina()
  } catch {
    // The code that needs a pool meets the same error, and can report it.
  }
}

/** A guess, before the config file is read: if it is wrong, it only costs time. */
function looksParallel({ ncores, isolate }: RunFlags): boolean {
  return (
    isolate !== true &&
    ![undefined, '', '1'].includes((ncores as string | undefined) ?? process.env.PYPET_NCORES)
  )
}

/** In its own function: TypeScript 6 does not rewrite the endings of dynamic imports next to `await using`. */
async function loadPoint() {
  return await import('./point.ts')
}

function inspectsAll(): PypetError {
  return new PypetError('PYPET_USAGE', '--inspect requires --point', {
    where: '--inspect',
    hint: 'Write: --point 17 --inspect.',
  })
}

/** Checks what otherwise only the writer and the log would refuse. A dry run does not open them. */
async function checkPlaces({ settings }: PreparedExperiment): Promise<void> {
  const { checkTarget } = await import('../../environment/check-target.ts')
  try {
    await checkTarget(settings)
  } catch (error) {
    throw withWaysOut(error, process.argv.slice(2))
  }
  checkLogs(settings)
}
