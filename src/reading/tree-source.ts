/** A trajectory of an open file, as the tree reads it. */
import { isRunName, overviewPath, runName } from '../names.ts'
import type { ParameterRange } from '../run/parameter-range.ts'
import type { NodeHead, NodeSource, SourceEntry } from '../tree/node-source.ts'
import type { RunFailureText, RunInformation } from '../tree/run-information.ts'
import { exact } from '../values/exact-integer.ts'
import type { StoredField, StoredValue } from '../values/stored-value.ts'
import type { Hdf5Reader } from './reader.ts'
import { readDefault, readItems, readNodeHead, readRange } from './stored-leaf.ts'

export class Hdf5Source implements NodeSource {
  readonly #reader: Hdf5Reader
  readonly #root: string
  #runs: readonly RunInformation[] | undefined
  #failures: ReadonlyMap<number, RunFailureText> | undefined

  constructor(reader: Hdf5Reader, trajectory: string) {
    this.#reader = reader
    this.#root = `/${trajectory}`
  }

  get reader(): Hdf5Reader {
    return this.#reader
  }

  entries(fullName: string): readonly SourceEntry[] | undefined {
    const path = this.#path(fullName)
    if (this.#reader.kind(path) !== 'group') return undefined
    return this.#reader.children(path).flatMap((name): SourceEntry[] => {
      if (fullName === '' && name === 'overview') return []
      // There are many groups of runs, and no links with such names.
      if (isRunName(name)) return [{ name, target: undefined }]
      const kind = this.#reader.kind(`${path}/${name}`)
      if (kind === 'group') return [{ name, target: undefined }]
      const target = kind === 'soft-link' ? this.#targetOf(`${path}/${name}`) : undefined
      return target === undefined ? [] : [{ name, target }]
    })
  }

  /** Whether there is a node or a link of this name. */
  has(fullName: string): boolean {
    return this.#reader.kind(this.#path(fullName)) !== undefined
  }

  head(fullName: string): NodeHead | undefined {
    const path = this.#path(fullName)
    if (this.#reader.kind(path) !== 'group') return undefined
    return readNodeHead(this.#reader, path)
  }

  items(fullName: string, className: string, wants: (item: string) => boolean): readonly StoredField[] {
    return readItems(this.#reader, this.#path(fullName), className, wants)
  }

  parameter(
    fullName: string,
    className: string,
  ): { readonly value: StoredValue | undefined; readonly range: ParameterRange | undefined } {
    const path = this.#path(fullName)
    return {
      value: readDefault(this.#reader, path, className),
      range: readRange(this.#reader, path, className),
    }
  }

  /**
   * The value of a result's own item if it is a plain number. Otherwise undefined: read it with its node. The same
   * holds for NaN, because null is stored as one.
   */
  quickNumber(fullName: string): number | bigint | undefined {
    const path = this.#path(fullName)
    const value = this.#reader.quickNumber(`${path}/${path.slice(path.lastIndexOf('/') + 1)}`)
    if (typeof value === 'bigint') return exact(value)
    return Number.isNaN(value) ? undefined : value
  }

  /**
   * The values of a leaf with one item in all runs, if they are in a column, for one value from each of many runs.
   * Undefined where a run has none there.
   *
   * @param template its full name, with `$` for the run
   */
  columnAt(template: string): ReturnType<Hdf5Reader['columnAt']> {
    return this.#reader.columnAt(this.#path(template))
  }

  /** The table of runs. Read at the first call. */
  runs(): readonly RunInformation[] {
    this.#runs ??= readRuns(this.#reader, this.#root)
    return this.#runs
  }

  /** The same if it has been read. Does not access the file. */
  get knownRuns(): readonly RunInformation[] | undefined {
    return this.#runs
  }

  /** Why runs have failed, if the file tells. For a run that failed several times, the last reason. */
  failures(): ReadonlyMap<number, RunFailureText> {
    this.#failures ??= this.#readFailures()
    return this.#failures
  }

  #readFailures(): ReadonlyMap<number, RunFailureText> {
    const failures = new Map<number, RunFailureText>()
    const table = overviewPath(this.#root, 'failed_runs')
    if (this.#reader.kind(table) !== 'dataset') return failures
    this.#reader.scanRows(table, ['idx', 'error', 'message', 'stack'], (_, [idx, name, message, stack]) => {
      failures.set(Number(idx), { name: String(name), message: String(message), stack: String(stack ?? '') })
    })
    return failures
  }

  #path(fullName: string): string {
    return fullName === '' ? this.#root : `${this.#root}/${fullName.replaceAll('.', '/')}`
  }

  /** Does not follow links out of the trajectory. */
  #targetOf(path: string): string | undefined {
    const target = this.#reader.linkTarget(path)
    if (target === undefined || !target.startsWith(`${this.#root}/`)) return undefined
    return target.slice(this.#root.length + 1).replaceAll('/', '.')
  }
}

function readRuns(reader: Hdf5Reader, root: string): RunInformation[] {
  const [table, failedRuns] = [overviewPath(root, 'runs'), overviewPath(root, 'failed_runs')]
  const runs: RunInformation[] = []
  if (reader.kind(table) !== 'dataset') return runs
  const failed = new Set<number>()
  if (reader.kind(failedRuns) === 'dataset') {
    reader.scanRows(failedRuns, ['idx'], (_, [idx]) => failed.add(Number(idx)))
  }
  const columns = [
    'completed',
    'timestamp',
    'finish_timestamp',
    'parameter_summary',
    'short_environment_hexsha',
  ]
  reader.scanRows(table, columns, (idx, [completed, start, finish, summary, hexsha]) => {
    const [startTimestamp, finishTimestamp] = [Number(start ?? 0), Number(finish ?? 0)]
    runs.push({
      idx,
      name: runName(idx),
      completed: completed === 1,
      failed: completed !== 1 && failed.has(idx),
      startTimestamp,
      finishTimestamp,
      runtime: finishTimestamp > 0 ? Math.max(0, finishTimestamp - startTimestamp) : 0,
      parameterSummary: String(summary ?? ''),
      environmentHexsha: String(hexsha ?? ''),
    })
  })
  return runs
}
