/** The real command, built, as a user runs it. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** A temporary folder for the tests of one file; removed when they are over. */
export function useFolder(): () => string {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pypet-ts-interop-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return () => folder
}

/** Runs `pypet-ts` in a folder and checks how it ends. */
export function pypetTs(
  folder: string,
  args: readonly string[],
  {
    exitCode = 0,
    env = {},
  }: { readonly exitCode?: number; readonly env?: Readonly<Record<string, string>> } = {},
): void {
  const { status, stderr } = spawnSync(process.execPath, [join(PROJECT, 'bin/pypet-ts.js'), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  if (status !== exitCode) throw new Error(`pypet-ts ${args.join(' ')} ended with ${status}:\n${stderr}`)
}

/** The absolute path of a file of the project. */
export function projectFile(path: string): string {
  return join(PROJECT, path)
}
