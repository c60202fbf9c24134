/** Opening a stored trajectory for the runs that it has gained and not yet performed. */
import type { MemoryDelta } from '../continue/cnt-record.ts'
import { RunSet } from '../continue/run-set.ts'
import type { OpenRequest } from '../protocol.ts'
import type { Parameter } from '../trajectory/parameter.ts'
import { textBytesName } from './extension-layout.ts'
import { HAS_GROUPS, HAS_LAST_CONFIG, IS_SETTLED } from './hdf5-layout.ts'
import type { Hdf5Reader } from './hdf5-reader.ts'
import { openHdf5Reader } from './hdf5-reader.ts'

/** What the file says of a trajectory, for who goes on writing it. */
export interface StoredTrajectory {
  readonly stored: RunSet
  readonly failed: readonly number[]
  readonly memory: MemoryDelta
  /** What `config` does not have yet. */
  readonly config: readonly Parameter[]
}

/**
 * @param request what is to be written: config that is there already is left out of it
 * @throws as `openHdf5Reader`
 */
export async function readStoredTrajectory(
  file: string,
  { trajectory, config, continuation }: Pick<OpenRequest, 'trajectory' | 'config' | 'continuation'>,
): Promise<StoredTrajectory> {
  using reader = await openHdf5Reader(file)
  const root = `/${trajectory.name}`
  const isThere = (name: string) => reader.kind(`${root}/config/${name.replaceAll('.', '/')}`) !== undefined
  const overview = `${root}/overview`
  const stored = new RunSet()
  reader.scanRows(`${overview}/runs`, ['completed'], (run, [completed]) => {
    if (completed === 1) stored.add(run)
  })
  const failed: number[] = []
  if (reader.kind(`${overview}/failed_runs`) === 'dataset') {
    reader.scanRows(`${overview}/failed_runs`, ['idx'], (_, [idx]) => failed.push(Number(idx)))
  }
  const groups: string[] = []
  for (const child of reader.children(root)) {
    if (child !== 'overview' && reader.kind(`${root}/${child}`) === 'group')
      collectGroups(reader, root, `/${child}`, groups)
  }
  const values: Record<string, number | boolean> = { [IS_SETTLED]: true }
  for (const name of reader.children(overview)) {
    if (!GROWING.has(name)) continue
    values[`rows of ${name}`] = reader.rowCount(`${overview}/${name}`)
  }
  const added: Record<string, string[]> = { [HAS_GROUPS]: groups }
  for (const branch of ['results', 'derived_parameters']) {
    const summary = `${overview}/${branch}_summary`
    if (reader.kind(summary) !== 'dataset') continue
    const digests: string[] = []
    reader.scanRows(summary, ['hexdigest'], (_, [digest]) => digests.push(String(digest)))
    added[`comments of ${branch}`] = digests
  }
  // The environment of a script may run several times, and ends more than once then.
  if (isThere(`environment.${continuation.environmentName}.finish_timestamp`)) values[HAS_LAST_CONFIG] = true
  Object.assign(values, textSizes(reader, root))
  return {
    stored,
    failed,
    memory: { added, values },
    // Of the file itself it has been said before.
    config: config.filter(({ name }) => name.startsWith('environment.') && !isThere(name)),
  }
}

/** Tables that runs add rows to, by their names below `overview`. */
const GROWING: ReadonlySet<string> = new Set([
  'failed_runs',
  'results_overview',
  'results_summary',
  'derived_parameters_overview',
  'derived_parameters_summary',
])

/** The sizes of the columns of explored texts, which cannot change. */
function textSizes(reader: Hdf5Reader, root: string): Record<string, number> {
  const explorations = `${root}/overview/explorations`
  const sizes: Record<string, number> = {}
  if (reader.kind(explorations) !== 'dataset') return sizes
  reader.scanRows(explorations, ['explorations'], (_, [text]) => {
    const name = String(text).replace(/^parameters\./, '')
    const table = `${root}/parameters/${name.replaceAll('.', '/')}/explored_data`
    if (reader.kind(table) !== 'dataset') return
    const { type } = reader.form(table)
    const column = type.kind === 'record' ? type.fields[0]?.type : undefined
    if (column?.kind === 'string') sizes[textBytesName(name)] = column.bytes
  })
  return sizes
}

/** Groups that runs share. Those of a run are its own, and leaves hold no groups of others. */
function collectGroups(reader: Hdf5Reader, root: string, path: string, into: string[]): void {
  into.push(path)
  for (const child of reader.children(root + path)) {
    if (RUN_NAME.test(child)) continue
    const below = `${path}/${child}`
    if (reader.kind(root + below) !== 'group') continue
    const isLeaf = reader.attribute(root + below, 'SRVC_LEAF')
    if (isLeaf === undefined) collectGroups(reader, root, below, into)
  }
}

const RUN_NAME = /^run_\d{8}$/
