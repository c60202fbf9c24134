/** The overview tables of config and parameters, which are known before the first run (docs/format.md, section 3). */
import { type ExplorationPlan, type ExploredParameter, exploredTableText } from '../exploration/plan.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { createFilledTable, type Row, writeRows } from '../hdf5/table.ts'
import type { OpenRequest } from '../protocol.ts'
import type { Parameter } from '../run/parameter.ts'
import { parameterBranch, parameterLocation, type RunIndex } from '../values/path.ts'
import { pythonRepr } from '../values/python-repr.ts'
import {
  BRANCH_OVERVIEW,
  EXPLORED_IN_RUN_TABLE,
  EXPLORED_PARAMETERS_OVERVIEW,
  OVERVIEW_ROWS_MAX,
  overviewRow,
  RANGE_BYTES_MAX,
  VALUE_BYTES_MAX,
} from './overview-tables.ts'

/** Creates and fills those that are switched on, below the root of the trajectory. */
export function branchOverviews(
  root: string,
  { config, parameters, storage: { overviews } }: OpenRequest,
  plan: ExplorationPlan,
): Hdf5Operation[] {
  const operations: Hdf5Operation[] = []
  if (overviews.config)
    operations.push(...branchOverview(root, 'config', config, ({ name }) => `config.${name}`))
  if (overviews.parameters) {
    // Derived ones have a table of their own.
    const declared = parameters.filter(({ name }) => parameterBranch(name) === 'parameters')
    operations.push(...branchOverview(root, 'parameters', declared, ({ name }) => parameterLocation(name)))
  }
  if (overviews.exploredParameters && plan.explored.length > 0)
    operations.push(...exploredOverview(root, plan))
  return operations
}

function branchOverview(
  root: string,
  branch: string,
  leaves: readonly Parameter[],
  locationOf: (leaf: Parameter) => string,
): Hdf5Operation[] {
  const name = `${branch}_overview`
  const rows = leaves
    .slice(0, OVERVIEW_ROWS_MAX)
    .map((parameter) => parameterRow(locationOf(parameter), parameter))
  return createFilledTable(`${root}/overview/${name}`, BRANCH_OVERVIEW, name, rows)
}

const EXPLORED_OVERVIEW = 'explored_parameters_overview'

export function exploredOverview(root: string, plan: ExplorationPlan): Hdf5Operation[] {
  const path = `${root}/overview/${EXPLORED_OVERVIEW}`
  return createFilledTable(path, EXPLORED_PARAMETERS_OVERVIEW, EXPLORED_OVERVIEW, overviewRows(plan))
}

/** Its rows anew, where the trajectory has grown. */
export function exploredOverviewRows(root: string, plan: ExplorationPlan): Hdf5Operation[] {
  const path = `${root}/overview/${EXPLORED_OVERVIEW}`
  return writeRows(path, EXPLORED_PARAMETERS_OVERVIEW, 0, overviewRows(plan))
}

/** The table in the group of a run: the names and values of what is explored. Absent where nothing is. */
export function exploredInRun(group: string, plan: ExplorationPlan, run: RunIndex): Hdf5Operation[] {
  if (plan.explored.length === 0) return []
  const rows = plan.explored.map((explored): Row => {
    const shown = exploredTableText(plan, explored, run, VALUE_BYTES_MAX)
    return [parameterLocation(explored.name), shown]
  })
  return createFilledTable(`${group}/${EXPLORED_IN_RUN}`, EXPLORED_IN_RUN_TABLE, EXPLORED_IN_RUN, rows)
}

const EXPLORED_IN_RUN = 'explored_parameters'

function overviewRows(plan: ExplorationPlan): Row[] {
  return plan.explored
    .slice(0, OVERVIEW_ROWS_MAX)
    .map(
      (explored): Row => [
        ...parameterRow(parameterLocation(explored.name), explored.parameter),
        plan.runCount,
        rangeText(plan, explored),
      ],
    )
}

function parameterRow(location: string, { stored, comment }: Parameter): Row {
  return overviewRow(location, pythonRepr(stored, VALUE_BYTES_MAX), comment)
}

/** The beginning of the range, as much as the column holds. */
function rangeText(plan: ExplorationPlan, explored: ExploredParameter): string {
  let text = ''
  for (let run = 0; run < plan.runCount && text.length <= RANGE_BYTES_MAX; run += 1) {
    const shown = exploredTableText(plan, explored, run, RANGE_BYTES_MAX)
    text += run === 0 ? shown : `, ${shown}`
  }
  return text
}
