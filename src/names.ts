/**
 * Names on disk: runs, attributes, tables and parts of leaves in the HDF5 file (docs/format.md), and what the `.cnt` file
 * remembers. They never change, because existing files use them. The names that pypet reads come from pypet
 * (`pypetconstants.py`, `naturalnaming.py`).
 */

export const BRANCHES = ['config', 'parameters', 'derived_parameters', 'results'] as const

// Runs

/** Number of runs in one run set, as in pypet. */
const RUNS_PER_SET = 1000
/** A run name with its number. From run 10⁸ on it has more digits. */
const RUN_NAME = /^run_(\d{8,})$/
// In a replacement, `$$` stands for one `$`.
const RUN_PARTS = /\.run_\d{8,}(?=\.|$)/g
const RUN_SET_PARTS = /\.run_set_\d{5,}(?=\.|$)/g

/** pypet's tables number runs by an int32. */
export const RUNS_MAX = 2 ** 31 - 1

/** `run_00000012`. */
export function runName(run: number): string {
  return `run_${padded(run, 8)}`
}

/** `run_set_00000`, the group of a thousand runs. `$set` stands for it. */
export function runSetName(run: number): string {
  return `run_set_${padded(Math.floor(run / RUNS_PER_SET), 5)}`
}

export function isRunName(name: string): boolean {
  return RUN_NAME.test(name)
}

