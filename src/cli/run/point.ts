/** `pypet-ts run <job> --point <n>`: one run in this thread, where a debugger sees it. Stores nothing. */
import { dirname } from 'node:path'
import { inspect } from 'node:util'
import { deserialize } from 'node:v8'
import { identifyEnvironment, openingConfig } from '../../environment/experiment-config.ts'
import { type ExperimentRequest, prepareExperiment } from '../../environment/prepare-experiment.ts'
import type { PreparedExperiment } from '../../environment/prepared-experiment.ts'
import { runNodes } from '../../environment/seen-nodes.ts'
import { PypetError } from '../../errors.ts'
import { strayErrorText } from '../../executors/job-log.ts'
import { RunPerformer } from '../../executors/perform-run.ts'
import type { JobFunction } from '../../experiment/job-functions.ts'
import { importJob } from '../../experiment/load-job.ts'
import { runPoint } from '../../exploration/run-point.ts'
import { shortText } from '../../library/short-text.ts'
import { runName } from '../../names.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import type { Parameter } from '../../run/parameter.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../../run/run-frame.ts'
import { shellWord } from '../../shell-word.ts'
import { removeTemporary, temporaryFolderName } from '../../temporary-names.ts'
import { ExitCode } from '../exit-code.ts'
import { exploredText } from '../explored-text.ts'
import { sayWarnings, sayWhenSlow } from '../perform-command.ts'

/**
 * Computes the run as the experiment would, with the same parameters and seed, shows what it adds, and resolves to the
 * exit code.
 *
 * @throws PypetError as `prepareExperiment`; `PYPET_USAGE` for a point that does not exist
 */
export async function pointCommand(
  request: ExperimentRequest,
  { point: text, inspects }: { readonly point: string; readonly inspects: boolean },
): Promise<ExitCode> {
  using slow = sayWhenSlow({})
  await using experiment = await prepareExperiment(request)
  slow.clear()
  sayWarnings(experiment)
  const { settings, parameters, plan, job, userCode, args } = experiment
  const run = pointOf(text, plan.runCount, request.jobFile)
  const print = (line: string) => userCode.leave(() => void process.stdout.write(`${line}\n`))
  const printError = (line: string) => userCode.leave(() => void process.stderr.write(`${line}\n`))
  const point = runPoint(plan, run)
  print(`${runName(run)} of ${plan.runCount}, seed ${settings.seed}`)
  for (const { name, value } of parameters)
    print(`  ${name} = ${name in point ? exploredLine(point[name]) : valueLine(value)}`)

  const loaded = await importJob(job)
  const folder = temporaryFolderName()
  using _folder = { [Symbol.dispose]: () => removeTemporary(folder) }
  let record: RawRunRecord | undefined
  const performer = new RunPerformer(
    inspects ? { ...loaded, run: stoppingBefore(loaded.run) } : loaded,
    {
      job,
      parameters,
      nodes: runNodes(undefined, { parameters, config: configOf(experiment) }),
      seed: settings.seed,
      runCount: plan.runCount,
      args: args.common,
      tellsReturned: true,
      storage: { kind: 'queue', address: '' },
      parts: { folder, areTaken: false },
      niceness: 0,
      logLevel: settings.logLevel,
      logStdout: settings.logStdout,
      timeoutMs: 0,
    },
    {
      async sendFrame(frame) {
        record = recordOf(frame)
      },
    },
    (level, message) => printError(`${level}: ${message}`),
  )
  userCode.listen({
    onLine: print,
    onStrayError(thrown, from) {
      if (!performer.strayError(thrown, from)) printError(strayErrorText(thrown, 'after the run had ended'))
    },
  })
  userCode.claimErrors()
  if (inspects) await waitForDebugger()
  const task = { run, attempt: 1, point, runCount: plan.runCount }
  const outcome = await userCode.call(() => performer.perform(task), run)
  userCode.flush()
  if (outcome.state === 'failed') {
    const { name, message, stack } = outcome.failure.error
    printError(`${runName(run)} failed: ${stack === '' ? `${name}: ${message}` : stack}`)
    return ExitCode.RUNS_FAILED
  }
  for (const { location, items } of record?.leaves ?? []) {
    for (const { name, value } of items) {
      const isOnly = items.length === 1 && (location.endsWith(`.${name}`) || name === 'data')
      print(`${location}${isOnly ? '' : `, ${name}`} = ${shortText(value)}`)
    }
  }
  for (const { location, target } of record?.links ?? []) print(`${location} -> ${target}`)
  if (outcome.returned !== undefined) print(`returned ${valueLine(deserialize(outcome.returned))}`)
  return ExitCode.OK
}

function exploredLine(value: unknown): string {
  return typeof value === 'object' ? exploredText(value) : valueLine(value)
}

/** As it would be in the file. */
function configOf({ settings, job, identifyJob }: PreparedExperiment): readonly Parameter[] {
  const identity = identifyEnvironment(settings.name, Date.now() / 1000)
  return openingConfig(identity, job.file, settings, identifyJob(dirname(settings.filename)))
}

function pointOf(text: string, runCount: number, jobFile: string): number {
  const run = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (run < runCount) return run
  const range = runCount === 1 ? 'only point 0' : `points 0 to ${runCount - 1}`
  throw new PypetError(
    'PYPET_USAGE',
    `--point: the exploration has ${range}, found ${JSON.stringify(text)}`,
    {
      where: '--point',
      hint: `See all points: pypet-ts plan ${shellWord(shownPath(jobFile))}`,
    },
  )
}

/** The debugger stops here; one step into the call leads to the job's first line. */
function stoppingBefore(job: JobFunction): JobFunction {
  return (traj, ...args) => {
    // biome-ignore lint/suspicious/noDebugger: it is what --inspect is for
    debugger
    return job(traj, ...args)
  }
}

async function waitForDebugger(): Promise<void> {
  const inspector = await import('node:inspector')
  // Node prints the address. It is already open if the process was started with --inspect.
  if (inspector.url() === undefined) inspector.open()
  if (inspector.url() === undefined) {
    throw new PypetError('PYPET_USAGE', `--inspect: port ${process.debugPort} is in use`, {
      where: '--inspect',
      hint: 'End the other debugger, or choose a port: NODE_OPTIONS=--inspect-port=0.',
    })
  }
  inspector.waitForDebugger()
}

function recordOf(frame: readonly Uint8Array[]): RawRunRecord {
  // The job may later change what it has added.
  const bytes = Buffer.concat(frame)
  return decodeRunFrame(bytes.subarray(FRAME_PREFIX_BYTES), decodeFramePrefix(bytes).headerBytes)
}

function valueLine(value: unknown): string {
  return inspect(value, {
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 4,
    maxStringLength: 100,
    depth: 3,
  })
}
