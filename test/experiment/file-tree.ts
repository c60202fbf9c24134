import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { whenOver } from '../when-over.ts'

/**
 * Writes files, by relative path, into a fresh folder outside of the project and returns its path.
 * The folder is removed when the test is finished; one that `beforeAll` makes, when all tests of the file are.
 */
export function fileTree(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pypet-ts-test-')))
  whenOver(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
