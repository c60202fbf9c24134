/** The layer below HDF5 proves its place without a trace, so that a kill in that moment leaves nothing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { proveHook } from '../../src/hdf5/hook.ts'

test('what the HDF5 library writes is proven to come by without a file on disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-test-'))
  // A folder that is not there: whoever needs a temporary file fails.
  vi.stubEnv('TMPDIR', join(folder, 'missing'))
  try {
    await proveHook()
    await proveHook()
    expect(readdirSync(folder)).toEqual([])
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})
