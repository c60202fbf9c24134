/** The folders of a round, and what lies in them. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from './command.ts'
import type { FoundRun, FoundTrajectory } from './file-reader.ts'
import { jobSource, SERVICE_SOURCE } from './job.ts'
import type { Round } from './round.ts'

export class Workplace {
  /** Where commands are given: nothing may be left there but what is known. */
  readonly folder: string
  /** `TMPDIR` of the commands. Its path is short, since it holds sockets. */
  readonly temporary: string
  readonly marks: string
  /** Of the harness. */
  readonly copies: string
  readonly #base: string
  #copyCount = 0
  #commandCount = 0

  constructor(round: Round) {
    this.#base = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-soak-')))
    const make = (name: string) => {
      const path = join(this.#base, name)
      mkdirSync(path)
      return path
    }
    this.folder = make('w')
    this.temporary = make('t')
    this.marks = make('m')
    this.copies = make('c')
    writeFileSync(join(this.folder, 'job.mjs'), jobSource(round))
    if (round.wrapMode === 'none') writeFileSync(join(this.folder, 'service.mjs'), SERVICE_SOURCE)
    writeFileSync(join(this.marks, 'performed'), '')
  }

  get base(): string {
    return this.#base
  }

  get file(): string {
    return this.path('h.h5')
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  has(name: string): boolean {
    return existsSync(this.path(name))
  }

  /** A name for another copy. */
  copy(): string {
    this.#copyCount += 1
    return join(this.copies, `${this.#copyCount}.h5`)
  }

  /** In the environment of every process of this round, and of no other. */
  get variable(): string {
    return `TMPDIR=${this.temporary}`
  }

  start(
    words: readonly string[],
    {
      diskKilobytes,
      verifies = false,
    }: { readonly diskKilobytes?: number; readonly verifies?: boolean } = {},
  ): Command {
    const { PATH } = process.env
    this.#commandCount += 1
    const mark = `SOAK_COMMAND=${this.folder} ${this.#commandCount}`
    const env = {
      PATH,
      HOME: this.marks,
      TMPDIR: this.temporary,
      SOAK_MARKS: this.marks,
      SOAK_COMMAND: mark.slice(mark.indexOf('=') + 1),
      ...(verifies && { SOAK_VERIFIES: '1' }),
    }
    return new Command(words, {
      folder: this.folder,
      env,
      mark,
      ...(diskKilobytes !== undefined && { diskKilobytes }),
    })
  }

  mark(name: string, isThere: boolean): void {
    if (isThere) appendFileSync(join(this.marks, name), '')
    else rmSync(join(this.marks, name), { force: true })
  }

  /** The points of all calls of the job so far. */
  performed(): number[] {
    return readFileSync(join(this.marks, 'performed'), 'utf8').split('\n').filter(Boolean).map(Number)
  }

  /** What the storage service has. */
  serviceState(): FoundTrajectory {
    const names = this.has('runs') ? readdirSync(this.path('runs')) : []
    // One that a killed worker was just writing begins otherwise.
    const numbers = (end: string) =>
      names.filter((name) => /^\d/.test(name) && name.endsWith(end)).map((name) => Number.parseInt(name, 10))
    const completed = numbers('.run.json').sort((a, b) => a - b)
    const runs = completed.map((run): [number, FoundRun] => [
      run,
      JSON.parse(readFileSync(this.path(`runs/${run}.run.json`), 'utf8')),
    ])
    return {
      isListed: false,
      indices: [],
      names: [],
      completed,
      failed: numbers('.failed.json').filter((run) => !completed.includes(run)),
      x: [],
      runs: Object.fromEntries(runs),
      rounds: [],
    }
  }

  /** Everything below the folders of the commands that is not known. */
  leftovers(known: readonly RegExp[]): string[] {
    const names = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return [...names(this.folder), ...names(this.temporary).map((name) => `TMPDIR/${name}`)].filter(
      (name) => !known.some((pattern) => pattern.test(name)),
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 })
  }
}
