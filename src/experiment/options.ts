/**
 * Declares every option of an experiment once. Types, defaults, flags, environment variables, the schema of config
 * files and their documentation come from this table. It imports no schema library: a run without a config file checks
 * its options against this table.
 */
import { LOG_OPTION_NAMES, LOG_OPTIONS } from './log-option-table.ts'
import type { NumberOption, Option, OptionValue, SwitchOption, WholeOption } from './option.ts'

const MAIN_OPTIONS = {
  ncores: {
    kind: 'whole',
    minimum: 0,
    default: 1,
    flag: '--ncores',
    description: 'Number of runs at the same time; 0 uses all cores.',
  },
  executor: {
    kind: 'choice',
    choices: ['inline', 'pool', 'process'],
    flag: '--executor',
    description:
      'Where runs are computed: in the main thread (inline), in worker threads (pool), or each in its own process (process). Default: inline on one core, pool on several, unless another option requires one.',
  },

  multiproc: {
    kind: 'switch',
    flag: '--multiproc',
    description: 'Compute runs outside the main thread, even on one core. Default: on with several cores.',
    offDescription: 'Compute runs in the main thread, ignoring ncores.',
  },
  isolate: {
    kind: 'switch',
    default: false,
    flag: '--isolate',
    description:
      'Compute each run in its own process, which keeps crashes, memory and globals apart. Same as the executor process.',
  },
  memoryLimit: {
    kind: 'whole',
    minimum: 0,
    default: 0,
    flag: '--memory-limit',
    description:
      'Memory limit for the process of a run, in MB; a run that exceeds it fails. 0 means no limit. Requires the executor process.',
  },
  cpuCap: cap('--cpu-cap', 'processor use'),
  memoryCap: cap('--memory-cap', 'memory use'),
  swapCap: cap('--swap-cap', 'swap space use'),
  niceness: {
    kind: 'whole',
    minimum: -20,
    maximum: 19,
    default: 0,
    flag: '--niceness',
    description:
      'Priority of the workers, from -20 (highest) to 19 (lowest); 0 does not change it. The main process and the writer keep theirs.',
  },

  filename: {
    kind: 'path',
    flag: '--file',
    description: 'HDF5 file to write, or a folder: then <folder>/<name>.h5. Default: ./hdf5/<name>.h5.',
  },
  fileTitle: {
    kind: 'text',
    flag: '--file-title',
    description: 'Title of a new HDF5 file. Default: the name of the trajectory.',
  },
  name: {
    kind: 'text',
    flag: '--name',
    description: 'Name of the trajectory. Default: the name of the experiment, else of the job file.',
  },
  addTime: {
    kind: 'switch',
    default: false,
    flag: '--add-time',
    description: 'Append the start time to the name of the trajectory.',
  },
  comment: {
    kind: 'text',
    default: '',
    flag: '--comment',
    description: 'Comment to store with the trajectory.',
  },

  repeat: {
    kind: 'whole',
    minimum: 1,
    default: 1,
    flag: '--repeat',
    description: 'Number of repeats per point. The parameter trial counts them from 0.',
  },

  ...LOG_OPTIONS,
  retries: {
    kind: 'whole',
    minimum: 0,
    default: 0,
    flag: '--retries',
    description: 'Number of times to retry a failed run before it counts as failed.',
  },
  timeout: {
    kind: 'number',
    minimum: 0,
    default: 0,
    flag: '--timeout',
    description:
      'Time limit for a run, in seconds; a run that exceeds it fails, even in a busy loop. 0 means no limit.',
  },
  onError: {
    kind: 'choice',
    choices: ['continue', 'stop'],
    default: 'continue',
    flag: '--on-error',
    description:
      'After a failed run, continue with the others, or stop: active runs finish, and no new ones start.',
  },
  maxFailures: {
    kind: 'text',
    flag: '--max-failures',
    pattern: {
      expression: /^(\d+|(100|\d{1,2})(\.\d+)?%)$/,
      expected: 'a number of runs such as 5, or a part such as 10%',
    },
    description: 'Stop when more runs than this have failed: a number, or a share of all runs such as 10%.',
  },
  continuable: {
    kind: 'switch',
    default: true,
    flag: '--continuable',
    offDescription: 'Keep no .cnt file when the experiment is stopped: it cannot be continued.',
    description: 'Keep what is needed to continue an interrupted experiment.',
  },
  immediatePostprocessing: {
    kind: 'switch',
    default: false,
    flag: '--immediate-postprocessing',
    description: 'Call post-processing as soon as no run is waiting, while others are still active.',
  },

  seed: {
    kind: 'whole',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    flag: '--seed',
    description: "Seed of the runs' random numbers, which also depend on the parameters of each run.",
  },

  provenance: {
    kind: 'switch',
    default: true,
    flag: '--provenance',
    offDescription: 'Do not record code, machine and options in the file.',
    description: 'Record source code, git state, machine and options in the file.',
  },
  provenanceMaxBytes: {
    kind: 'whole',
    minimum: 0,
    default: 4_194_304,
    flag: '--provenance-max-bytes',
    description:
      'Size limit for the recorded diff, sources and untracked files, in bytes; what exceeds it is only listed.',
  },
  requireClean: {
    kind: 'switch',
    default: false,
    flag: '--require-clean',
    description: 'Refuse to start unless the job is in a git repository without uncommitted changes.',
  },

  overwrite: {
    kind: 'switch',
    default: false,
    flag: '--overwrite',
    description: 'Replace an existing HDF5 file. Otherwise, the trajectory is added to it.',
  },
  purgeDuplicateComments: {
    kind: 'switch',
    default: true,
    flag: '--purge-duplicate-comments',
    offDescription: 'Store a comment with each result that has it, even if every run repeats it.',
    description: 'Store a comment once, with the first result of that name that has it.',
  },
  exploredParameterOverviewInRuns: {
    kind: 'switch',
    default: false,
    description: 'Add a table of the explored parameters to the group of each run.',
  },
  resultsPerRun: {
    kind: 'whole',
    minimum: 0,
    default: 0,
    flag: '--results-per-run',
    description:
      'Number of results that a run is expected to add, to size their overview table; 0 if unknown.',
  },
  derivedParametersPerRun: {
    kind: 'whole',
    minimum: 0,
    default: 0,
    flag: '--derived-parameters-per-run',
    description:
      'Number of derived parameters that a run is expected to add, to size their overview table; 0 if unknown.',
  },
  complevel: {
    kind: 'whole',
    minimum: 0,
    maximum: 9,
    default: 0,
    flag: '--complevel',
    description: 'Compression level of result arrays, from 0 (none) to 9 (smallest and slowest).',
  },
  commitIntervalMs: {
    kind: 'whole',
    minimum: 0,
    default: 1000,
    flag: '--commit-interval-ms',
    description:
      'Longest time that a finished run may wait to be committed together with others, in milliseconds.',
  },
  readerWaitMs: {
    kind: 'whole',
    minimum: 0,
    default: 60_000,
    flag: '--reader-wait-ms',
    description:
      'Time to wait for other programs that have the HDF5 file open, in milliseconds: at the end, before a recovery, and when too much data is waiting.',
  },
  cntCompactBytes: {
    kind: 'whole',
    minimum: 0,
    default: 1_048_576,
    flag: '--cnt-compact-bytes',
    description: 'Size at which a .cnt file is compacted, in bytes; 0 means at any size.',
  },
  layout: {
    kind: 'choice',
    choices: ['tree', 'columns'],
    default: 'tree',
    flag: '--layout',
    description:
      'Where results are: each below its run (tree), or in one dataset per result with one row per run (columns), which is smaller and faster for many runs.',
  },
  wrapMode: {
    kind: 'choice',
    choices: ['queue', 'lock', 'none'],
    flag: '--wrap-mode',
    description:
      'Who stores the runs: a writer process (queue), each worker under a lock (lock), or a storage service (none). Default: queue, or none with a storage service.',
  },
  useHdf5: {
    kind: 'switch',
    default: true,
    flag: '--use-hdf5',
    offDescription: 'Do not write an HDF5 file: a storage service stores the runs.',
    description: 'Store the runs in an HDF5 file.',
  },
  storageService: {
    kind: 'path',
    flag: '--storage-service',
    description: 'Module with your own storage service, used instead of an HDF5 file.',
  },
  queueMaxsize: {
    kind: 'whole',
    minimum: 0,
    default: 0,
    flag: '--queue-maxsize',
    description:
      'Number of finished runs that may wait to be stored; while more wait, no new run starts. 0 means no limit but memory.',
  },

  keepCnt: {
    kind: 'switch',
    default: false,
    flag: '--keep-cnt',
    description: 'Keep the .cnt file after every run is stored.',
  },
} as const satisfies Readonly<Record<string, Option>>

