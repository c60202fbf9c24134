/** Lets runs have the processor before the server of the page. */
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'

/** One measurement may be of a pause between two runs. */
const AGREEING_MIN = 2

/**
 * Lowers the priority of a process at once, this one by default.
 *
 * On Linux, a process of any priority that runs on a core makes the system wake other processes elsewhere: on two
 * cores, an experiment with one worker loses more by that than the server takes. With the policy `SCHED_IDLE`, the
 * core counts as idle. Where no core is idle, that policy would leave the server next to nothing, so it has it only
 * while one is. Node cannot set it, the program `chrt` (of util-linux, as `flock`) can; without it, the priority has
 * to do.
 *
 * @returns what takes each measurement, whether a core was idle
 */
export function yieldCores(pid = process.pid): (isCoreIdle: boolean) => void {
  setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  let isIdlePolicy = false
  let disagreeing = 0
  return (isCoreIdle) => {
    disagreeing = isCoreIdle === isIdlePolicy ? 0 : disagreeing + 1
    if (disagreeing < AGREEING_MIN || process.platform !== 'linux') return
    disagreeing = 0
    isIdlePolicy = isCoreIdle
    const policy = isCoreIdle ? '--idle' : '--other'
    const words = ['--all-tasks', policy, '--pid', '0', String(pid)]
    spawn('chrt', words, { stdio: 'ignore' }).on('error', () => undefined)
  }
}
