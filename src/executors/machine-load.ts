/** How busy the machine is, with all its programs. */
import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'

/** In percent. */
export interface MachineLoad {
  readonly cpu: number
  readonly memory: number
  /** 0 if there is no swap space, or if it is unknown. */
  readonly swap: number
}

/** CPU use over a shorter time means nothing. */
const MEASURE_MS = 100

/** Returns the load since the last measurement. Measures again if that is older than a tenth of a second. */
export function machineLoad(): () => MachineLoad {
  let before = cpuTimes()
  let measuredMs = performance.now()
  let load: MachineLoad = { cpu: 0, ...memoryLoad() }
  return () => {
    const nowMs = performance.now()
    if (nowMs - measuredMs < MEASURE_MS) return load
    const now = cpuTimes()
    const total = now.total - before.total
    load = { cpu: total > 0 ? (100 * (now.busy - before.busy)) / total : load.cpu, ...memoryLoad() }
    before = now
    measuredMs = nowMs
    return load
  }
}

/** Sum over all processors, in any unit. */
interface CpuTimes {
  readonly busy: number
  readonly total: number
}

function cpuTimes(): CpuTimes {
  const text = readIfThere('/proc/stat')
  return text === undefined ? cpuTimesOf(cpus()) : cpuTimesOfStat(text)
}

/**
 * Reads the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. Guests are part of user.
 */
export function cpuTimesOfStat(text: string): CpuTimes {
  const [, line = ''] = /^cpu\s+(.*)$/m.exec(text) ?? []
  const times = line.split(/\s+/).slice(0, 8).map(Number)
  const total = times.reduce((sum, time) => sum + time, 0)
  return { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) }
}

function cpuTimesOf(processors: ReturnType<typeof cpus>): CpuTimes {
  let [busy, total] = [0, 0]
  for (const { times } of processors) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq
    total += all
    busy += all - times.idle
  }
  return { busy, total }
}

function memoryLoad(): Pick<MachineLoad, 'memory' | 'swap'> {
  const text = readIfThere('/proc/meminfo')
  return text === undefined
    ? { memory: usedPercent(totalmem(), freemem()), swap: 0 }
    : memoryLoadOfMeminfo(text)
}

/** Memory that the kernel can give without swapping counts as free. */
export function memoryLoadOfMeminfo(text: string): Pick<MachineLoad, 'memory' | 'swap'> {
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return {
    memory: usedPercent(value('MemTotal'), value('MemAvailable') || value('MemFree')),
    swap: usedPercent(value('SwapTotal'), value('SwapFree')),
  }
}

function usedPercent(total: number, free: number): number {
  return total > 0 ? (100 * (total - free)) / total : 0
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // Not Linux.
  }
}
