/** Performs the runs of a fixture job in a process of its own and returns everything that was told. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ErrorRecord } from '../../src/errors.ts'
import type { RunOutcome, WorkerLine } from '../../src/protocol.ts'
import { compile } from '../compiled.ts'

export interface Performed {
  readonly outcomes: readonly RunOutcome[]
  readonly lines: readonly WorkerLine[]
  readonly stored: readonly number[]
  readonly failed: readonly number[]
  /** Why the runs could not be performed or stored at all. */
  readonly error: ErrorRecord | undefined
  /** Largest memory, on Linux. */
  readonly peakBytes: { readonly main?: number; readonly writer?: number }
  /** How often the source was waited for, and how often at a time. */
  readonly waits: { readonly count: number; readonly atOnce: number; readonly endedByDisposal: boolean }
  readonly file: string
  /** What the process itself printed. */
  readonly printed: string
  readonly exitCode: number | null
  /** What is left in the folder of temporary files. */
  readonly leftovers: readonly string[]
}

export interface PerformOptions {
  readonly executor: 'inline' | 'pool' | 'process'
  readonly ncores: number
  readonly logLevel?: string
  readonly memoryLimit?: number
  readonly niceness?: number
  /**
   * Every other time there is no task, but one will come without an outcome; and then one never comes, and the executor
   * is disposed of meanwhile.
   */
  readonly source?: 'hesitating'
  /** Options of Node, for the process and its threads. */
  readonly nodeOptions?: string
}

export function jobFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/jobs/runs/${name}.ts`, import.meta.url))
}

/** A folder for files and for temporary files, to be removed by `remove`. */
export interface TestFolder {
  readonly path: string
  readonly temporary: string
  /** Processes that work in it; a test that fails may leave them behind. */
  readonly processes: Set<ChildProcess>
  remove(): void
}

export function makeTestFolder(): TestFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-test-')))
  const temporary = join(path, 'tmp')
  mkdirSync(temporary)
  const processes = new Set<ChildProcess>()
  const remove = () => {
    for (const child of processes) child.kill('SIGKILL')
    rmSync(path, { recursive: true, force: true })
  }
  return { path, temporary, processes, remove }
}

export async function perform(
  job: string,
  { nodeOptions = '', source, ...options }: PerformOptions,
  folder: TestFolder,
): Promise<Performed> {
  const file = join(folder.path, `${job}_${options.executor}_${options.ncores}.h5`)
  const flags = { ...options, filename: file, name: 'trajectory' }
  const entry = await compile('fixtures/entries/perform-runs.mjs')
  const child = fork(entry, [JSON.stringify({ jobFile: jobFile(job), flags, source })], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: nodeOptions, TMPDIR: folder.temporary },
  })
  folder.processes.add(child)
  let told: Partial<Performed> = {}
  let printed = ''
  child.on('message', (message: Partial<Performed>) => {
    told = message
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const [exitCode] = await Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    // What it has sent last may come after that.
    new Promise<void>((resolve) => child.once('disconnect', resolve)),
  ])
  folder.processes.delete(child)
  const leftovers = readdirSync(folder.temporary)
  return { ...NOTHING, ...told, file, printed, exitCode, leftovers }
}

/** Why a run has failed. */
export function failureOf(told: Performed, run: number): ErrorRecord {
  for (const outcome of told.outcomes) {
    if (outcome.state === 'failed' && outcome.failure.run === run) return outcome.failure.error
  }
  throw new Error(`run ${run} has not failed: ${JSON.stringify(told)}`)
}

const NOTHING = {
  outcomes: [],
  lines: [],
  stored: [],
  failed: [],
  error: undefined,
  peakBytes: {},
  waits: { count: 0, atOnce: 0, endedByDisposal: false },
}
