/** How `pypet-ts plan` is called. */
import type { Command, Option } from 'commander'
import type { OptionName } from '../../experiment/options.ts'
import { collect } from '../exploration-flags.ts'
import type { PlanFlags } from '../plan.ts'

/** Options of the experiment that change the plan, or what is said of it. */
export const PLANNED_OPTIONS = [
  'repeat',
  'ncores',
  'executor',
  'filename',
  'name',
] as const satisfies OptionName[]

/** @param options those that say what is explored, and `PLANNED_OPTIONS` */
export function describePlan(program: Command, options: readonly Option[]): void {
  const command = program
    .command('plan')
    .description('Show the points that would run. Runs nothing.')
    .argument('<job>', 'Job module: .ts .mts .cts .js .mjs .cjs')
    .option('--csv', 'Print all points as CSV: a column run, and a column per explored parameter.')
    .option('--json', 'Print all points as JSON, one per line, after a line about the plan.')
    .option('--limit <n>', 'Number of points to show. Default: 20 in the table, all as CSV and JSON.')
    .option('--config <file>', "Config file. Default: searched from the job's folder upwards.")
    .option('--set <name=value>', 'Set a parameter, such as neuron.tau=10 (repeatable).', collect)
  for (const option of options) command.addOption(option)
  command
    .option('--verbose', 'Print where each option comes from, and error stacks.')
    .addHelpText('after', PLAN_EXAMPLES)
    .action(async (job: string, flags: PlanFlags) => {
      const { planCommand } = await import('../plan.ts')
      process.exitCode = await planCommand(job, flags, process.stdout)
    })
}

const PLAN_EXAMPLES = `
Examples:
  $ pypet-ts plan job.ts                    the first points, and what they take
  $ pypet-ts plan job.ts --csv > points.csv
  $ pypet-ts plan job.ts --json | jq 'select(.point).point.x'
  $ pypet-ts plan job.ts --sample sobol:64 --explore x=0:1 --explore n=1:10
  $ pypet-ts plan job.ts --where 'x < y' --repeat 3 --limit 100

Unlike run --dry-run it does not check whether the file can be written, so it
also shows the plan of an experiment that has been run.`
