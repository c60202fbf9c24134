/** The worker half of a storage service is told when its worker has no more runs, where the worker lives to hear it. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

const SERVICE = `import { writeFileSync } from 'node:fs'
const here = (name) => new URL(name, import.meta.url)
export default { open() { return {} }, failRun() {}, close() { writeFileSync(here('main-closed'), '') } }
export const openWorker = () => ({
  storeRun({ run }) { writeFileSync(here('stored-' + run), '') },
  async close() { writeFileSync(here('closed-' + process.pid), '') },
})`
const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 0 }, explore: { x: [0, 1] }, run: (traj) => traj.addResult('z', traj.par.x) })`

test.each([
  ['inline', 1],
  ['process', 2],
] as const)('%s: the worker half is closed %i times', async (executor, closedCount) => {
  const folder = fileTree({ 'service.mjs': SERVICE, 'job.mjs': JOB })
  const options = { executor, ncores: 1, filename: join(folder, 'file.h5'), logging: false }
  await run(join(folder, 'job.mjs'), { options: { ...options, storageService: join(folder, 'service.mjs') } })
  const names = readdirSync(folder)
  expect(names).toEqual(expect.arrayContaining(['stored-0', 'stored-1', 'main-closed']))
  expect(names.filter((name) => name.startsWith('closed-'))).toHaveLength(closedCount)
})
