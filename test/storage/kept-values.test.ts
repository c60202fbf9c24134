/** Lists and arrays of an exploration that were to follow its request, and have not come. */
import { expect, test } from 'vitest'
import { storeValues } from '../../src/storage/kept-values.ts'

test.each([
  [{ file: '/jobs/my job.ts' }, "Start again: pypet-ts run '/jobs/my job.ts' --file /results/f.h5 --name T"],
  [{ file: '/jobs/script.ts', isFunction: true }, 'Start again: run the script /jobs/script.ts.'],
])('an experiment without them is begun anew where it was, from %j', async (job, hint) => {
  const request = {
    file: '/results/f.h5',
    trajectory: { name: 'T' },
    continuation: { job },
    exploration: { kind: 'pooled', pools: { y: { first: 0, values: ['float64 3'] } } },
  }
  const storing = storeValues({ request, layout: {} } as never, undefined, () => undefined)
  await expect(storing).rejects.toMatchObject({ code: 'PYPET_CNT_FILE_MISMATCH', hint })
})
