/** An experiment without workers: what the writer is told in it, in an order that does not change. */
import { setTimeout as delay } from 'node:timers/promises'
import type { DiskSystem } from '../../src/journal/disk.ts'
import { missingRuns } from '../../src/journal/run-set.ts'
import type { ContinueRequest } from '../../src/protocol.ts'
import { flattenParameters } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import {
  arrived,
  continueRequest,
  failure,
  openRequest,
  result,
  runRecord,
  storeOptions,
} from '../storage/open-request.ts'

export interface Script {
  readonly name: string
  readonly runCount: number
  /** Runs a commit. */
  readonly groupSize: number
  /** The run with this index fails. */
  readonly failing: number
  readonly layout?: 'tree' | 'columns'
}

export const SCRIPT: Script = { name: 'made', runCount: 40, groupSize: 3, failing: 17 }

const ENDING = {
  config: flattenParameters({ environment: { runtime: 1.5 } }, 'config'),
  isComplete: true,
}

/** Tells what has been announced as stored, and what went on when. */
export interface ScriptListener {
  onOpened?(store: TrajectoryStore): void
  onAnnounced?(runs: readonly number[]): void
}

/** Runs the whole experiment into a file. */
export async function perform(
  file: string,
  script: Script,
  system: DiskSystem,
  listener: ScriptListener = {},
): Promise<void> {
  const x = Array.from({ length: script.runCount }, (_, run) => run * 0.5)
  const { name, layout = 'tree' } = script
  const request = openRequest(file, { name, x, storage: { layout } })
  const store = await TrajectoryStore.open(request, storeOptions({ system, pageRestMs: 0 }))
  listener.onOpened?.(store)
  await storeRuns(store, script, x.keys(), listener)
}

/** Goes on with what is left of it, to its end. */
export async function goOn(
  cntFile: string,
  script: Script,
  system: DiskSystem,
  requested: Partial<ContinueRequest> = {},
  listener: ScriptListener = {},
): Promise<void> {
  const store = await TrajectoryStore.continue(
    continueRequest(cntFile, requested),
    storeOptions({ system, pageRestMs: 0 }),
  )
  listener.onOpened?.(store)
  const { stored, failed } = store.opened
  await storeRuns(store, script, missingRuns(script.runCount, stored, failed), listener)
}

async function storeRuns(
  store: TrajectoryStore,
  script: Script,
  runs: Iterable<number>,
  listener: ScriptListener,
): Promise<void> {
  let waiting = 0
  let commitCount = 0
  for (const run of runs) {
    if (run === script.failing) store.failRun(failure(run))
    else store.storeRun(arrived(runRecord(run, leavesOf(run))))
    if (run === 5) store.settle()
    waiting += 1
    if (waiting < script.groupSize) continue
    waiting = 0
    const { stored } = store.commit()
    listener.onAnnounced?.(stored)
    commitCount += 1
    // Time for the pages to be written, so that some commits come after that and some before.
    await delay(commitCount % 3 === 0 ? 15 : 0)
  }
  const { stored } = store.close(ENDING)
  listener.onAnnounced?.(stored)
  await store.finish()
}

/** Scalars, and every few runs an array that takes a road of its own; a group that runs share. */
function leavesOf(run: number) {
  const leaves = [
    result(
      run,
      'z',
      scalarOf(run),
      run % 4 === 0 ? 'a comment that repeats' : `the comment of run ${run % 7}`,
    ),
    result(run, 'sub.name', `run ${run}`),
  ]
  if (run % 5 === 0) leaves.push(result(run, 'samples', samplesOf(run)))
  return leaves
}

export function scalarOf(run: number): number {
  return run * run + 0.25
}

export function samplesOf(run: number): Float64Array {
  return Float64Array.from({ length: 2000 + 400 * run }, (_, index) => index * (run + 1))
}
