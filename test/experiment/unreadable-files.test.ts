/** Files that the system does not give: what is said names the reason, and what helps. */
import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findJobFile } from '../../src/experiment/job-file.ts'
import { loadConfig } from '../../src/experiment/load-config.ts'
import { checkSignature } from '../../src/hdf5/signature.ts'
import { fileTree } from './file-tree.ts'

const folder = fileTree({ 'job.mjs': '', 'cfg.json': '{}', 'file.h5': 'x' })
symlinkSync('loop', join(folder, 'loop'))
symlinkSync('loop.mjs', join(folder, 'loop.mjs'))
for (const name of ['job.mjs', 'cfg.json', 'file.h5']) chmodSync(join(folder, name), 0)

const CIRCLE = { found: /: too many symbolic links encountered \(ELOOP\)$/, hint: /form a loop/ }
const DENIED = { found: /: permission denied \(EACCES\)$/, hint: /Check the permissions/ }
const load = (name: string) =>
  loadConfig({ jobFile: join(folder, 'job.mjs'), configFile: join(folder, name) })
/** root may read everything. */
const isRoot = process.getuid?.() === 0

describe.skipIf(process.platform === 'win32')('a file that the system does not give', () => {
  test.each([
    ['an HDF5 file, a link to itself', CIRCLE, () => checkSignature(join(folder, 'loop'))],
    ['a job, a link to itself', CIRCLE, async () => findJobFile(join(folder, 'loop.mjs'))],
    ['a config file, a link to itself', CIRCLE, () => load('loop')],
    ['an HDF5 file', DENIED, () => checkSignature(join(folder, 'file.h5'))],
    ['a job', DENIED, async () => findJobFile(join(folder, 'job.mjs'))],
    ['a config file', DENIED, () => load('cfg.json')],
  ])('%s', async (_, { found, hint }, look) => {
    if (found === DENIED.found && isRoot) return
    await expect(look()).rejects.toMatchObject({
      message: expect.stringMatching(found),
      hint: expect.stringMatching(hint),
    })
  })
})
