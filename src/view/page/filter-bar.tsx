/** The filter, how much it leaves, and the command that gives the same. */
import { useEffect, useState } from 'preact/hooks'
import { narrowingCommand } from './commands.ts'
import { CopyButton } from './copy-button.tsx'
import { runsText } from './number-text.ts'
import { useModel } from './use-model.ts'

/** Typing rests this long before the server is asked. */
const REST_MS = 250

export function FilterBar() {
  const model = useModel()
  const { filter, brushes } = model.looked
  const [text, setText] = useState(filter)
  // A blank at the end is not yet part of the filter, but more may be typed after it.
  useEffect(() => setText((typed) => (typed.trim() === filter ? typed : filter)), [filter])
  useEffect(() => {
    const timer = setTimeout(() => model.filter(text.trim(), false), REST_MS)
    return () => clearTimeout(timer)
  }, [text])
  const problem = model.filterProblem
  return (
    <search class="filter">
      <label for="filter">filter</label>
      <div class="field">
        <input
          id="filter"
          type="text"
          spellcheck={false}
          autocomplete="off"
          placeholder={placeholder(model.axes)}
          value={text}
          aria-invalid={problem !== undefined}
          aria-describedby="filter-outcome"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') model.filter(text.trim())
          }}
          onBlur={() => model.filter(text.trim())}
        />
      </div>
      {[...brushes].map(([name]) => (
        <button
          type="button"
          class="chip"
          key={name}
          title={`Show all values of ${name}`}
          onClick={() => model.brush({ [name]: undefined })}
        >
          {name} ×
        </button>
      ))}
      <output id="filter-outcome" class={problem === undefined ? '' : 'problem'}>
        {problem === undefined ? (
          `${runsText(model.matchCount)} match`
        ) : (
          <span title={problem.hint}>{problem.message}</span>
        )}
      </output>
      {model.isNarrowed && (
        <button type="button" class="quiet" onClick={() => model.clear()}>
          clear
        </button>
      )}
      <CopyButton text={narrowingCommand(model)} name="Copy the command" label="copy command" />
    </search>
  )
}

function placeholder(axes: readonly string[]): string {
  return axes.length === 0 ? 'status == "failed"' : `${axes[0]} > 2 && status == "stored"`
}
