import { missingRuns } from '../journal/run-set.ts'
import type { RunIndex } from '../values/path.ts'
import type { GrowingPlan } from './growing-plan.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import type { RunLedger } from './run-ledger.ts'

/** The runs that are neither stored nor failed, in their order, as far as they are wanted; made one by one. */
export function* runsToPerform(
  { opening }: PreparedExperiment,
  plan: GrowingPlan,
  ledger: RunLedger,
): Generator<RunIndex> {
  const only = opening.kind === 'continue' ? opening.only : undefined
  for (const run of missingRuns(plan.runCount, ledger.stored.toRanges(), ledger.failed.toRanges())) {
    if (only === undefined || only.has(run)) yield run
  }
}
