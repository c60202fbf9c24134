/** Which columns the table has. */
import { useState } from 'preact/hooks'
import { Popover } from './popover.tsx'
import { useModel } from './use-model.ts'

/** More are found by typing a part of their name. */
const SHOWN_MAX = 200

export function ColumnChooser() {
  const model = useModel()
  const [part, setPart] = useState('')
  const chosen = model.tableColumns
  const columns = model.state?.columns ?? []
  const fitting = columns.filter(({ fullName }) => fullName.toLowerCase().includes(part.toLowerCase()))
  const toggle = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]
    model.look({ columns: next })
  }
  return (
    <Popover summary={`columns ${chosen.length} of ${columns.length}`}>
      <input
        type="text"
        placeholder="part of a name"
        aria-label="Find a column"
        value={part}
        onInput={(event) => setPart(event.currentTarget.value)}
      />
      <ul>
        {fitting.slice(0, SHOWN_MAX).map(({ name, kind, isConstant, comment }) => (
          <li key={name}>
            <label title={comment}>
              <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}{' '}
              <small>{isConstant ? 'constant' : kind}</small>
            </label>
          </li>
        ))}
      </ul>
      {fitting.length > SHOWN_MAX && <p>{fitting.length - SHOWN_MAX} more: type a part of their name</p>}
      <button type="button" onClick={() => model.look({ columns: undefined })}>
        as at first
      </button>
    </Popover>
  )
}
