/** Which process this is, told apart from every other one on any machine, and whether another one still lives. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Everything is a text; what the system does not tell is empty. */
export interface ProcessFacts {
  readonly pid: number
  readonly host: string
  /** Of the installation; two containers may share it. */
  readonly machineId: string
  /** Of the kernel that runs now: all containers of a machine have the same, and a reboot gives another one. */
  readonly bootId: string
  /** A pid means something inside of it only. */
  readonly pidNamespace: string
  /** When the process started, as the system counts it; tells it from a later one of the same pid. */
  readonly processStart: string
}

export function ownProcess(): ProcessFacts {
  const [, processStart] = statOf(process.pid)
  return { ...place(), pid: process.pid, processStart }
}

/** `gone` and `alive` are certain. A process of another machine, or of another container, cannot be seen from here. */
export function fateOf(owner: ProcessFacts): 'alive' | 'gone' | 'unseen' {
  const here = place()
  const isOtherMachine = owner.host !== here.host || owner.machineId !== here.machineId
  if (owner.bootId !== here.bootId) return isOtherMachine ? 'unseen' : 'gone'
  if (owner.pidNamespace !== here.pidNamespace) return 'unseen'
  // Where the system has no name for its start, the host is all there is.
  if (here.bootId === '' && isOtherMachine) return 'unseen'
  return isAlive(owner) ? 'alive' : 'gone'
}

export function isAlive({ pid, processStart }: Pick<ProcessFacts, 'pid' | 'processStart'>): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // A process of another user is alive, too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const [state, start] = statOf(pid)
  // Of a zombie, nothing is left but the number.
  if (state === 'Z' || state === 'X') return false
  return start === '' || processStart === '' || start === processStart
}

type Place = Omit<ProcessFacts, 'pid' | 'processStart'>
let known: Place | undefined

/** The same as long as the process lives. */
export function place(): Place {
  known ??= {
    host: hostname(),
    machineId: textIn('/etc/machine-id'),
    bootId: textIn('/proc/sys/kernel/random/boot_id'),
    pidNamespace: linkAt('/proc/self/ns/pid'),
  }
  return known
}

/** Fields 3 and 22 of /proc/<pid>/stat; empty where the system does not tell. */
function statOf(pid: number): readonly [state: string, start: string] {
  const stat = textIn(`/proc/${pid}/stat`)
  // The name of the program, in parentheses, may hold anything.
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
