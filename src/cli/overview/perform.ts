import { statSync } from 'node:fs'
import { knowsQuickening, quickenH5wasm, TIERING } from '../../hdf5/h5wasm.ts'
import { coloursOf } from '../../reporting/text-output.ts'
import { summariseFile } from '../../results/summarise.ts'
import { overviewJson } from './overview-json.ts'
import { overviewText } from './overview-text.ts'

export interface OverviewFlags {
  readonly trajectory?: string | undefined
  readonly json?: boolean | undefined
  readonly runs?: boolean | undefined
}

/** The output of the overview: `process.stdout`, or anything that is not a terminal. */
export interface OverviewStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string, done: (error?: Error | null) => void): unknown
}

/**
 * The action of `pypet-ts overview <file>`: prints the content of the file, as text or, with `--json`, as one document.
 * Resolves when everything is written.
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`, `PYPET_FILE_NOT_HDF5`, `PYPET_FILE_NO_TRAJECTORY`,
 *   `PYPET_TRAJECTORY_NOT_FOUND`, `PYPET_STORAGE_FAILED`; then nothing is printed
 */
export async function overview(file: string, flags: OverviewFlags, stream: OverviewStream): Promise<void> {
  quickenIfSmall(file)
  const isTerminal = stream.isTTY === true
  // What a program reads leaves nothing out.
  const runs = flags.runs === true ? (isTerminal && flags.json !== true ? 'ends' : 'all') : undefined
  const facts = await summariseFile(file, { trajectory: flags.trajectory, runs })
  const text = flags.json
    ? overviewJson(facts)
    : overviewText(facts, {
        width: isTerminal ? stream.columns : undefined,
        isColoured: coloursOf(stream).isColorSupported,
      })
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => (error && !isClosedPipe(error) ? reject(error) : resolve()))
  })
}

/** Reading millions of rows is worth an optimised library. */
const SMALL_BYTES_MAX = 64 * 2 ** 20

function quickenIfSmall(file: string): void {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (bytes <= SMALL_BYTES_MAX && knowsQuickening()) quickenH5wasm(TIERING.glance)
}

/**
 * `pypet-ts overview file.h5
 * head` has read enough.
 */
function isClosedPipe(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE'
}
