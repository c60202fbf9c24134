/** What is done to a file while a command writes it. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readCnt } from '../../src/journal/cnt-state.ts'
import type { Command } from './command.ts'
import { kill } from './processes.ts'
import type { Round } from './round.ts'
import type { Workplace } from './workplace.ts'

/** Readers that stay longer would keep a command waiting. */
const READERS_AFTER_RUNS_MS = 1500
const READERS_MS_MAX = 15_000
const MOMENT_MS = 200

/** Reads a file as h5py does: the lock is held while it is open, and some copies are kept to be looked at. */
const READER = `while :; do
  flock -s "$0" sh -c 'sleep "$2"; [ -e "$1.3" ] || { n=0; while [ -e "$1.$n" ]; do n=$((n+1)); done; cp "$0" "$1-making" && mv "$1-making" "$1.$n"; }' "$0" "$1" "$2"
  [ "$3" = 0 ] || sleep "$3"
done`

/** Programs that read the file, until some time after its last run is announced. */
export class Readers {
  readonly #programs: ChildProcess[] = []
  readonly #folder: string
  readonly #done: Promise<void>
  #isStopped = false

  constructor(kind: Round['disturbance'], workplace: Workplace, command: Command, isDone: () => boolean) {
    this.#folder = join(workplace.copies, 'read')
    mkdirSync(this.#folder, { recursive: true })
    this.#done = this.#work(kind, workplace, command, isDone)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { pid } of this.#programs.splice(0)) kill(-(pid as number))
    await this.#done
  }

  /** Copies that a reader has made under its lock. */
  copies(): string[] {
    return readdirSync(this.#folder).flatMap((name) =>
      /\.\d+$/.test(name) ? [join(this.#folder, name)] : [],
    )
  }

  async #work(
    kind: Round['disturbance'],
    workplace: Workplace,
    command: Command,
    isDone: () => boolean,
  ): Promise<void> {
    // Before its first commit a new file is nobody's.
    if (!(await command.until(() => command.announced('runs-stored').length > 0 || this.#isStopped))) return
    const [count, held, apart] = kind === 'readers' ? [1, '0.03', '0.05'] : [3, '0.4', '0']
    for (let reader = 0; reader < count && !this.#isStopped; reader += 1) {
      const copies = join(this.#folder, `${command.id}-${reader}`)
      const program = spawn('sh', ['-c', READER, workplace.file, copies, held, apart], {
        detached: true,
        stdio: 'ignore',
      })
      this.#programs.push(program)
      await delay(kind === 'readers' ? 0 : 130)
    }
    await Promise.race([command.until(isDone), delay(READERS_MS_MAX)])
    await Promise.race([command.after(READERS_AFTER_RUNS_MS), delay(READERS_AFTER_RUNS_MS)])
    for (const { pid } of this.#programs.splice(0)) kill(-(pid as number))
  }
}

/** Takes the file away, some time after the first store; what it resolves to puts it back when the command has ended. */
export async function takeAway(
  { disturbance, disturbanceMs }: Round,
  { file, copies }: Workplace,
  command: Command,
): Promise<() => void> {
  const nothing = () => undefined
  if (!(await command.until(() => command.announced('runs-stored').length > 0))) return nothing
  if (!(await command.after(disturbanceMs)) || !existsSync(file)) return nothing
  if (disturbance === 'removed') {
    const descriptor = openSync(file, 'r')
    unlinkSync(file)
    const restore = () => {
      const bytes = Buffer.alloc(fstatSync(descriptor).size)
      readSync(descriptor, bytes, 0, bytes.byteLength, 0)
      closeSync(descriptor)
      if (!existsSync(file)) writeFileSync(file, bytes)
    }
    if (isBeingWritten(file)) return restore
    restore()
    return nothing
  }
  const away = join(copies, 'away.h5')
  renameSync(file, away)
  const putBack = () => {
    if (!existsSync(file)) renameSync(away, file)
  }
  // What is done to a file that is complete by then is not the command's to tell.
  if (!isBeingWritten(file)) {
    putBack()
    return nothing
  }
  if (disturbance === 'moved until the end') return putBack
  await delay(MOMENT_MS)
  putBack()
  return nothing
}

/** The last that a command does is to remove the `.cnt` file, or to write that all of it is in the HDF5 file; then it looks once more. */
function isBeingWritten(file: string): boolean {
  return readdirSync(dirname(file)).some(
    (name) => name.endsWith('.cnt') && !isApplied(join(dirname(file), name)),
  )
}

function isApplied(cntFile: string): boolean {
  try {
    return readCnt(cntFile).isApplied
  } catch {
    // Removed in this moment.
    return !existsSync(cntFile)
  }
}
