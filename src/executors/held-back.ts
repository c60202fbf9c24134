/** Caps: no run starts while the machine is too busy. */
import type { RunRange } from '../protocol.ts'
import type { LogLevel } from '../run/log-level.ts'
import type { TaskSource } from './executor.ts'
import { type MachineLoad, machineLoad } from './machine-load.ts'

/** Percent of machine use above which no run starts. 100 is no cap. */
export interface Caps {
  readonly cpuCap: number
  readonly memoryCap: number
  readonly swapCap: number
}

/** How long to wait before the next look at the load. */
const ASK_AGAIN_MS = 500

/** Decides when runs may not start. */
export interface Gate {
  /** Whether to hold back a run that would start now. */
  holdsBack(): boolean
  /** How many runs may start now, if there is a limit. */
  room?(): number
  /** Resolves when it is worth asking again. */
  askAgain(): Promise<void>
}

/** Holds runs back depending on the load, and reports when that changes. */
export class LoadGate implements Gate {
  readonly #caps: Caps
  readonly #probe: () => MachineLoad
  readonly #onNotice: (level: LogLevel, message: string) => void
  readonly #askAgainMs: number
  #isClosed = false
  #hasWarned = false

  /** @param options.probe returns the current load. Default: the load of the machine. */
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

  /** Whether to hold back a run that would start now. Without a cap, nothing is measured. */
  holdsBack(): boolean {
    if (!hasCap(this.#caps)) return false
    const exceeded = exceededCaps(this.#probe(), this.#caps)
    const isClosed = exceeded.length > 0
    if (isClosed && !this.#isClosed) {
      // Warn the user once why nothing happens. If the load goes up and down, the log has the rest.
      const level = this.#hasWarned ? 'info' : 'warn'
      this.#hasWarned = true
      this.#onNotice(level, `no new runs for now: ${exceeded.join(', ')}; active runs continue`)
    }
    if (!isClosed && this.#isClosed) this.#onNotice('info', 'runs start again: the load is below its caps')
    this.#isClosed = isClosed
    return isClosed
  }

  /** Resolves when it is worth asking again. */
  askAgain(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#askAgainMs))
  }
}

/** What is above its cap, as text: `CPU use is 93.0 % (cap 80 %)`. */
export function exceededCaps(load: MachineLoad, { cpuCap, memoryCap, swapCap }: Caps): string[] {
  const measured = [
    ['CPU use is', load.cpu, cpuCap],
    ['memory use is', load.memory, memoryCap],
    ['swap use is', load.swap, swapCap],
  ] as const
  return measured
    .filter(([, percent, cap]) => cap < 100 && percent > cap)
    .map(([what, percent, cap]) => `${what} ${percent.toFixed(1)} % (cap ${cap} %)`)
}

/**
 * The same tasks, but none while the gate is closed. Does not wait for a source that is known to be empty (`hasNext`).
 */
export function heldBack(tasks: BoundedSource, gate: Gate): BoundedSource {
  const hasNext = () => tasks.hasNext?.() ?? true
  let isHeld = false
  return {
    hasNext,
    next(countMax: number): RunRange | undefined {
      isHeld = hasNext() && gate.holdsBack()
      return isHeld ? undefined : tasks.next(Math.min(countMax, gate.room?.() ?? countMax))
    },
    pointAt: (run) => tasks.pointAt(run),
    putBack: (range) => tasks.putBack(range),
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
