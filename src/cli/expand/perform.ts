/** The action of `pypet-ts expand <file>`. */
import { RunStores } from '../../environment/run-stores.ts'
import type { ExploreTexts } from '../../exploration/explore-flags.ts'
import { prepareExpansion } from '../../library/expand.ts'
import { formatRuns, plural } from '../../reporting/quantity.ts'
import { ExitCode } from '../exit-code.ts'
import { type CommandFlags, exploreTexts, optionFlags } from '../options.ts'
import { performCommand, sayWhenSlow } from '../perform-command.ts'
import { stopOnSignals } from '../stop-on-signals.ts'

export interface ExpandFlags extends CommandFlags, ExploreTexts {
  readonly job?: string
  readonly trajectory?: string
  readonly allowChangedJob?: boolean
}

/**
 * Adds points to the trajectory, computes the runs that are not completed, and resolves to the exit code.
 *
 * @throws PypetError as `prepareExpansion`
 */
export async function expandCommand(file: string, flags: ExpandFlags): Promise<number> {
  using stop = stopOnSignals()
  // It touches nothing before it is told to. Its later owner handles signals.
  await using stores = RunStores.start(flags.wrapMode ?? process.env.PYPET_WRAP_MODE)
  using slow = sayWhenSlow(flags)
  const {
    experiment: prepared,
    addedCount,
    knownCount,
    missingCount,
  } = await prepareExpansion({
    file,
    trajectory: flags.trajectory,
    job: flags.job,
    allowChangedJob: flags.allowChangedJob === true,
    ...exploreTexts(flags),
    flags: optionFlags(flags),
    env: process.env,
    isProcessOurs: true,
    breakLock: flags.breakLock === true,
    whole: (work) => stop.whole(work),
    onNotice(level, message) {
      if (level === 'warn' && flags.quiet !== true) process.stderr.write(`warning: ${message}\n`)
    },
  })
  slow.clear()
  await using experiment = prepared
  if (flags.quiet !== true && flags.json !== true) {
    const known = knownCount === 0 ? '' : `, ${knownCount} existed already`
    const added = plural(addedCount, 'point')
    process.stdout.write(`${added} added${known}; ${formatRuns(missingCount)} to compute\n`)
  }
  if (missingCount === 0) return ExitCode.OK
  return await performCommand(experiment, { stores, stop, flags })
}
