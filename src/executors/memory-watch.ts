/** Watches the memory use of processes. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A busy loop can fill a gigabyte in this time. Looking takes about a thousandth of it. */
const LOOK_MS = 50
/** Used if a program must be started to look. */
const ASK_MS = 500

/**
 * Watches processes, and reports once if one exceeds the limit. It measures the peak resident set, including typed
 * arrays and native memory. Outside Linux, it measures the current resident set.
 */
export class MemoryWatch implements Disposable {
  readonly #limitBytes: number
  readonly #watched = new Map<number, (usedBytes: number) => void>()
  #timer: NodeJS.Timeout | undefined
  #isAsking = false

  /** @param limitMb 0 watches nothing */
  constructor(limitMb: number) {
    this.#limitBytes = limitMb * 2 ** 20
  }

  watch(processId: number, onExceeded: (usedBytes: number) => void): void {
    if (this.#limitBytes === 0) return
    this.#watched.set(processId, onExceeded)
    this.#timer ??=
      process.platform === 'linux'
        ? setInterval(() => this.#look(), LOOK_MS)
        : setInterval(() => this.#ask(), ASK_MS)
    this.#timer.unref()
  }

  leave(processId: number): void {
    this.#watched.delete(processId)
    if (this.#watched.size === 0) this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#watched.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    for (const processId of [...this.#watched.keys()]) this.#judge(processId, peakBytes(processId))
  }

  #ask(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    const ids = [...this.#watched.keys()].join(',')
    execFile('ps', ['-o', 'pid=,rss=', '-p', ids], (_error, stdout) => {
      this.#isAsking = false
      for (const [, id, kilobytes] of stdout.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)) {
        this.#judge(Number(id), Number(kilobytes) * 1024)
      }
    })
  }

  #judge(processId: number, usedBytes: number): void {
    const onExceeded = this.#watched.get(processId)
    if (onExceeded === undefined || usedBytes <= this.#limitBytes) return
    this.leave(processId)
    onExceeded(usedBytes)
  }
}

/** 0 when the process is gone. */
function peakBytes(processId: number): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
