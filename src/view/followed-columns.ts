/**
 * Columns that pages ask for after each commit. Their new rows are read in the look that finds the commit, so that the
 * file is opened once for both.
 */
import type { RunData } from '../results/run-data.ts'
import { type EncodedParts, encodeColumns } from './column-message.ts'

/** Rows of columns, as of a version of the state. */
export interface ColumnAnswer extends EncodedParts {
  readonly version: number
  readonly runCount: number
}

/** Some columns of one page. */
interface Followed {
  readonly names: readonly string[]
  /** Of the state, when they were asked for last. */
  readonly version: number
}

/** A page asks for some columns at a time, and there may be several pages. */
const FOLLOWED_MAX = 16
/** A page that has not asked for so many versions is gone, or does not keep up. */
const PATIENCE = 2

export class FollowedColumns {
  /** By their names. */
  readonly #followed = new Map<string, Followed>()
  readonly #answers = new Map<string, ColumnAnswer>()

  /**
   * What the last look has read for a page.
   *
   * @param names columns that the page wants now, and after the next commit, too
   * @param from version that the page has
   * @param version of the state
   * @returns undefined if it was not read
   */
  take(names: readonly string[], from: number, version: number): ColumnAnswer | undefined {
    const key = JSON.stringify(names)
    if (this.#followed.has(key) || this.#followed.size < FOLLOWED_MAX)
      this.#followed.set(key, { names, version })
    const answer = this.#answers.get(key)
    return answer?.version === version && from === version - 1 ? answer : undefined
  }

  /** @see ReadNews */
  readonly readNews = (version: number, runs: readonly number[] | 'all', open: () => RunData): void => {
    this.#answers.clear()
    for (const [key, { names, version: last }] of this.#followed) {
      if (version - last > PATIENCE) this.#followed.delete(key)
      // All runs may be many. The page asks for them.
      else if (runs !== 'all') {
        const data = open()
        const columns = names.flatMap((name) => data.findKnown(name) ?? [])
        // A page is told of what there is no more when it asks.
        if (columns.length < names.length) continue
        this.#answers.set(key, { version, runCount: data.runCount, ...encodeColumns(data, columns, runs) })
      }
    }
  }
}