/** A percentage of the machine's total use, above which no run starts. */
function cap(flag: `--${string}`, what: string): NumberOption {
  return {
    kind: 'number',
    minimum: 0,
    isAboveMinimum: true,
    maximum: 100,
    default: 100,
    flag,
    description: `Do not start runs while ${what} of the machine is above this percentage; 100 disables the limit.`,
  }
}

/** Overviews to write. The tables have at most a thousand rows. */
const OVERVIEW_OPTIONS = {
  columns: {
    kind: 'switch',
    default: true,
    description: 'Write a dataset for each result that is a number or a short text, one row for each run.',
  },
  config: overview(true, 'config'),
  parameters: overview(true, 'parameters'),
  derivedParameters: overview(true, 'derived parameters, one row for each run that adds one'),
  results: overview(true, 'results, one row for each run that adds one'),
  exploredParameters: overview(true, 'explored parameters'),
  derivedParametersSummary: overview(true, 'derived parameters, one row for each distinct comment'),
  resultsSummary: overview(true, 'results, one row for each distinct comment'),
} as const satisfies Readonly<Record<string, SwitchOption>>

function overview(on: boolean, of: string): SwitchOption {
  return { kind: 'switch', default: on, description: `Write an overview table of ${of}.` }
}

export type OverviewName = keyof typeof OVERVIEW_OPTIONS
export type OptionName = keyof typeof MAIN_OPTIONS | `${typeof OVERVIEWS}${OverviewName}`

