/** Everything that an HDF5 file says, in a form that two files can be compared by. */
import h5wasm, { Dataset, Group } from 'h5wasm/node'

/** Columns of tables and leaves of `config` that tell when something happened, or where in our own code. */
const TIMES = new Set([
  'time',
  'timestamp',
  'finish_timestamp',
  'runtime',
  'short_environment_hexsha',
  'stack',
])
const TIME_LEAVES =
  /\/config\/environment\/[^/]+\/(?:trajectory\/)?(start_timestamp|finish_timestamp|runtime|timestamp|hexsha)\/|\/columns\/_(start|runtime)$/

/**
 * Every object with its attributes and values, by path.
 *
 * @param options.withTimes also what differs between any two executions of one experiment
 */
export async function contentOf(
  file: string,
  { withTimes = false }: { readonly withTimes?: boolean } = {},
): Promise<Readonly<Record<string, string>>> {
  await h5wasm.ready
  const opened = new h5wasm.File(file, 'r')
  const content: Record<string, string> = {}
  const visit = (path: string, entity: Group | Dataset) => {
    // What code and machine it was differs from command to command.
    if (/\/config\/environment\/[^/]+\/provenance(?:\/|$)/.test(path)) return
    const attributes = Object.entries(entity.attrs).map(([name, { dtype, shape, value }]) => ({
      name,
      dtype,
      shape,
      value,
    }))
    attributes.sort((a, b) => (a.name < b.name ? -1 : 1))
    if (entity instanceof Dataset) {
      const { dtype, shape } = entity
      const value = !withTimes && TIME_LEAVES.test(path) ? 'a time' : cellsOf(path, entity, withTimes)
      content[path] = asText({ dtype, shape, value, attributes })
      return
    }
    content[path] = asText({ attributes })
    for (const name of entity.keys()) {
      const child = entity.get(name)
      if (child instanceof Group || child instanceof Dataset)
        visit(`${path === '/' ? '' : path}/${name}`, child)
    }
  }
  try {
    visit('/', opened)
  } finally {
    opened.close()
  }
  return content
}

/** Their rows come in the order in which the runs of several cores arrive. */
const BY_ARRIVAL = /\/overview\/(results|derived_parameters)_(overview|summary)$/
/** Which run was the first to have a name and a comment depends on the arrival as well, and so does its value. */
const OF_FIRST_RUN = /\/overview\/(results|derived_parameters)_summary$/

function cellsOf(path: string, dataset: Dataset, withTimes: boolean): unknown {
  const members = dataset.metadata.compound_type?.members
  if (members === undefined) return dataset.value
  const isOfFirst = !withTimes && OF_FIRST_RUN.test(path)
  const rows = (dataset.value as unknown[][]).map((row) =>
    row.map((cell, column) => {
      const name = members[column]?.name ?? ''
      if (!withTimes && TIMES.has(name)) return 'a time'
      if (isOfFirst && name === 'value') return 'of the first'
      return isOfFirst && name === 'location' ? String(cell).replace(/run_\d{8}/, 'run') : cell
    }),
  )
  return !withTimes && BY_ARRIVAL.test(path) ? rows.sort((a, b) => (asText(a) < asText(b) ? -1 : 1)) : rows
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (typeof inner === 'bigint') return `${inner}n`
    if (ArrayBuffer.isView(inner))
      return [
        inner.constructor.name,
        Buffer.from(inner.buffer, inner.byteOffset, inner.byteLength).toString('base64'),
      ]
    return inner
  })
}

/** The paths at which two contents differ, with both sides; empty when they are equal. */
export function differences(
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): string[] {
  const paths = new Set([...Object.keys(actual), ...Object.keys(expected)])
  return [...paths]
    .filter((path) => actual[path] !== expected[path])
    .map(
      (path) =>
        `${path}: ${(actual[path] ?? 'absent').slice(0, 300)} instead of ${(expected[path] ?? 'absent').slice(0, 300)}`,
    )
}
