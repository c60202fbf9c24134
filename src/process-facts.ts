/** Identifies this process among all processes on all machines, and checks whether another one is still alive. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** All texts. Empty if the system does not tell. */
export interface ProcessFacts {
  readonly pid: number
  readonly host: string
  /** Identifies the installation. Two containers may share it. */
  readonly machineId: string
  /** Identifies the boot of the kernel. All containers of a machine share it, and it changes with a reboot. */
  readonly bootId: string
  /** A pid is only meaningful in its namespace. */
  readonly pidNamespace: string
  /** When the process started, in the system's units. Distinguishes it from a later process with the same pid. */
  readonly processStart: string
}

export function ownProcess(): ProcessFacts {
  const [, processStart] = statOf(process.pid)
  return { ...place(), pid: process.pid, processStart }
}

/** `gone` and `alive` are certain. `unseen`: the process is on another machine or in another container. */
export function fateOf(owner: ProcessFacts): 'alive' | 'gone' | 'unseen' {
  const here = place()
  const isOtherMachine = owner.host !== here.host || owner.machineId !== here.machineId
  if (owner.bootId !== here.bootId) return isOtherMachine ? 'unseen' : 'gone'
  if (owner.pidNamespace !== here.pidNamespace) return 'unseen'
  // Without a boot id, only the host is left to compare.
  if (here.bootId === '' && isOtherMachine) return 'unseen'
  return isAlive(owner) ? 'alive' : 'gone'
}

export function isAlive({ pid, processStart }: Pick<ProcessFacts, 'pid' | 'processStart'>): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of another user is alive too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const [state, start] = statOf(pid)
  // A zombie is only a number.
  if (state === 'Z' || state === 'X') return false
  return start === '' || processStart === '' || start === processStart
}

type Place = Omit<ProcessFacts, 'pid' | 'processStart'>
let known: Place | undefined

/** Constant while the process lives. */
export function place(): Place {
  known ??= {
    host: hostname(),
    machineId: textIn('/etc/machine-id'),
    bootId: textIn('/proc/sys/kernel/random/boot_id'),
    pidNamespace: linkAt('/proc/self/ns/pid'),
  }
  return known
}

/** Fields 3 and 22 of /proc/<pid>/stat. Empty if the system does not tell. */
function statOf(pid: number): readonly [state: string, start: string] {
  const stat = textIn(`/proc/${pid}/stat`)
  // The program name, in parentheses, may contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [fields[0] ?? '', fields[19] ?? '']
}

function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
