/** Opens a file for reading. */
import { realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isPypetError, type PypetError } from '../errors.ts'
import { type H5Module, hdf5Cause, loadedH5wasm, loadH5wasm } from '../hdf5/h5wasm.ts'
import { ownIdentity } from '../hdf5/identity.ts'
import { CONTINUE_HINT, cannotOpen, fileChanging } from '../hdf5/read-errors.ts'
import { checkSignature, notHdf5 } from '../hdf5/signature.ts'
import { readCnt } from '../journal/cnt-state.ts'
import { findCntFiles } from '../journal/find-cnt.ts'
import { CommittedFile, isUnfinished } from './committed-file.ts'
import { isChanged, type SettledFile, settledFile } from './handle.ts'
import { LayoutReader } from './layout-reader.ts'
import { RawReader } from './raw-reader.ts'

export type { LayoutReader as Hdf5Reader } from './layout-reader.ts'
export type { RowRange } from './raw-reader.ts'

/** A file is rarely replaced while it is being opened, and not several times in a row. */
const OPEN_ATTEMPTS_MAX = 3

/**
 * Opens a file for reading, at its last commit if it is unfinished. If it may change meanwhile, use `readHdf5`. The
 * library is loaded at the first call (about 80 ms).
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`; `PYPET_FILE_NOT_HDF5`, also for a truncated file; `PYPET_FILE_CHANGING` if
 *   it changed while being opened
 */
export async function openHdf5Reader(file: string): Promise<LayoutReader> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openOnce(file)
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS_MAX || !isPypetError(error, 'PYPET_FILE_CHANGING')) throw error
    }
  }
}

async function openOnce(file: string): Promise<LayoutReader> {
  await checkFile(file)
  await loadH5wasm()
  const settled = settledFile(file)
  return openReader(file, await CommittedFile.open(file), settled)
}

/**
 * As `openHdf5Reader`, for synchronous callers. The library must be loaded. Nothing holds other writers back, so check
 * `isOverwritten` after each read.
 */
export function openHdf5ReaderNow(file: string): LayoutReader {
  const settled = settledFile(file)
  return openReader(file, CommittedFile.openNow(file), settled)
}

function openReader(file: string, committed: CommittedFile | undefined, settled: SettledFile): LayoutReader {
  const module = loadedH5wasm()
  try {
    if (committed?.fileBytes === 0) throw notHdf5(file, 'nothing is stored in it yet', CONTINUE_HINT)
    const id = openForReading(module, file, committed)
    if (id < 0n) throw new Error('the HDF5 library refuses it')
    return new LayoutReader(new RawReader(module, id, file, committed ?? settled))
  } catch (cause) {
    const isChanging = committed === undefined ? isChanged(file, settled) : committed.isLost
    committed?.close()
    if (isChanging) throw fileChanging(file, cause)
    throw isPypetError(cause) ? cause : cannotOpen(file, hdf5Cause(cause), cause)
  }
}

/** Opens the file under a separate identity: the cache of another open file may be older. */
function openForReading(module: H5Module, file: string, committed: CommittedFile | undefined): bigint {
  if (committed !== undefined) return module.open(committed.path, module.H5F_ACC_RDONLY, false, -1, -1)
  // Resolve links first: the library would ask for the identity under that path.
  const real = realpathSync(file)
  const own = ownIdentity({ folder: dirname(real), name: basename(real) })
  try {
    return module.open(own.path, module.H5F_ACC_RDONLY, false, -1, -1)
  } finally {
    // The library asks once.
    own.end()
  }
}

async function checkFile(file: string): Promise<void> {
  try {
    await checkSignature(file)
  } catch (error) {
    // A new file becomes an HDF5 file with the writer's first commit.
    if (!isPypetError(error, 'PYPET_FILE_NOT_HDF5') || !isUnfinished(file)) throw error
    throw lostContent(file) ?? notHdf5(file, 'nothing is stored in it yet', CONTINUE_HINT)
  }
}

/** Detects a file that has lost its content: its `.cnt` file names runs, but has none of their pages left. */
function lostContent(file: string): PypetError | undefined {
  for (const cntFile of findCntFiles(file)) {
    const { stored, isApplied } = readCnt(cntFile)
    if (!isApplied || stored.count === 0) continue
    const found = `it has lost its content: according to ${basename(cntFile)}, it held ${stored.count} stored runs`
    return notHdf5(
      file,
      found,
      'Another program has written to it. Restore both files from the same backup, then use `pypet-ts continue`.',
    )
  }
  return undefined
}
