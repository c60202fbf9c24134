/** What is looked at, as the fragment of the address: a reload, or the same address elsewhere, shows the same. */

export const VIEWS = ['parallel', 'scatter', 'heatmap', 'histogram'] as const

export type ViewKind = (typeof VIEWS)[number]

/** A range of values that a column is narrowed to. Of categories, positions with a margin of a half. */
export interface Brush {
  readonly from: number
  readonly to: number
}

/** Undefined: as the page chooses. */
export interface Looked {
  readonly view: ViewKind | undefined
  readonly filter: string
  /** Column, and whether the largest comes first. */
  readonly sort: { readonly name: string; readonly isDescending: boolean } | undefined
  /** By column. */
  readonly brushes: ReadonlyMap<string, Brush>
  readonly run: number | undefined
  /** Runs whose arrays are drawn together. */
  readonly overlaid: readonly number[]
  /** Of parallel coordinates. */
  readonly axes: readonly string[] | undefined
  readonly x: string | undefined
  readonly y: string | undefined
  readonly color: string | undefined
  /** Values of the other parameters of a heatmap. One that is not here is averaged over. */
  readonly slices: ReadonlyMap<string, number>
  /** Columns whose scale is not the one that the page chooses. */
  readonly scales: ReadonlyMap<string, 'log' | 'linear'>
  /** Of the table. */
  readonly columns: readonly string[] | undefined
}

export function parseAddress(fragment: string): Looked {
  const words = new URLSearchParams(fragment.replace(/^#/, ''))
  const view = words.get('view')
  const sort = words.get('sort')
  return {
    view: VIEWS.find((each) => each === view),
    filter: words.get('filter') ?? '',
    sort: sort === null ? undefined : { name: sort.replace(/^-/, ''), isDescending: sort.startsWith('-') },
    brushes: new Map(words.getAll('brush').flatMap(parseBrush)),
    run: numberIn(words.get('run')),
    overlaid: (words.get('overlay') ?? '').split(',').flatMap((word) => numberIn(word) ?? []),
    axes: listIn(words, 'axis'),
    x: words.get('x') ?? undefined,
    y: words.get('y') ?? undefined,
    color: words.get('color') ?? undefined,
    slices: new Map(
      words.getAll('slice').flatMap((text): [string, number][] => {
        const [number = '', ...name] = text.split(':')
        return Number.isNaN(Number(number)) || name.length === 0 ? [] : [[name.join(':'), Number(number)]]
      }),
    ),
    scales: new Map([
      ...words.getAll('log').map((name) => [name, 'log'] as const),
      ...words.getAll('linear').map((name) => [name, 'linear'] as const),
    ]),
    columns: listIn(words, 'column'),
  }
}

export function addressOf(looked: Looked): string {
  const words = new URLSearchParams()
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined && value !== '') words.append(name, String(value))
  }
  add('view', looked.view)
  add('filter', looked.filter)
  if (looked.sort !== undefined) add('sort', `${looked.sort.isDescending ? '-' : ''}${looked.sort.name}`)
  for (const [name, { from, to }] of looked.brushes) add('brush', `${from}:${to}:${name}`)
  add('run', looked.run)
  add('overlay', looked.overlaid.join(','))
  for (const name of looked.axes ?? []) add('axis', name)
  add('x', looked.x)
  add('y', looked.y)
  add('color', looked.color)
  for (const [name, number] of looked.slices) add('slice', `${number}:${name}`)
  for (const [name, scale] of looked.scales) add(scale, name)
  for (const name of looked.columns ?? []) add('column', name)
  return `#${words}`
}

function parseBrush(text: string): [string, Brush][] {
  const match = /^([^:]+):([^:]+):(.+)$/s.exec(text)
  if (match === null) return []
  const [from, to] = [Number(match[1]), Number(match[2])]
  return Number.isNaN(from) || Number.isNaN(to) ? [] : [[match[3] as string, { from, to }]]
}

function numberIn(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}

function listIn(words: URLSearchParams, name: string): readonly string[] | undefined {
  const list = words.getAll(name)
  return list.length === 0 ? undefined : list
}
