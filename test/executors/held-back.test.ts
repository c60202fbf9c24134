/** Caps: runs wait while the machine is used too much. */
import { describe, expect, test } from 'vitest'
import { exceededCaps, heldBack, LoadGate } from '../../src/executors/held-back.ts'
import { cpuTimesOfStat, machineLoad, memoryLoadOfMeminfo } from '../../src/executors/machine-load.ts'
import { performTasks, type RangeListener } from '../../src/executors/perform-tasks.ts'
import type { RunRange } from '../../src/protocol.ts'

const NO_CAPS = { cpuCap: 100, memoryCap: 100, swapCap: 100 }
const IDLE = { cpu: 0, memory: 0, swap: 0 }

/** So many runs, one after the other. */
function tasksOf(count: number) {
  const runs = Array.from({ length: count }, (_, run) => run)
  return {
    ...EMPTY,
    hasNext: () => runs.length > 0,
    next(countMax: number): RunRange | undefined {
      const taken = runs.splice(0, countMax)
      const [run] = taken
      return run === undefined ? undefined : { run, count: taken.length, attempt: 1, runCount: count }
    },
  }
}

const EMPTY = { next: () => undefined, pointAt: () => ({}), putBack: () => undefined }

describe('what is above its cap', () => {
  test.each([
    [{ cpu: 100, memory: 100, swap: 100 }, NO_CAPS, []],
    [{ cpu: 80, memory: 0, swap: 0 }, { ...NO_CAPS, cpuCap: 80 }, []],
    [{ cpu: 93.25, memory: 0, swap: 0 }, { ...NO_CAPS, cpuCap: 80 }, ['CPU use is 93.3 % (cap 80 %)']],
    [
      { cpu: 99, memory: 60, swap: 2 },
      { cpuCap: 100, memoryCap: 50, swapCap: 1 },
      ['memory use is 60.0 % (cap 50 %)', 'swap use is 2.0 % (cap 1 %)'],
    ],
  ])('%j under %j: %j', (load, caps, exceeded) => {
    expect(exceededCaps(load, caps)).toEqual(exceeded)
  })
})

describe('what the system tells', () => {
  test('/proc/stat: waiting for a disk is no work, and guests are not counted twice', () => {
    const text = 'cpu  100 10 30 800 40 5 5 10 70 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n'
    expect(cpuTimesOfStat(text)).toEqual({ total: 1000, busy: 160 })
  })

  test.each([
    [
      'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n',
      60,
      25,
    ],
    ['MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n', 60, 0],
    ['MemTotal: 1000 kB\nMemFree: 100 kB\n', 90, 0],
  ])('/proc/meminfo: %j', (text, memory, swap) => {
    expect(memoryLoadOfMeminfo(text)).toEqual({ memory, swap })
  })

  test('this machine: percentages', () => {
    const { cpu, memory, swap } = machineLoad()()
    for (const percent of [cpu, memory, swap]) {
      expect(percent).toBeGreaterThanOrEqual(0)
      expect(percent).toBeLessThanOrEqual(100)
    }
    expect(memory).toBeGreaterThan(0)
  })
})

describe('tasks that are held back', () => {
  test('come when the load has fallen, which is said once each way', async () => {
    const loads = [90, 95, 20, 20, 90, 20].map((cpu) => ({ ...IDLE, cpu }))
    const notices: string[] = []
    const gate = new LoadGate(
      { ...NO_CAPS, cpuCap: 50 },
      (level, message) => notices.push(`${level}: ${message}`),
      {
        probe: () => loads.shift() ?? IDLE,
        askAgainMs: 0,
      },
    )
    const tasks = heldBack(tasksOf(3), gate)
    const seen: (number | undefined)[] = []
    const ask = async () => {
      const task = tasks.next(1)
      seen.push(task?.run)
      await tasks.more?.()
    }
    for (let round = 0; round < 6; round += 1) await ask()
    expect(seen).toEqual([undefined, undefined, 0, 1, undefined, 2])
    expect(notices).toEqual([
      'warn: no new runs for now: CPU use is 90.0 % (cap 50 %); active runs continue',
      'info: runs start again: the load is below its caps',
      'info: no new runs for now: CPU use is 90.0 % (cap 50 %); active runs continue',
      'info: runs start again: the load is below its caps',
    ])
    expect(tasks.next(1)).toBeUndefined()
    expect(tasks.more?.()).toBeUndefined()
  })

  test('are not waited for when there are none', () => {
    const gate = new LoadGate({ ...NO_CAPS, memoryCap: 50 }, () => undefined, {
      probe: () => ({ ...IDLE, memory: 99 }),
    })
    const tasks = heldBack(tasksOf(0), gate)
    expect(tasks.next(1)).toBeUndefined()
    expect(tasks.more?.()).toBeUndefined()
  })

  test('leave the source its own reasons to wait', async () => {
    const gate = new LoadGate(NO_CAPS, () => undefined)
    const later = Promise.resolve()
    expect(heldBack({ ...EMPTY, more: () => later }, gate).more?.()).toBe(later)
  })

  test('without a cap nothing is measured', () => {
    const gate = new LoadGate(NO_CAPS, () => undefined, {
      probe: () => {
        throw new Error('measured')
      },
    })
    expect(heldBack(tasksOf(1), gate).next(1)).toMatchObject({ run: 0 })
  })

  test('do not touch active runs, and all are performed in the end', async () => {
    let activeCount = 0
    let activeMax = 0
    const performed: number[] = []
    // Above the cap whenever two are active.
    const gate = new LoadGate({ ...NO_CAPS, cpuCap: 50 }, () => undefined, {
      probe: () => ({ ...IDLE, cpu: activeCount * 30 }),
      askAgainMs: 0,
    })
    const workers = {
      activeMax: () => 4,
      rangeMax: () => 1,
      closed: new Promise<void>(() => undefined),
      async perform({ run }: RunRange, { report }: RangeListener) {
        activeCount += 1
        activeMax = Math.max(activeMax, activeCount)
        await new Promise((resolve) => setImmediate(resolve))
        activeCount -= 1
        performed.push(run)
        report({ state: 'handed-over', run, count: 1, startTimestamp: 0 })
      },
    }
    await performTasks(heldBack(tasksOf(20), gate), workers, () => undefined)
    expect(activeMax).toBe(2)
    expect(performed).toEqual(Array.from({ length: 20 }, (_, run) => run))
  })

  test('are so many at a time as the gate has room for', () => {
    const gate = { holdsBack: () => false, room: () => 3, askAgain: () => Promise.resolve() }
    const tasks = heldBack(tasksOf(10), gate)
    expect(tasks.next(100)).toMatchObject({ run: 0, count: 3 })
    expect(tasks.next(2)).toMatchObject({ run: 3, count: 2 })
  })
})
