/** Runs fixture jobs through the compiled library, with files and temporary files in a folder of their own. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { type ExperimentEvent, type ExperimentSummary, type RunCallOptions, run } from '../../dist/index.js'
import { jobFile, makeTestFolder, type TestFolder } from '../executors/performed.ts'

export interface ExperimentFolder extends TestFolder {
  readonly file: string
}

/** Temporary files of this process and its children go there too, until the test is finished. */
export function useExperimentFolder(): ExperimentFolder {
  const folder = makeTestFolder()
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder.temporary
  onTestFinished(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    folder.remove()
  })
  return { ...folder, file: join(folder.path, 'file.h5') }
}

export type Workers = { readonly executor: 'inline' | 'pool' | 'process'; readonly ncores: number }

export async function runJob(
  job: string,
  folder: ExperimentFolder,
  workers: Workers,
  call: RunCallOptions = {},
): Promise<ExperimentSummary> {
  const options = {
    ...workers,
    filename: folder.file,
    name: 'trajectory',
    logFolder: join(folder.path, 'logs'),
    ...call.options,
  }
  return await run(jobFile(job), { ...call, options })
}

/** A reporter that keeps every event. */
export function keepEvents(onEvent: (event: ExperimentEvent) => void = () => undefined) {
  const events: ExperimentEvent[] = []
  return {
    events,
    emit(event: ExperimentEvent) {
      events.push(event)
      onEvent(event)
    },
    close: async () => undefined,
  }
}

/** A reporter and a signal for an experiment that is stopped at the event for which a function says so. */
export function stoppedWhen(isTime: (event: ExperimentEvent) => boolean) {
  const stop = new AbortController()
  const reporter = keepEvents((event) => {
    if (isTime(event)) stop.abort()
  })
  return { reporter, signal: stop.signal }
}

/** The same, when so many runs are stored. */
export function stoppedAfter(count: number) {
  let storedCount = 0
  return stoppedWhen((event) => {
    if (event.type === 'runs-stored') storedCount += event.runs.length
    return storedCount >= count
  })
}

/** Resolves when so many runs of the job `waits` are active. */
export async function activeRuns(folder: ExperimentFolder, count: number): Promise<string[]> {
  for (;;) {
    const active = readdirSync(folder.path).filter((name) => name.startsWith('active-'))
    if (active.length >= count) return active
    await delay(5)
  }
}

/** Writer processes that this process has started and that still run. */
export function writerProcesses(): number[] {
  return childProcesses()
    .filter(({ command }) => command.includes('writer-process'))
    .map(({ id }) => id)
}

function childProcesses(): { readonly id: number; readonly command: string }[] {
  if (existsSync('/proc/self/task')) {
    return readdirSync('/proc/self/task').flatMap((thread) =>
      (readIfThere(`/proc/self/task/${thread}/children`).match(/\d+/g) ?? []).map((id) => ({
        id: Number(id),
        command: readIfThere(`/proc/${id}/cmdline`),
      })),
    )
  }
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const [, id, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(parent) === process.pid ? [{ id: Number(id), command }] : []
  })
}

/** A thread or process may end while one looks at it. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
