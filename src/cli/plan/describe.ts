/** How `pypet-ts plan` is called. */
import type { Command } from 'commander'
import type { OptionName } from '../../experiment/options.ts'
import {
  addOptions,
  configOption,
  exploreOption,
  setOption,
  shapingOptions,
  tableOptions,
} from '../options.ts'
import type { PlanFlags } from './perform.ts'

/** Options of the experiment that change the plan or its output. */
const PLANNED_OPTIONS = [
  'repeat',
  'ncores',
  'executor',
  'filename',
  'name',
  'layout',
] as const satisfies OptionName[]

export function describePlan(program: Command): void {
  const command = program
    .command('plan')
    .description('Show the points that would run. Runs nothing.')
    .argument('<job>', 'Job module: .ts .mts .cts .js .mjs .cjs')
    .option('--csv', 'Print all points as CSV: a column run, and a column per explored parameter.')
    .option('--json', 'Print all points as JSON, one per line, after a line about the plan.')
    .option('--limit <n>', 'Number of points to show. Default: 20 in the table, all as CSV and JSON.')
  addOptions(command, [
    configOption(command),
    setOption(command),
    exploreOption(command),
    ...shapingOptions(command),
    ...PLANNED_OPTIONS.flatMap((name) => tableOptions(command, name)),
  ])
    .option('--verbose', 'Print where each option comes from, and error stacks.')
    .addHelpText('after', PLAN_EXAMPLES)
    .action(async (job: string, flags: PlanFlags) => {
      const { planCommand } = await import('./perform.ts')
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
