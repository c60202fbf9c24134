/** Everything in an HDF5 file as text: paths, types, shapes, chunks, filters, attributes, values. By h5wasm's own classes. */
import h5wasm, { type Attribute, Dataset, Group } from 'h5wasm/node'

type Metadata = Dataset['metadata']

const H5T_CLASSES = ['integer', 'float', 'time', 'string', 'bitfield', 'opaque', 'compound', 'reference']
const VALUES_MAX = 40
/** Laid out as all parameters are; their values are those of the machine, or of the defaults. */
const OPTIONS = /^\/\w+\/(config\/(environment|hdf5)\/|overview\/config_overview$)/
/** As h5wasm gives `H5S_UNLIMITED`. */
const UNLIMITED = 2 ** 53

/** One line for each object, and one, indented, for each attribute; in the order of names. */
export async function listingOf(path: string): Promise<string> {
  await h5wasm.ready
  const file = new h5wasm.File(path, 'r')
  const lines: string[] = []
  try {
    list(file, '/', lines)
  } finally {
    file.close()
  }
  return `${inOrder(masked(lines.join('\n')).split('\n')).join('\n')}\n`
}

/** Environments are named at random: once their names are masked, their lines are put in order anew. */
function inOrder(lines: readonly string[]): string[] {
  const isOfEnvironment = (line: string) => /^\/\w+\/config\/environment\//.test(line)
  const sorted = lines.filter(isOfEnvironment).sort()
  return lines.map((line) => (isOfEnvironment(line) ? (sorted.shift() as string) : line))
}

function list(file: InstanceType<typeof h5wasm.File>, path: string, lines: string[]): void {
  const found = file.get(path)
  if (found instanceof Dataset) lines.push(`${path} ${describeDataset(found)}`)
  else if (found instanceof Group) lines.push(`${path} group`)
  else throw new Error(`${path} is neither a group nor a dataset`)
  if (OPTIONS.test(path)) {
    lines.push(
      `${lines
        .pop()
        ?.replace(/ = .*/, '')
        .replace(/string\d+/, 'string')} …`,
    )
    if (found instanceof Group) for (const name of found.keys().sort()) list(file, `${path}/${name}`, lines)
    return
  }
  for (const [name, attribute] of Object.entries(found.attrs).sort(byName)) {
    lines.push(`    @${name} ${describeAttribute(attribute)}`)
  }
  if (!(found instanceof Group)) return
  for (const name of found.keys().sort()) {
    const child = `${path === '/' ? '' : path}/${name}`
    const target = file.get_link(child)
    if (typeof target === 'string' && target !== '') lines.push(`${child} -> ${target}`)
    else list(file, child, lines)
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

function describeDataset(dataset: Dataset): string {
  const { metadata, filters } = dataset
  const { shape, maxshape, chunks } = metadata
  const parts = [typeText(metadata), spaceText(shape)]
  if (maxshape != null && String(maxshape) !== String(shape)) parts.push(`max ${spaceText(maxshape)}`)
  if (chunks != null) parts.push(`chunks ${spaceText(chunks)}`)
  for (const { name, cd_values: values } of filters) parts.push(`${name} ${values}`)
  return `${parts.join(' ')} = ${valueText(dataset.value)}`
}

function describeAttribute(attribute: Attribute): string {
  return `${typeText(attribute.metadata)} ${spaceText(attribute.shape)} = ${valueText(attribute.value)}`
}

function typeText({ type, size, signed, cset, strpad, compound_type, array_type }: Metadata): string {
  if (compound_type !== undefined) {
    const members = compound_type.members.map(
      (member) => `${member.name}@${member.offset} ${typeText(member)}`,
    )
    return `{${members.join(', ')}}`
  }
  if (array_type !== undefined) return `array ${array_type.shape} of ${typeText(array_type)}`
  const text = `${H5T_CLASSES[type] ?? type}${size * 8}`
  if (H5T_CLASSES[type] === 'string') return `string${size} cset ${cset} pad ${strpad}`
  return H5T_CLASSES[type] === 'integer' && !signed ? `u${text}` : text
}

function spaceText(shape: readonly (number | null)[] | null): string {
  return shape === null
    ? 'null'
    : `(${shape.map((axis) => (axis === null || axis > UNLIMITED ? 'inf' : axis)).join(', ')})`
}

function valueText(value: unknown): string {
  const flat = ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<unknown>)] : value
  const shown = Array.isArray(flat) && flat.length > VALUES_MAX ? [...flat.slice(0, VALUES_MAX), '…'] : flat
  return JSON.stringify(shown, (_key, cell) => {
    if (typeof cell === 'bigint') return `${cell}n`
    if (typeof cell === 'number' && !Number.isFinite(cell)) return String(cell)
    return ArrayBuffer.isView(cell) ? [...(cell as unknown as Iterable<unknown>)] : cell
  })
}

/** Times, what is made of them, and what is of the machine. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}_\d\d_\d\d_\d\dh\d\dm\d\ds/g, 'TIME'],
  [/\b[0-9a-f]{40}\b/g, 'SHA1'],
  [/\b[0-9a-f]{64}\b/g, 'SHA256'],
  [/(environment|merge)_[0-9a-f]{7}_TIME/g, '$1_TIME'],
  [/"[0-9a-f]{7}"/g, '"SHA7"'],
  [/\d:\d\d:\d\d(\.\d{6})?/g, 'RUNTIME'],
  [/\b1[6-9]\d{8}(\.\d+)?\b/g, 'TIMESTAMP'],
  [/\/\S*\/pypet-ts-test-\w+/g, 'FOLDER'],
  [/"\/[^"]*\/node_modules\/[^"]*"/g, '"SCRIPT"'],
  [/(\/columns\/_(?:start|runtime) .*) = .*/g, '$1 = TIMES'],
  [/(platform|versions)\/(\S+) .*/g, '$1/$2 MASKED'],
]

function masked(text: string): string {
  return MASKS.reduce((whole, [found, mask]) => whole.replace(found, mask), text)
}
