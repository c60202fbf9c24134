/** The action of `pypet-ts continue <run.cnt | file.h5>`. */
import { resolve } from 'node:path'
import {
  type ContinuePlan,
  findJob,
  planContinue,
  prepareContinue,
  readUnfinished,
} from '../../environment/prepare-continue.ts'
import { isAtHome } from '../../environment/recorded-places.ts'
import { RunStores } from '../../environment/run-stores.ts'
import { settleExperiment, sweepFile } from '../../environment/settle.ts'
import { isPypetError } from '../../errors.ts'
import type { CntState } from '../../journal/cnt-state.ts'
import { formatCount, formatRanges, formatRuns } from '../../reporting/quantity.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { oneLine } from '../../reporting/text-output.ts'
import { shellWord } from '../../shell-word.ts'
import { finishEdit } from '../../storage/edit/edit-file.ts'
import { ExitCode } from '../exit-code.ts'
import { type CommandFlags, optionFlags } from '../options.ts'
import { performCommand, settingsText, showLoading } from '../perform-command.ts'
import { stopOnSignals } from '../stop-on-signals.ts'

export interface ContinueFlags extends CommandFlags {
  readonly dryRun?: boolean
  readonly retryFailed?: boolean
  readonly only?: 'failed' | 'missing'
  readonly allowChangedJob?: boolean
  /** The job module, wherever it is. */
  readonly job?: string
}

/**
 * Recovers the file, computes what is missing, and resolves to the exit code.
 *
 * @throws PypetError before anything has started, or if storing has become impossible
 */
export async function continueCommand(path: string, flags: ContinueFlags): Promise<number> {
  const state = await readOrExplain(path, flags)
  if (state === undefined) return ExitCode.OK
  const { request } = state.experiment
  if (request.isEdit === true || request.continuable === false) {
    if (flags.dryRun !== true) await finishEdit(request.file)
    const found =
      request.isEdit === true
        ? 'is recovered up to its last change; there is nothing to run'
        : 'is recovered up to its last commit; its experiment was not continuable'
    say(flags, { event: 'recovered', file: request.file }, `${shownPath(request.file)} ${found}`)
    return ExitCode.OK
  }
  const plan = planContinue(state, flags)
  if (flags.dryRun === true) {
    process.stdout.write(dryRunText(state, plan, flags))
    return ExitCode.OK
  }
  // No run is missing, but the end of the experiment was missed and is made up for.
  const isEndMissing = plan.missingCount === 0 && !plan.hasEnded
  if (plan.runs.count === 0 && !isEndMissing) return await nothingToDo(state, plan, flags)

  using stop = stopOnSignals()
  using waiting = showLoading(path, flags)
  // It starts while the job loads, and touches nothing before it is told to.
  await using stores = RunStores.start(flags.wrapMode ?? request.continuation.settings.wrapMode)
  await using experiment = await prepareContinue(state, {
    path,
    job: flags.job,
    onJob(file) {
      waiting.clear()
      sayJob(file, flags)
    },
    flags: optionFlags(flags),
    env: process.env,
    isProcessOurs: true,
    ...(flags.retryFailed !== undefined && { retryFailed: flags.retryFailed }),
    ...(flags.only !== undefined && { only: flags.only }),
    ...(flags.allowChangedJob !== undefined && { allowChangedJob: flags.allowChangedJob }),
  })
  if (flags.verbose === true) {
    waiting.clear()
    process.stderr.write(settingsText(experiment))
  }
  return await performCommand(experiment, { stores, stop, waiting, flags })
}

/** The first line: nothing of the job has been executed yet. */
function sayJob(file: string, { quiet, json, progress }: ContinueFlags): void {
  if (quiet === true) return
  if (json === true || progress === 'json') {
    const line = { event: 'job-found', time: new Date().toISOString(), job_file: file }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  } else process.stdout.write(`job: ${oneLine(shownPath(file), PATH_LENGTH_MAX)}\n`)
}

const PATH_LENGTH_MAX = 4096

/** Undefined, with a message, if the file has no `.cnt` file because everything in it is complete. */
async function readOrExplain(path: string, flags: ContinueFlags): Promise<CntState | undefined> {
  try {
    return readUnfinished(path)
  } catch (error) {
    if (!isPypetError(error, 'PYPET_CNT_NOT_FOUND') || path.endsWith('.cnt')) throw error
    const { summariseFile } = await import('../../results/summarise.ts')
    const { trajectories } = await summariseFile(resolve(path))
    if (trajectories.some(({ runs }) => runs.left > 0 || runs.failed > 0)) throw error
    if (flags.dryRun !== true) sweepFile(path)
    say(
      flags,
      { complete: true },
      `every run in ${shownPath(resolve(path))} is stored: there is nothing to continue`,
    )
    return undefined
  }
}

