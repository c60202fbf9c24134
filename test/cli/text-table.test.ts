/** Tables of the terminal: columns by the width that is shown, whatever the language. */
import { expect, test } from 'vitest'
import { textTable } from '../../src/cli/text-table.ts'

const style = (heading: string) => heading
const rows = [
  ['tau', '10', '時定数 of the membrane'],
  ['温度', '300', 'in K'],
]
const headings = ['name', 'value', 'comment']

test('characters that are two columns wide are padded as such', () => {
  expect(textTable(headings, rows, { width: undefined, indent: 2, style }).split('\n')).toEqual([
    '  name  value  comment',
    '  tau   10     時定数 of the membrane',
    '  温度  300    in K',
  ])
})

test('a text that does not fit is cut between characters, never within one, and never to nothing', () => {
  expect(textTable(headings, rows, { width: 25, indent: 2, style }).split('\n')).toEqual([
    '  name  value  comment',
    '  tau   10     時定数 …',
    '  温度  300    in K',
  ])
  const family = '👩‍👩‍👧'
  expect(textTable(['a'], [[family.repeat(4)]], { width: 7, indent: 0, style }).split('\n')[1]).toBe(
    `${family.repeat(2)}…`,
  )
})

test('columns without any text are left out', () => {
  expect(textTable(['a', 'b'], [['1', '']], { width: 80, indent: 0, style })).toBe('a\n1')
})
