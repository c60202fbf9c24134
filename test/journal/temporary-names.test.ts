/** What killed processes have left in folders for temporary files. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { sweepTemporaryFolders, temporaryPrefix } from '../../src/temporary-names.ts'
import { fileTree } from '../experiment/file-tree.ts'

test.skipIf(process.platform === 'win32')('/tmp is swept, too, where temporary files go elsewhere', () => {
  const before = process.env.TMPDIR
  const elsewhere = fileTree({})
  onTestFinished(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  process.env.TMPDIR = elsewhere
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  const name = `${temporaryPrefix('writer-').replace(String(process.pid), String(pid))}abcdef`
  for (const folder of ['/tmp', elsewhere]) {
    const left = `${folder}/${name}`
    mkdirSync(left)
    onTestFinished(() => rmSync(left, { recursive: true, force: true }))
  }
  sweepTemporaryFolders()
  expect(['/tmp', elsewhere].filter((folder) => existsSync(`${folder}/${name}`))).toEqual([])
})
