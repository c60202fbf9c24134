/** When failed runs stop an experiment. Decides, and does nothing. */

export interface FailurePolicy {
  /** `stop` at the first failed run. */
  readonly onError: 'continue' | 'stop'
  /** Stop when more runs than this have failed: a number, or a part of all runs such as `10%`. */
  readonly maxFailures: string | undefined
}

/** How many failed runs are one too many; infinite when none is. */
export function failuresThatStop({ onError, maxFailures }: FailurePolicy, runCount: number): number {
  if (onError === 'stop') return 1
  if (maxFailures === undefined || maxFailures === '') return Number.POSITIVE_INFINITY
  const amount = Number(maxFailures.replace('%', ''))
  const allowed = maxFailures.endsWith('%') ? Math.floor((runCount * amount) / 100) : amount
  return allowed + 1
}
