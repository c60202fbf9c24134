/** A stored value in a few words, for `String(node)` and `console.log(node)`. */
import { cutText } from '../values/cut-text.ts'
import { pythonRepr } from '../values/python-repr.ts'
import type { StoredValue } from '../values/stored-value.ts'

const TEXT_LENGTH_MAX = 60
const ELEMENTS_MAX = 8

export function shownValue(value: StoredValue): string {
  switch (value.form) {
    case 'scalar':
      return shortened(shownElement(value.value))
    case 'list':
      return shortened(
        `[${value.values.slice(0, ELEMENTS_MAX).map(shownElement).join(', ')}${rest(value.values)}]`,
      )
    case 'ndarray':
      return `${value.dtype} ${value.shape.join(' × ')}${value.data.length > ELEMENTS_MAX ? '' : ` [${[...value.data].map((element) => shownElement(element as number)).join(', ')}]`}`
    case 'null':
      return 'null'
    default:
      return pythonRepr(value, TEXT_LENGTH_MAX)
  }
}

function rest(values: ArrayLike<unknown>): string {
  return values.length > ELEMENTS_MAX ? `, … ${values.length} in all` : ''
}

function shownElement(element: unknown): string {
  if (typeof element === 'string') return JSON.stringify(element)
  if (Object.is(element, -0)) return '-0'
  if (typeof element === 'object' && element !== null && 're' in element) {
    const { re, im } = element as { readonly re: number; readonly im: number }
    return `${re} ${im < 0 ? '-' : '+'} ${Math.abs(im)}i`
  }
  return String(element)
}

function shortened(text: string): string {
  return cutText(text, TEXT_LENGTH_MAX, '…')
}
