/** `docs/storage-modes.md`: its examples run. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as library from '../dist/index.js'
import { pypet } from './cli/pypet.ts'
import { codeBlocks } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'

const page = readFileSync(new URL('../docs/storage-modes.md', import.meta.url), 'utf8')
const blocks = codeBlocks(page)
const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 1 }, explore: { x: [1, 2, 3] }, run(traj) { traj.addResult('z', traj.par.x) } })`

test('the commands', async () => {
  const service = blocks.find(({ language }) => language === 'js')?.code ?? ''
  const commands = blocks.filter(({ language }) => language === 'sh')
  expect(commands).toHaveLength(2)
  for (const { code: text } of commands) {
    const folder = fileTree({ 'job.mjs': JOB, 'service.mjs': service })
    const ended = await pypet(folder, text.trim().split(' ').slice(1))
    expect([ended.stderr, ended.exitCode]).toEqual(['', 0])
    const kept = text.includes('service') ? 'runs' : 'hdf5'
    expect(readdirSync(join(folder, kept))).toEqual(
      text.includes('service') ? ['0.json', '1.json', '2.json'] : ['job.h5'],
    )
  }
})

test('the script', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const code = blocks.find(({ language }) => language === 'ts')?.code ?? ''
  const context = {
    ...library,
    job: join(folder, 'job.mjs'),
    filename: join(folder, 'file.h5'),
    logFolder: join(folder, 'logs'),
  }
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<unknown>
  await new AsyncFunction(...Object.keys(context), code)(...Object.values(context))
  const traj = await library.loadTrajectory(context.filename)
  expect(traj.length).toBe(3)
  traj.close()
})
