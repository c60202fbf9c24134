/** Caps: no run begins while the machine is used too much. */
import type { RunTask } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { TaskSource } from './executor.ts'
import { type MachineLoad, machineLoad } from './machine-load.ts'

/** Percent of the machine above which no run begins; 100 is no cap. */
export interface Caps {
  readonly cpuCap: number
  readonly memoryCap: number
  readonly swapCap: number
}

/** How long it is before the load is looked at again. */
const ASK_AGAIN_MS = 500

/** Says when no run may begin. */
export interface Gate {
  /** Whether a run that would begin now is held back. */
  holdsBack(): boolean
  /** Resolves when it is worth asking again. */
  askAgain(): Promise<void>
}

/** Decides from the load whether runs are held back, and says when that changes. */
export class LoadGate implements Gate {
  readonly #caps: Caps
  readonly #probe: () => MachineLoad
  readonly #onNotice: (level: LogLevel, message: string) => void
  readonly #askAgainMs: number
  #isClosed = false
  #hasWarned = false

  /** @param options.probe gives the present load; that of the machine unless given */
  constructor(
    caps: Caps,
    onNotice: (level: LogLevel, message: string) => void,
    options: { readonly probe?: () => MachineLoad; readonly askAgainMs?: number } = {},
  ) {
    this.#caps = caps
    this.#onNotice = onNotice
    this.#askAgainMs = options.askAgainMs ?? ASK_AGAIN_MS
    this.#probe = options.probe ?? (hasCap(caps) ? machineLoad() : () => IDLE)
  }

  /** Whether a run that would begin now is held back. Where there is no cap nothing is measured. */
  holdsBack(): boolean {
    if (!hasCap(this.#caps)) return false
    const exceeded = exceededCaps(this.#probe(), this.#caps)
    const isClosed = exceeded.length > 0
    if (isClosed && !this.#isClosed) {
      // Who wonders why nothing happens is told once; where the load goes up and down, the log has the rest.
      const level = this.#hasWarned ? 'info' : 'warn'
      this.#hasWarned = true
      this.#onNotice(level, `no run begins for now: ${exceeded.join(', ')}; active runs go on`)
    }
    if (!isClosed && this.#isClosed) this.#onNotice('info', 'runs begin again: the load is below its caps')
    this.#isClosed = isClosed
    return isClosed
  }

  /** Resolves when it is worth asking again. */
  askAgain(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#askAgainMs))
  }
}

/** What is above its cap, for people: `the processors are used to 93 % (cap 80 %)`. */
export function exceededCaps(load: MachineLoad, { cpuCap, memoryCap, swapCap }: Caps): string[] {
  const measured = [
    ['the processors are used', load.cpu, cpuCap],
    ['the memory is used', load.memory, memoryCap],
    ['the swap space is used', load.swap, swapCap],
  ] as const
  return measured
    .filter(([, percent, cap]) => cap < 100 && percent > cap)
    .map(([what, percent, cap]) => `${what} to ${percent.toFixed(1)} % (cap ${cap} %)`)
}

/**
 * The same tasks, none of them while the gate holds back. A source that is known to be empty (`hasNext`) is not
 * waited for.
 */
export function heldBack(tasks: BoundedSource, gate: Gate): BoundedSource {
  const hasNext = () => tasks.hasNext?.() ?? true
  let isHeld = false
  return {
    hasNext,
    next(): RunTask | undefined {
      isHeld = hasNext() && gate.holdsBack()
      return isHeld ? undefined : tasks.next()
    },
    more() {
      return isHeld && hasNext() ? gate.askAgain() : tasks.more?.()
    },
  }
}

/** A source that may know whether it is empty. */
type BoundedSource = TaskSource & { readonly hasNext?: () => boolean }

const IDLE: MachineLoad = { cpu: 0, memory: 0, swap: 0 }

function hasCap({ cpuCap, memoryCap, swapCap }: Caps): boolean {
  return cpuCap < 100 || memoryCap < 100 || swapCap < 100
}
