/**
 * The options in the trajectory's branch `config`, under pypet's names. This table decides both what is on disk and
 * what a script reads and sets at `env.trajectory.conf`.
 */
import { basename } from 'node:path'
import { isOptionValue, type OptionValue } from '../experiment/option.ts'
import { OPTIONS, type OptionName, type Settings } from '../experiment/options.ts'
import type { Parameter } from '../run/parameter.ts'
import { type ParameterValue, toStoredValue } from '../values/value.ts'
import { integer } from '../values/value-forms.ts'

export interface ConfigLeaf {
  readonly option: OptionName
  readonly group: 'environment' | 'hdf5'
  /** Below the group, as on disk. */
  readonly name: string
  readonly comment: string
}

const ENVIRONMENT: readonly (readonly [OptionName, string, string])[] = [
  ['multiproc', 'multiproc', 'Whether or not to use several workers.'],
  ['ncores', 'ncores', 'Number of workers that perform runs.'],
  ['executor', 'executor', 'How runs are performed: inline, on a pool of threads, or each in a process.'],
  ['wrapMode', 'wrap_mode', 'Who stores the runs, QUEUE for a writer process'],
  ['queueMaxsize', 'queue_maxsize', 'How many finished runs may wait to be stored, 0 for any number'],
  ['memoryLimit', 'memory_limit', 'MB that the process of a run may take, 0 for any number'],
  ['cpuCap', 'cpu_cap', 'Per cent of the processors in use above which no run begins'],
  ['memoryCap', 'memory_cap', 'Per cent of the memory in use above which no run begins'],
  ['swapCap', 'swap_cap', 'Per cent of the swap space in use above which no run begins'],
  ['niceness', 'niceness', 'Niceness of the workers'],
  ['continuable', 'continuable', 'Whether a .cnt file is kept while the experiment is unfinished.'],
  ['seed', 'seed', "What the runs' random numbers depend on, beside their parameters."],
  [
    'immediatePostprocessing',
    'immediate_postproc',
    'Whether post-processing is called as soon as no runs are waiting.',
  ],
]

const WRITTEN = 'Whether this table is written'

const HDF5: readonly (readonly [OptionName, string, string])[] = [
  ['filename', 'filename', 'Name of the HDF5 file'],
  ['fileTitle', 'file_title', 'Title of the HDF5 file'],
  ['complevel', 'complevel', 'Deflate level of arrays, 0 for none'],
  ['purgeDuplicateComments', 'purge_duplicate_comments', 'Whether equal comments are stored once'],
  ['commitIntervalMs', 'commit_interval_ms', 'Longest wait of a finished run for its commit'],
  [
    'exploredParameterOverviewInRuns',
    'explored_parameter_overview_in_runs',
    'Whether each run has a table of its explored parameters',
  ],
  ['resultsPerRun', 'results_per_run', 'Expected results a run, 0 if not known'],
  [
    'derivedParametersPerRun',
    'derived_parameters_per_run',
    'Expected derived parameters a run, 0 if not known',
  ],
  ['layout', 'layout', 'Where results are: below their runs (tree), or in columns'],
  ['overviews.columns', 'overview.columns', WRITTEN],
  ['overviews.config', 'overview.config_overview', WRITTEN],
  ['overviews.parameters', 'overview.parameters_overview', WRITTEN],
  ['overviews.derivedParameters', 'overview.derived_parameters_overview', WRITTEN],
  ['overviews.results', 'overview.results_overview', WRITTEN],
  ['overviews.exploredParameters', 'overview.explored_parameters_overview', WRITTEN],
  ['overviews.derivedParametersSummary', 'overview.derived_parameters_summary', WRITTEN],
  ['overviews.resultsSummary', 'overview.results_summary', WRITTEN],
]

export const CONFIG_LEAVES: readonly ConfigLeaf[] = [
  ...ENVIRONMENT.map(([option, name, comment]) => ({ option, group: 'environment', name, comment }) as const),
  ...HDF5.map(([option, name, comment]) => ({ option, group: 'hdf5', name, comment }) as const),
]

/** The value of an option as stored in `config`; undefined if the option has none. */
export function configValue({ option }: ConfigLeaf, settings: Settings): ParameterValue | undefined {
  const value = option
    .split('.')
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], settings) as
    | OptionValue
    | undefined
  if (value === undefined) return undefined
  // The folder may move with the file, so only the name is stored.
  if (option === 'filename') return basename(String(value))
  if (UPPER_CASE.has(option)) return String(value).toUpperCase()
  return OPTIONS[option].kind === 'whole' ? integer(Number(value)) : value
}

/** pypet writes these values in upper case: `QUEUE`. */
const UPPER_CASE: ReadonlySet<string> = new Set(['wrapMode'])

/** The option's value for what a script has set there; undefined if it is not a valid value. */
export function optionFromConfig({ option }: ConfigLeaf, value: unknown): OptionValue | undefined {
  // pypet also writes switches as 0 and 1.
  const isBit = OPTIONS[option].kind === 'switch' && (value === 0 || value === 1)
  const given = isBit ? value === 1 : UPPER_CASE.has(option) ? String(value).toLowerCase() : value
  return isOptionValue(OPTIONS[option], given) ? given : undefined
}

/** All options that have a value, as they are written. Names are relative to `config`. */
export function configParameters(environment: string, settings: Settings): Parameter[] {
  return CONFIG_LEAVES.flatMap((leaf) => {
    const value = configValue(leaf, settings)
    if (value === undefined) return []
    const name = configName(leaf, environment)
    const stored = toStoredValue(value, `config.${name}`)
    return [{ name, comment: leaf.comment, value: typeof value === 'object' ? stored : value, stored }]
  })
}

/** `environment.environment_83c1a34_2026_11_22_17h32m44s.ncores`, `hdf5.complevel`. */
export function configName({ group, name }: ConfigLeaf, environment: string): string {
  return group === 'environment' ? `environment.${environment}.${name}` : `hdf5.${name}`
}