/** The prefix of the overviews' names; they form one group, as in `overviews.results`. */
export const OVERVIEWS = 'overviews.'

/** All options by name; those of the group `overviews` have a dot: `overviews.results`. */
export const OPTIONS: Readonly<Record<OptionName, Option>> = { ...MAIN_OPTIONS, ...dotted(OVERVIEW_OPTIONS) }

function dotted(
  options: Readonly<Record<OverviewName, Option>>,
): Record<`${typeof OVERVIEWS}${OverviewName}`, Option> {
  const entries = Object.entries(options).map(([name, option]) => [OVERVIEWS + name, option])
  return Object.fromEntries(entries)
}

/** The options that may change when an experiment is continued: they do not affect what is stored. */
export const CHANGEABLE_OPTIONS = [
  'ncores',
  'executor',
  'multiproc',
  'isolate',
  'memoryLimit',
  'cpuCap',
  'memoryCap',
  'swapCap',
  'niceness',
  ...LOG_OPTION_NAMES,
  'retries',
  'timeout',
  'onError',
  'maxFailures',
  'keepCnt',
  'immediatePostprocessing',
  'commitIntervalMs',
  'readerWaitMs',
  'cntCompactBytes',
  'wrapMode',
  'queueMaxsize',
] as const satisfies readonly OptionName[]

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[]

/** Keys of a config file that are not options: the experiment itself, and what editors look for. */
export const OTHER_CONFIG_KEYS = ['parameters', 'explore', '$schema'] as const

type ValueOf<Declared extends Option> = Declared extends WholeOption | NumberOption
  ? number
  : Declared extends SwitchOption
    ? boolean
    : Declared extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string

type MainSettings = {
  readonly [Name in Exclude<
    keyof typeof MAIN_OPTIONS,
    'maxFailures' | 'storageService' | 'logRuns' | 'logTransports'
  >]: ValueOf<(typeof MAIN_OPTIONS)[Name]>
}

/** The settings of an experiment: every option has a value, paths are absolute. */
export interface Settings extends MainSettings {
  /** Absent if any number of runs may fail. */
  readonly maxFailures: string | undefined
  /** Absent if runs are stored in an HDF5 file, or by a service that a script passes. */
  readonly storageService: string | undefined
  /** Absent if runs have no log files. */
  readonly logRuns: string | undefined
  /** Absent if there are no transports. */
  readonly logTransports: string | undefined
  readonly overviews: { readonly [Name in OverviewName]: boolean }
}

/** The checked values of one layer. */
export type OptionValues = { readonly [Name in OptionName]?: OptionValue }

/** `logFolder` → `PYPET_LOG_FOLDER`, `overviews.results` → `PYPET_OVERVIEWS_RESULTS`. */
export function environmentName(name: OptionName): string {
  return `PYPET_${name.replace(/[A-Z]/g, '_$&').replace('.', '_').toUpperCase()}`
}
