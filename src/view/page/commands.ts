/** What to type in a terminal to get the same. */
import type { Brush } from './address.ts'
import type { Model } from './model.ts'

/** The table of what is left, in its order. */
export function narrowingCommand(model: Model): string {
  const { state, looked } = model
  if (state === undefined) return ''
  const words = ['pypet-ts', 'table', shellWord(state.file)]
  const where = narrowingText(model)
  if (where !== '') words.push('--where', shellWord(where))
  if (looked.sort !== undefined) {
    const { name, isDescending } = looked.sort
    words.push(isDescending ? `--sort=${shellWord(`-${name}`)}` : `--sort ${shellWord(name)}`)
  }
  return words.join(' ')
}

/** Filter and brushes as one condition. */
export function narrowingText(model: Model): string {
  const { filter, brushes } = model.looked
  const brushed = [...brushes].map(([name, brush]) => brushText(model, name, brush))
  const own = filter === '' ? [] : [brushed.length > 0 && filter.includes('||') ? `(${filter})` : filter]
  return [...own, ...brushed].join(' && ')
}

function brushText(model: Model, name: string, { from, to }: Brush): string {
  const column = model.column(name)
  const { categories } = column ?? {}
  if (categories === undefined) {
    return from === to ? `${name} == ${from}` : `${name} >= ${from} && ${name} <= ${to}`
  }
  const isBool = column?.info.dtype === 'bool'
  const chosen = categories
    .slice(Math.max(0, Math.ceil(from)), Math.floor(to) + 1)
    .map((text) => (isBool ? text : JSON.stringify(text)))
  return chosen.length === 1 ? `${name} == ${chosen[0]}` : `${name} in [${chosen.join(', ')}]`
}

function shellWord(text: string): string {
  return /^[\w./:+@,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
