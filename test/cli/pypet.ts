/** The real command, as a shell starts it, with a look at everything it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ROOT } from '../source-tree.ts'
import { whenOver } from '../when-over.ts'

const COMMAND = join(ROOT, 'bin/pypet-ts.js')

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** What is left in the folder for temporary files. */
  readonly temporaries: readonly string[]
}

export interface Started {
  readonly process: ChildProcess
  /** Everything printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves when a condition on what was printed holds. */
  until(condition: (started: Started) => boolean): Promise<void>
  /** Resolves when the command and every process that it started are gone. */
  ended(): Promise<Ended>
}

/** The path of a job below `test/fixtures/jobs/cli`. */
export function jobFixture(name: string): string {
  return join(ROOT, 'test/fixtures/jobs/cli', name)
}

/** Starts `pypet-ts <words>` in a folder, without any variable or config file of this machine. */
export function start(folder: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  // Of its own, so that what is left behind is this command's. Short: it holds a socket.
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-test-')))
  const { PATH, SYSTEMROOT } = process.env
  const child = spawn(process.execPath, [COMMAND, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, SYSTEMROOT, HOME: folder, TMPDIR: temporary, ...env },
    // A group of processes of its own, which is empty when the last of them has ended.
    detached: true,
  })
  whenOver(() => {
    if (isGroupAlive(child)) process.kill(-(child.pid as number), 'SIGKILL')
    rmSync(temporary, { recursive: true, force: true })
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text
  })
  const closed = once(child, 'close')
  const started: Started = {
    process: child,
    get stdout() {
      return printed.stdout
    },
    get stderr() {
      return printed.stderr
    },
    async until(condition) {
      while (!condition(started)) {
        if (child.exitCode !== null) throw new Error(`ended too early: ${printed.stdout}${printed.stderr}`)
        await delay(5)
      }
    },
    async ended() {
      const [exitCode] = (await closed) as [number | null]
      while (isGroupAlive(child)) await delay(5)
      return { exitCode, ...printed, temporaries: readdirSync(temporary) }
    },
  }
  return started
}

/** Runs `pypet-ts <words>` to its end. */
export function pypet(folder: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return start(folder, words, env).ended()
}

/** What a command told with `--json`, line by line. */
export function eventsOf({ stdout }: Pick<Ended, 'stdout'>): {
  readonly event: string
  readonly [field: string]: unknown
}[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** The last of it: how it ended. */
export function factsOf(ended: Pick<Ended, 'stdout'>): Readonly<Record<string, unknown>> {
  return eventsOf(ended).at(-1) ?? {}
}

/** Every file below a folder with its content and the time of its last change; folders too. */
export function treeOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const stats = statSync(join(folder, name))
      const content = stats.isFile() ? readFileSync(join(folder, name), 'base64') : 'folder'
      return [name, `${stats.mtimeMs} ${content}`]
    }),
  )
}

function isGroupAlive({ pid }: ChildProcess): boolean {
  try {
    process.kill(-(pid as number), 0)
    return true
  } catch {
    return false
  }
}
