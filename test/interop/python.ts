/** The other side of the interop tests: Debian's Python with h5py and PyTables. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'

export const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('read_file.py', import.meta.url))
const OUTPUT_BYTES_MAX = 268_435_456

export const READERS = ['h5py', 'tables'] as const
export type Reader = (typeof READERS)[number]

/** A float, or text for integers, for strings and for the floats that JSON cannot write. */
export type ReadValue = number | string | boolean

export interface ReadArray {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: readonly ReadValue[]
}

/** A node as a reader sees it: a group, an array, or a table with its columns. */
export interface ReadNode extends Partial<ReadArray> {
  readonly class: string
  readonly attributes: Readonly<Record<string, ReadValue>>
  readonly columns?: Readonly<Record<string, ReadArray>>
  readonly compression?: string | null
}

/** Everything in a file by path, like `/multiply/parameters/x/data`. */
export type ReadFile = Readonly<Record<string, ReadNode>>

/** Why the tests cannot run here, or undefined where they can. */
const missing = whatIsMissing()
const isRequired = process.env.PYPET_TEST_REQUIRE_INTEROP === '1'

/** True where the tests cannot run and may be skipped. */
export const isSkipped: boolean = missing !== undefined && !isRequired

/** Called once in each test file, so that the skipping, or its being forbidden, is seen there. */
export function tellWhatIsMissing(): void {
  if (missing === undefined) return
  test.skipIf(!isRequired)(`${PYTHON} has h5py and PyTables (${missing})`, () => {
    throw new Error(
      `${missing}; install python3-h5py and python3-tables, PYPET_TEST_REQUIRE_INTEROP=1 demands them`,
    )
  })
}

export function readFile(reader: Reader, file: string): ReadFile {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-W', 'ignore', SCRIPT, reader, file], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  if (status !== 0) throw new Error(`${reader} could not read ${file}:\n${stderr}`)
  return JSON.parse(stdout) as ReadFile
}

function whatIsMissing(): string | undefined {
  const { error, status, stderr } = spawnSync(PYTHON, ['-c', 'import h5py, tables'], { encoding: 'utf8' })
  if (error !== undefined) return `there is no ${PYTHON}`
  return status === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? 'it fails')
}