/** The number of the run with this name; undefined for any other name. */
export function runOfName(name: string): number | undefined {
  const digits = RUN_NAME.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * The full name with `$` and `$set` instead of a run and its set. It is the same for the same leaf of every run.
 * `runlessName('results.runs.run_00000003.z')` is `results.runs.$.z`.
 */
export function runlessName(fullName: string): string {
  return fullName.includes('.run_')
    ? fullName.replace(RUN_PARTS, '.$$').replace(RUN_SET_PARTS, '.$$set')
    : fullName
}

// Times and environments

/**
 * pypet's `%Y_%m_%d_%Hh%Mm%Ss` in local time, `2026_11_22_17h32m44s`. Overviews and names of environments use it, and
 * `--add-time` appends it to the name of a trajectory.
 *
 * @param timestamp seconds since 1970
 */
export function timeText(timestamp: number): string {
  // Many runs share a second, and formatting a date is the most expensive part of a row.
  const second = Math.floor(timestamp)
  if (second !== lastSecond) [lastSecond, lastTimeText] = [second, formatTime(second)]
  return lastTimeText
}

let lastSecond = Number.NaN
let lastTimeText = ''

function formatTime(second: number): string {
  const date = new Date(second * 1000)
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${date.getFullYear()}_${two(date.getMonth() + 1)}_${two(date.getDate())}`
  return `${day}_${two(date.getHours())}h${two(date.getMinutes())}m${two(date.getSeconds())}s`
}

/** Sorts environment names such as `environment_83c1a34_2026_11_22_17h32m44s` by time. Names of another form come first. */
export function compareEnvironments(one: string, other: string): number {
  const [time, otherTime] = [timeOfEnvironment(one), timeOfEnvironment(other)]
  if (time === otherTime) return 0
  return time < otherTime ? -1 : 1
}

function timeOfEnvironment(name: string): string {
  return /^environment_[0-9a-f]{7}_(.+)$/.exec(name)?.[1] ?? ''
}

// Tables of a trajectory

/** The branches in which runs store leaves. */
export const RUN_BRANCHES = ['results', 'derived_parameters'] as const

export type RunBranch = (typeof RUN_BRANCHES)[number]

export type OverviewTable =
  | 'info'
  | 'hdf5_settings'
  | 'runs'
  | 'failed_runs'
  | 'explorations'
  | 'explored_parameters_overview'
  | 'config_overview'
  | 'parameters_overview'
  | `${RunBranch}_overview`
  | `${RunBranch}_summary`
  | 'deleted_nodes'

/** The group of the tables. @param root path of the trajectory: `/T` */
export function overviewGroup(root: string): string {
  return `${root}/overview`
}

/** @param root path of the trajectory: `/T` */
export function overviewPath(root: string, table: OverviewTable): string {
  return `${overviewGroup(root)}/${table}`
}

// Columns: one dataset per item of a result, one row per run

/** Where results are: below their runs, or in columns where they fit. */
export type Layout = 'tree' | 'columns'

/** The group of the columns of a branch. @param root path of the trajectory: `/T` */
export function columnsGroup(root: string, branch: RunBranch, layout: Layout): string {
  if (layout === 'columns') return `${root}/${branch}/${COLUMNS}`
  return `${overviewGroup(root)}/${branch === 'results' ? '' : `${branch}_`}${COLUMNS}`
}

/** The group of the datasets that tell which runs have a value. @param root path of the trajectory: `/T` */
export function presenceGroup(root: string, branch: RunBranch): string {
  return `${columnsGroup(root, branch, 'tree')}_presence`
}

/** With the layout `columns`, the full name `results.columns` is taken. */
const COLUMNS = 'columns'

/** Facts of runs, beside the columns of results. No result has a name that begins with `_`. */
export const RUN_FACTS = {
  status: '_status',
  attempts: '_attempts',
  start: '_start',
  runtime: '_runtime',
} as const

/** The values of the column `_status`. */
export const RUN_STATUS = { missing: 0, stored: 1, failed: 2 } as const

/**
 * The name of a column: the name of the leaf in its run, and after a colon the item, unless it has the leaf's own name.
 * No name contains a colon, so result `a.b` and item `b` of result `a` differ.
 */
export function columnName(leaf: string, item: string): string {
  return item === leaf.slice(leaf.lastIndexOf('.') + 1) ? leaf : `${leaf}:${item}`
}

/** The inverse of `columnName`. */
export function columnPlace(name: string): { readonly leaf: string; readonly item: string } {
  const colon = name.indexOf(':')
  if (colon < 0) return { leaf: name, item: name.slice(name.lastIndexOf('.') + 1) }
  return { leaf: name.slice(0, colon), item: name.slice(colon + 1) }
}

// Attributes

/** pypet's attributes of nodes and of the items in a leaf. */
export const SRVC = {
  class: 'SRVC_INIT_CLASS_NAME',
  comment: 'SRVC_INIT_COMMENT',
  leaf: 'SRVC_LEAF',
  annotated: 'SRVC_ANNOTATED',
  store: 'SRVC_STORE',
  collection: 'SRVC_DATA_COLL_TYPE',
  scalarType: 'SRVC_DATA_SCALAR_TYPE',
} as const

/** Prefix of the name of an annotation. */
export const ANNOTATION_PREFIX = 'SRVC_AN_'
/** Our own mark for values that pypet has no form for. */
export const TYPE_ATTRIBUTE = 'PYPET_TS_TYPE'
/** What a column has in each row, if not a single value: `list` or `ndarray`. */
export const FORM_ATTRIBUTE = 'PYPET_TS_FORM'
/** The user's own class. pypet refuses a class that it cannot build, so the file gives it the nearest pypet class. */
export const CLASS_ATTRIBUTE = 'PYPET_TS_CLASS'

/** pypet's attributes of one column of a table. */
export function columnAttributes(column: string): {
  readonly collection: string
  readonly scalarType: string
} {
  return { collection: `SRVC_COLUMN_${column}_COLL_TYPE`, scalarType: `SRVC_COLUMN_${column}_SCALAR_TYPE` }
}

// Parts of a leaf

/** Suffix of the name of a parameter's value that is a separate dataset. */
export const ARRAY_SUFFIX = '__rr__'
/** Suffix of the name of a value that pypet stores with scipy. */
export const SPARSE_SUFFIX = '__spsp__'
/** The pickle protocol of a leaf. */
export const PICKLE_PROTOCOL = '__pckl_prtcl__'
/** What a user's own class stores by name. A parameter's `data` next to it is a summary. */
export const ITEMS = 'items'
/** The range of an explored parameter. A suffix follows if the column holds numbers of values. */
export const RANGE = 'explored_data'
/** Number of values of a range in one group. */
const VALUES_PER_SET = 1000

/** The group of a thousand values of a range: `explored__rr__/set_00001`. */
export function rangeSet(number: number): string {
  return `explored${ARRAY_SUFFIX}/set_${padded(Math.floor(number / VALUES_PER_SET), 5)}`
}

/** Whether a value of a range is the first of its set. */
export function isFirstOfSet(number: number): boolean {
  return number % VALUES_PER_SET === 0
}

/** Suffixes of a range's table. Its column then numbers arrays, sparse matrices, or values and pickles. */
export const RANGE_SUFFIXES = [ARRAY_SUFFIX, SPARSE_SUFFIX, ''] as const

/** Name of the value with this number in a range, by the suffix of the table: an array, a sparse matrix, a pickle. */
export function rangeValueName(suffix: string, number: number): string {
  if (suffix === ARRAY_SUFFIX) return `${rangeSet(number)}/xa_${padded(number, 8)}`
  return suffix === SPARSE_SUFFIX ? `xspm${SPARSE_SUFFIX}${padded(number, 8)}` : `xp_${padded(number, 8)}`
}

// What the `.cnt` file remembers of the HDF5 file

export const MEMORY = {
  groups: 'groups',
  columnsOf: (branch: string) => `columns of ${branch}`,
  presenceOf: (branch: string) => `presence of ${branch}`,
  isSettled: 'is settled',
  hasLastConfig: 'has ended',
  postprocessed: 'runs post-processed',
  serviceHasProvenance: 'service has provenance',
  rowsOf: (table: string) => `rows of ${table}`,
  commentsOf: (branch: string) => `comments of ${branch}`,
  numberBytesOf: (parameter: string) => `number bytes of ${parameter}`,
  textBytesOf: (parameter: string) => `text bytes of ${parameter}`,
} as const

function padded(number: number, length: number): string {
  return String(number).padStart(length, '0')
}
