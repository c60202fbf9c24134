import { closeSync, openSync } from 'node:fs'
import { PypetError } from '../errors.ts'
import type { LogLevel } from '../run/log-level.ts'
import { type CntState, readCnt } from './cnt-state.ts'
import { type DiskSystem, FILES } from './disk.ts'
import { ReaderGate, shellReplaced } from './reader-gate.ts'
import { recoverFile } from './recover.ts'

export interface RecoverOptions {
  readonly system?: DiskSystem | undefined
  /** The wait for readers starts or ends. Readers that use pypet-ts then let the writer go first. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  readonly onNotice?: ((level: LogLevel, message: string) => void) | undefined
}

/**
 * Recovers an HDF5 file while no other program has it open: it would see a mixture of two states.
 *
 * @param waitMs how long to wait for such programs
 * @returns the new state of the `.cnt` file
 * @throws PypetError `PYPET_FILE_LOCKED` if they do not close it, and as `recoverFile`
 */
export async function recoverBehindGate(
  state: CntState,
  waitMs: number,
  { system = FILES, onWaiting = () => undefined, onNotice }: RecoverOptions = {},
): Promise<CntState> {
  const { file } = state.experiment.request
  if (state.isApplied) return state
  if (!system.exists(file)) {
    recoverFile(state, system)
    return state
  }
  const descriptor = openSync(file, 'r+')
  try {
    await using gate = await ReaderGate.open(descriptor, {
      onReplaced: () => onNotice?.('warn', shellReplaced(file)),
    })
    if (!(await gate.tryClose())) {
      onWaiting(true)
      const isClosed = await gate.waitToClose(waitMs).finally(() => onWaiting(false))
      if (!isClosed) throw openElsewhere(file)
    }
    recoverFile(state, system)
    await gate.reopen()
    return readCnt(state.path, system)
  } finally {
    closeSync(descriptor)
  }
}

function openElsewhere(file: string): PypetError {
  return new PypetError('PYPET_FILE_LOCKED', `cannot recover ${file}: it is open in another program`, {
    where: file,
    hint: 'Close it there first: its data would change while that program reads it.',
    details: { file },
  })
}
