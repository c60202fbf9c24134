/** Post-processing: called when runs have ended. It can add runs. */
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
   * @param extend writes what it adds, durably when it resolves; with the last call, the results count as seen
   * @param isQuiet nothing else writes meanwhile, so the file can be read without a lock
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

/** What jobs returned, as structured-clone bytes, until the values are requested. */
export class ReturnedBytes {
  readonly #bytes = new Map<RunIndex, Uint8Array>()
  /** Runs whose return value is known, even if it is undefined. */
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

  /** If a run is repeated, the last value counts. */
  set(run: RunIndex, bytes: Uint8Array | undefined): void {
    this.#known.add(run)
    if (bytes === undefined) this.#bytes.delete(run)
    else this.#bytes.set(run, bytes)
  }

  /** Only these runs are stored; the return values of others do not count. */
  settle(stored: RunSet): void {
    this.#stored = stored
  }

  /** Values of the stored runs. Each call creates new ones, because a function may change them. */
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
      `cannot read what run ${run} returned: ${(cause as Error).message}`,
      {
        hint: 'Restore the .cnt file and its HDF5 file from copies made at the same time.',
        cause,
      },
    )
  }
}

/** The user's post-processing failed. All finished runs are stored, and it can be retried. */
export function postprocessingFailed(thrown: unknown): PypetError {
  const { name, message, stack, code, hint } = toErrorRecord(thrown)
  const isOurs = code?.startsWith('PYPET_') === true
  const error = new PypetError(
    'PYPET_POSTPROCESSING_FAILED',
    `post-processing failed: ${isOurs ? message : `${name}: ${message}`}`,
    { hint: `${hint ?? 'Fix it.'} All finished runs are stored.`, cause: thrown },
  )
  if (stack !== '') error.stack = stack
  return error
}
