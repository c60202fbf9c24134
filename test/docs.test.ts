/** `docs/from-pypet.md`: every example of its tables runs. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import * as library from '../dist/index.js'
import { fileTree } from './experiment/file-tree.ts'

const page = readFileSync(new URL('../docs/from-pypet.md', import.meta.url), 'utf8')

/** Rows of the tables: what pypet has, and the example or the reason. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| pypet ') && !line.startsWith('| ---'))
  .map((line) => {
    const [, pypet = '', ours = '', example = ''] = line.split(' | ').map((cell) => cell.trim())
    const [first = ''] = line.slice(2).split(' | ')
    return { title: first.trim(), ours: pypet, example: ours.replace(/ ?\|$/, '').trim() || example }
  })

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ name: 'T', parameters: { x: 1, y: 1 }, explore: { x: [1, 2] }, run(traj) { traj.addResult('z', traj.par.x) } })`

test('the page has a line for everything, with an example or a reason', () => {
  expect(rows.length).toBeGreaterThan(80)
  for (const { title, ours, example } of rows) {
    const isSaid =
      example.startsWith('`') ||
      /^no, because|^no$|because|the same|read as|always|candidates|`\.cnt`/.test(ours)
    expect([title, isSaid]).toEqual([title, true])
  }
})

describe('the examples', () => {
  /** A folder with two files, of which each example has a copy. */
  let two: string
  beforeAll(async () => {
    two = fileTree({})
    for (const [name, first] of [
      ['a.h5', 1],
      ['b.h5', 4],
    ] as const) {
      const filename = join(two, name)
      const made = new library.Trajectory({ name: 'demo', filename, parameters: { x: 1, y: 1 } })
      made.explore({ x: [first, first + 1, first + 2], y: [4, 5, 6] })
      made.addResult('group.z', 7)
      await made.store()
      made.close()
    }
  })

  const examples = rows.filter(({ example }) => example.startsWith('`'))
  test.each(examples.map(({ title, example }) => [title, example.slice(1, -1)]))(
    '%s: %s',
    async (_title, code) => {
      const folder = fileTree({ 'job.mjs': JOB })
      const folderOfTwo = fileTree({})
      cpSync(two, folderOfTwo, { recursive: true })
      const filename = join(folderOfTwo, 'a.h5')
      const second = join(folderOfTwo, 'b.h5')
      const traj = await library.loadTrajectory(filename)
      const context = {
        ...library,
        traj,
        filename,
        second,
        folder,
        folderOfTwo,
        job: join(folder, 'job.mjs'),
        other: join(folder, 'other.h5'),
      }
      const AsyncFunction = (async () => undefined).constructor as new (
        ...parts: string[]
      ) => (...values: unknown[]) => Promise<unknown>
      try {
        await new AsyncFunction(...Object.keys(context), code)(...Object.values(context))
      } finally {
        traj.close()
      }
    },
  )
})
