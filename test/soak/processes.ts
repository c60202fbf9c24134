/** The processes of a round, found by the folder for temporary files that they all inherit. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Target } from './round.ts'

export interface FoundProcess {
  readonly id: number
  readonly command: string
}

/** All that have this in their environment, those that are not of the command's group too. */
function processesWith(variable: string): FoundProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1')
      if (!`\0${environment}`.includes(`\0${variable}\0`)) return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
      return command === '' ? [] : [{ id: Number(name), command }]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

/** How a target is told by its command line. */
const COMMANDS: Readonly<Record<'writer' | 'worker' | 'lock helper', RegExp>> = {
  writer: /writer-process\.js/,
  worker: /process\.mjs/,
  'lock helper': /flock -x -n 3/,
}

/** Kills it; false where there is none at this moment. */
export function killTarget(target: Target, main: number, variable: string): boolean {
  if (target === 'group') return kill(-main)
  if (target === 'main') return kill(main)
  const victims = processesWith(variable).filter(({ command }) => COMMANDS[target].test(command))
  return victims.map(({ id }) => kill(id)).includes(true)
}

export function kill(id: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    process.kill(id, signal)
    return true
  } catch {
    return false
  }
}

/** Waits until none is left; those that are still there after that time. */
export async function whenGone(variable: string, limitMs: number): Promise<FoundProcess[]> {
  const end = performance.now() + limitMs
  for (;;) {
    const left = processesWith(variable)
    if (left.length === 0 || performance.now() > end) return left
    await delay(20)
  }
}