/** There is nothing to compute, but the last pages may still have to be written to the file. */
async function nothingToDo(state: CntState, plan: ContinuePlan, flags: ContinueFlags): Promise<number> {
  const { runCount, failedCount, missingCount } = plan
  await settleExperiment(state, { breakLock: flags.breakLock === true, keepCnt: flags.keepCnt === true })
  const file = shownPath(state.experiment.request.file)
  if (missingCount > 0) {
    say(flags, { ...facts(plan) }, `no run has failed in ${file}; ${formatRuns(missingCount)} are missing`)
    return ExitCode.OK
  }
  if (failedCount > 0) {
    const command = `pypet-ts continue ${shellWord(shownPath(state.path))} --retry-failed`
    say(
      flags,
      { ...facts(plan) },
      `no run is missing in ${file}, and ${formatRuns(failedCount)} failed\nretry: ${command}`,
    )
    return ExitCode.RUNS_FAILED
  }
  say(
    flags,
    { complete: true },
    `all ${formatRuns(runCount)} are stored in ${file}: there is nothing to continue`,
  )
  return ExitCode.OK
}

function dryRunText(state: CntState, plan: ContinuePlan, flags: ContinueFlags): string {
  const job = dryRunJob(state, flags)
  if (flags.json === true) {
    const line = {
      event: 'continue-plan',
      ...facts(plan),
      job_file: job.file ?? null,
      job_is_elsewhere: job.isElsewhere,
    }
    return `${JSON.stringify(line)}\n`
  }
  const { name } = state.experiment.request.trajectory
  const lines = [
    `${name}: ${formatRuns(plan.runs.count)} would be run; nothing was run`,
    `  stored:   ${formatCount(plan.storedCount)} of ${formatRuns(plan.runCount)}`,
    `  failed:   ${formatCount(plan.failedCount)}`,
    `  missing:  ${formatCount(plan.missingCount)}`,
    `  would be: ${formatRanges(plan.runs.toRanges()) || 'nothing'}`,
    `  file:     ${shownPath(state.experiment.request.file)}`,
    `  job:      ${oneLine(job.text, PATH_LENGTH_MAX)}`,
  ]
  const { argsOfScript } = state.experiment.request.continuation
  if (argsOfScript !== undefined) lines.push(`  script:   ${scriptText(argsOfScript)}`)
  return `${lines.join('\n')}\n`
}

/** The job that would run. It is not loaded, and need not exist. */
function dryRunJob(
  state: CntState,
  { job }: ContinueFlags,
): { readonly file?: string; readonly text: string; readonly isElsewhere: boolean } {
  if (job !== undefined) return { file: resolve(job), text: shownPath(resolve(job)), isElsewhere: false }
  const { isFunction, file: recorded } = state.experiment.request.continuation.job
  if (isFunction === true) return { text: `a function of ${recorded}`, isElsewhere: false }
  try {
    const file = findJob(state)
    const isElsewhere = !isAtHome(file, state.path)
    const text = shownPath(file)
    return { file, text: isElsewhere ? `${text} (elsewhere: name it with --job)` : text, isElsewhere }
  } catch (error) {
    if (!isPypetError(error, 'PYPET_JOB_NOT_FOUND')) throw error
    return { text: `${recorded} (not found: name it with --job)`, isElsewhere: false }
  }
}

/** The script that must continue the experiment, and why. */
function scriptText({ script, found }: { readonly script: string; readonly found: string }): string {
  return oneLine(`only ${shownPath(script)} can continue it: ${found}`, PATH_LENGTH_MAX)
}

function facts({ runCount, storedCount, failedCount, missingCount, runs }: ContinuePlan): object {
  return {
    run_count: runCount,
    stored_count: storedCount,
    failed_count: failedCount,
    missing_count: missingCount,
    /** Half-open ranges: [0, 5, 7, 8] is 0 to 4, and 7. */
    would_run: runs.toRanges(),
  }
}

function say(flags: ContinueFlags, json: object, text: string): void {
  if (flags.quiet === true) return
  process.stdout.write(
    flags.json === true ? `${JSON.stringify({ event: 'nothing-to-do', ...json })}\n` : `${text}\n`,
  )
}
