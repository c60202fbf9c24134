/** Post-processing: what is called when runs have ended, and may add others. */
import { deserialize } from 'node:v8'
import { PypetError, toErrorRecord } from '../errors.ts'
import type { JobResults } from '../experiment/define.ts'
import { RunSet } from '../journal/run-set.ts'
import type { Extension } from '../protocol.ts'
import type { RunIndex } from '../values/path.ts'

export interface Postprocessing {
  /**
   * Calls the user's function.
   *
   * @param extend writes what it adds, durably when it resolves; with the last one, the results count as seen
   * @param isQuiet nothing else is written meanwhile, so the file needs no lock to be read
   * @throws whatever the user's function throws, and what `extend` throws
   */
  call(
    results: JobResults,
    extend: (extension: Extension, round: { readonly isLast: boolean }) => Promise<void>,
    isQuiet: boolean,
  ): Promise<void>
}

export function addsNothing({ added, groups, leaves, links }: Extension): boolean {
  return added === undefined && groups.length + leaves.length + links.length === 0
}

/** What jobs returned, as structured-clone bytes, until somebody wants the values. */
export class ReturnedBytes {
  readonly #bytes = new Map<RunIndex, Uint8Array>()
  /** Runs of which it is known what they returned, be it nothing. */
  readonly #known = new RunSet()
  #stored = new RunSet()

  /** What earlier executions returned. */
  add(runs: RunSet, bytes: ReadonlyMap<RunIndex, Uint8Array>): void {
    this.#known.addRanges(runs.toRanges())
    for (const [run, value] of bytes) {
      this.#known.add(run)
      this.#bytes.set(run, value)
    }
  }

  /** Of a run that is performed twice, the last counts. */
  set(run: RunIndex, bytes: Uint8Array | undefined): void {
    this.#known.add(run)
    if (bytes === undefined) this.#bytes.delete(run)
    else this.#bytes.set(run, bytes)
  }

  /** These runs are stored: what others have returned does not count. */
  settle(stored: RunSet): void {
    this.#stored = stored
  }

  /** Values of the runs that are stored. Each call makes its own: a function may change what it is given. */
  values(): JobResults {
    return [...this.#stored]
      .filter((run) => this.#known.has(run))
      .map((run) => {
        const bytes = this.#bytes.get(run)
        return [run, bytes === undefined ? undefined : returnedBy(run, bytes)] as const
      })
  }
}

function returnedBy(run: RunIndex, bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes)
  } catch (cause) {
    throw new PypetError(
      'PYPET_CNT_DAMAGED',
      `what run ${run} returned cannot be read: ${(cause as Error).message}`,
      {
        hint: 'Put back a copy of the .cnt file, and one of its HDF5 file that was made together with it.',
        cause,
      },
    )
  }
}

/** The user's post-processing has failed: all runs that were performed are stored, and it can be tried again. */
export function postprocessingFailed(thrown: unknown): PypetError {
  const { name, message, stack, code, hint } = toErrorRecord(thrown)
  const isOurs = code?.startsWith('PYPET_') === true
  const error = new PypetError(
    'PYPET_POSTPROCESSING_FAILED',
    `post-processing failed: ${isOurs ? message : `${name}: ${message}`}`,
    { hint: `${hint ?? 'Fix it.'} All runs that were performed are stored.`, cause: thrown },
  )
  if (stack !== '') error.stack = stack
  return error
}
