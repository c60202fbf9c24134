/** The output of `run --dry-run`: the points that would run, and the resources they need. */
import { fileBytesOf } from '../environment/file-size.ts'
import type { PreparedExperiment } from '../environment/prepared-experiment.ts'
import { workerCount } from '../executors/open-executor.ts'
import { runPoint } from '../exploration/run-point.ts'
import { pooledBytes } from '../exploration/value-pool.ts'
import { formatBytes, formatCount, formatRuns, plural } from '../reporting/quantity.ts'
import { shownPath } from '../reporting/shown-path.ts'
import { exploredJson, exploredText } from './explored-text.ts'
import { storedText } from './value-text.ts'

/** Number of points shown at the start and at the end of a long plan. */
const SHOWN_POINTS = 3

/**
 * Resident memory of main and writer, and of each worker, with a small job: measured with `ps -o rss,args` while
 * `experiments/throughput` runs, on 1 core, on 2 and 4, and with `--isolate`.
 */
const BASE_MEMORY_BYTES = 190_000_000
const WORKER_MEMORY_BYTES = { inline: 0, pool: 25_000_000, process: 55_000_000 } as const

/** As text for people, or as one JSON object on one line. */
export function planText(experiment: PreparedExperiment, { json }: { readonly json: boolean }): string {
  if (!json) return planLines(experiment).join('\n').concat('\n')
  const { plan } = experiment
  const points = shownRuns(plan.runCount).map((run) => ({ run, point: jsonPoint(runPoint(plan, run)) }))
  return `${JSON.stringify({ ...planFacts(experiment), points })}\n`
}

function planLines(experiment: PreparedExperiment): string[] {
  const { plan } = experiment
  const shown = shownRuns(plan.runCount)
  const lines = [...factLines(experiment), '']
  shown.forEach((run, index) => {
    const before = shown[index - 1]
    if (before !== undefined && run > before + 1) lines.push(`  ... ${formatCount(run - before - 1)} more`)
    lines.push(`  run ${run}: ${pointText(experiment, run)}`)
  })
  return lines
}

/** What is known about a plan without its points. */
export function factLines(experiment: PreparedExperiment): string[] {
  const { settings, parameters, plan } = experiment
  const { fileBytes, memoryBytes } = estimate(experiment)
  const explored = plan.explored.map(({ name }) => name)
  return [
    `${settings.name}: ${formatRuns(plan.runCount)} would be run; nothing was run`,
    `  explored:    ${explored.length === 0 ? 'nothing: one run with the defaults' : explored.join(', ')}`,
    `  parameters:  ${parameters.map(({ name, stored }) => `${name} = ${storedText(stored)}`).join(', ') || 'none'}`,
    `  on:          ${plural(settings.ncores, 'core')}, ${settings.executor}`,
    `  file:        ${shownPath(settings.filename)}, about ${formatBytes(fileBytes)} with one number per run${layoutText(experiment)}`,
    `  memory:      about ${formatBytes(memoryBytes)}, plus what the job needs`,
  ]
}

function layoutText({ settings }: PreparedExperiment): string {
  return settings.layout === 'columns' ? ', in columns' : ''
}

function pointText({ plan }: PreparedExperiment, run: number): string {
  const point = Object.entries(runPoint(plan, run))
  return point.map(([name, value]) => `${name} = ${exploredText(value)}`).join(', ') || 'the defaults'
}

/** The same as fields. */
export function planFacts(experiment: PreparedExperiment): object {
  const { settings, plan } = experiment
  const { fileBytes, memoryBytes } = estimate(experiment)
  return {
    event: 'plan',
    trajectory: settings.name,
    file: settings.filename,
    run_count: plan.runCount,
    explored: plan.explored.map(({ name }) => name),
    executor: settings.executor,
    ncores: settings.ncores,
    file_bytes_estimate: fileBytes,
    memory_bytes_estimate: memoryBytes,
  }
}

/** Values as in `exploredJson`. */
export function jsonPoint(point: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(point).map(([name, value]) => [name, exploredJson(value)]))
}

function shownRuns(runCount: number): number[] {
  if (runCount <= 2 * SHOWN_POINTS) return Array.from({ length: runCount }, (_, run) => run)
  const ends = Array.from({ length: SHOWN_POINTS }, (_, run) => run)
  return [...ends, ...ends.map((run) => runCount - SHOWN_POINTS + run)]
}

function estimate({ settings, plan }: PreparedExperiment): { fileBytes: number; memoryBytes: number } {
  const arrays = plan.explored.reduce(
    (bytes, { pool }) => pool.reduce((sum, value) => sum + pooledBytes(value), bytes),
    0,
  )
  const workers = workerCount(settings, plan.runCount) * WORKER_MEMORY_BYTES[settings.executor]
  return {
    fileBytes: fileBytesOf(plan, settings.layout) + arrays,
    memoryBytes: BASE_MEMORY_BYTES + workers + plan.runCount + arrays,
  }
}
