/** The rows and columns of the table as a file. */
import { useState } from 'preact/hooks'
import { fetchExport, problemText } from './api.ts'
import { narrowingText } from './commands.ts'
import type { Model } from './model.ts'
import { runsText } from './number-text.ts'
import { download } from './picture.ts'
import { useModel } from './use-model.ts'

const FORMATS = ['csv', 'parquet', 'jsonl'] as const

export function TableExport() {
  const model = useModel()
  const [told, setTold] = useState('')
  const save = async (format: (typeof FORMATS)[number]) => {
    setTold('…')
    try {
      const blob = await fetchExport([['format', format], ...tableQuery(model)])
      download(`${model.state?.trajectory ?? 'table'}.${format}`, blob)
      setTold('')
    } catch (error) {
      setTold(problemText(error))
    }
  }
  return (
    <>
      {FORMATS.map((format) => (
        <button
          type="button"
          class="quiet"
          key={format}
          title={`Save ${runsText(model.matchCount)} as ${format.toUpperCase()}`}
          onClick={() => save(format)}
        >
          {format.toUpperCase()}
        </button>
      ))}
      {told !== '' && <output>{told}</output>}
    </>
  )
}

/** Arrays are left out: a cell has no room for one. */
function tableQuery(model: Model): [string, string][] {
  const { state, looked } = model
  const names = model.tableColumns.filter(
    (name) => state?.columns.find((column) => column.name === name)?.isSingle === true,
  )
  const where = narrowingText(model)
  return [
    ...names.map((name): [string, string] => ['select', name]),
    ...(where === '' ? [] : [['where', where] as [string, string]]),
    ...(looked.sort === undefined
      ? []
      : [['sort', `${looked.sort.isDescending ? '-' : ''}${looked.sort.name}`] as [string, string]]),
  ]
}
