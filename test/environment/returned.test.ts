/** What jobs return, given to who asks for it, also after the experiment was interrupted. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { continueRun, run } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

/** From run 2 on it waits for the file `go`. */
const JOB = `import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'returns',
  parameters: { x: 0, folder: '' },
  explore: { x: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  async run(traj) {
    const { x, folder } = traj.par
    while (x >= 2 && !existsSync(folder + '/go')) await delay(5)
    traj.addResult('z', x)
    if (x === 4) return undefined
    return { x, map: new Map([[x, NaN]]), data: Float64Array.of(x, -0) }
  },
})
`
const returnedBy = (x: number) => ({
  run: x,
  value: { x, map: new Map([[x, Number.NaN]]), data: Float64Array.of(x, -0) },
})
/** Run 4 returns nothing. */
const ALL = [0, 1, 2, 3, 5, 6, 7, 8, 9].map(returnedBy)

describe.each([
  ['inline', { executor: 'inline' }],
  ['on two threads', { ncores: 2 }],
] as const)('what jobs return, %s', (_name, workers) => {
  test('is collected on request, by run; the .cnt file goes all the same', async () => {
    const folder = fileTree({ 'job.ts': JOB, go: '' })
    const options = { ...workers, filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') }
    const { returned, cntFile } = await run(join(folder, 'job.ts'), {
      options,
      set: { folder },
      collect: true,
    })
    expect(returned).toEqual(ALL)
    expect(cntFile).toBeUndefined()
    expect(existsSync(join(folder, 'returns.cnt'))).toBe(false)
  })

  test('is collected of runs before an interruption, too', async () => {
    const folder = fileTree({ 'job.ts': JOB })
    const options = { ...workers, filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') }
    const stop = new AbortController()
    const reporter = {
      emit({ type }: { readonly type: string }) {
        if (type !== 'runs-stored') return
        stop.abort()
        writeFileSync(join(folder, 'go'), '')
      },
      close: async () => undefined,
    }
    const first = await run(join(folder, 'job.ts'), {
      options,
      set: { folder },
      reporter,
      signal: stop.signal,
    })
    expect(first.leftCount).toBeGreaterThan(0)
    const second = await continueRun(join(folder, 'file.h5'), { collect: true })
    expect(second).toMatchObject({ storedCount: 10, leftCount: 0, previouslyStoredCount: first.storedCount })
    expect(second.returned).toEqual(ALL)
  })
})
