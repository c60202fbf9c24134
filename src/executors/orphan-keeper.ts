/** Kills the processes of runs if main is killed. A run that computes without pause would not notice. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/**
 * A small shell that knows the processes and waits at a pipe from main. When main ends, for any reason, the pipe
 * closes. The shell then kills the remaining processes and their children. Without `sh`, a run ends at its next turn of
 * the event loop.
 */
export class OrphanKeeper implements Disposable {
  readonly #shell: ChildProcess | undefined

  constructor() {
    if (process.platform === 'win32') return
    this.#shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#shell.on('error', () => undefined)
    this.#shell.stdin?.on('error', () => undefined)
    // Neither may keep a finished program alive.
    this.#shell.unref()
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref()
  }

  /** @param processId the leader of a group of processes */
  add(processId: number): void {
    this.#say(`add ${processId}`)
  }

  /** To be called as soon as the process is gone: its number may be given to another. */
  remove(processId: number): void {
    this.#say(`remove ${processId}`)
  }

  [Symbol.dispose](): void {
    this.#shell?.stdin?.end()
  }

  #say(line: string): void {
    if (this.#shell?.stdin?.writable === true) this.#shell.stdin.write(`${line}\n`)
  }
}

const SCRIPT = `
trap '' INT TERM HUP
left=' '
while read -r verb id; do
  case $verb in
    add) left="$left$id " ;;
    remove) left="\${left%% $id *} \${left#* $id }" ;;
  esac
done
for id in $left; do kill -9 "-$id"; done
`
