/** Everything about one run. */
import { useEffect, useState } from 'preact/hooks'
import type { RunDetail, RunItem } from '../view-protocol.ts'
import { fetchRun, problemText } from './api.ts'
import { ArrayView } from './array-view.tsx'
import { CopyButton } from './copy-button.tsx'
import { nextRun, toggleOverlay } from './keys.ts'
import type { Model } from './model.ts'
import { durationText, shortText, timeTexts } from './number-text.ts'
import { RunOrigin } from './run-origin.tsx'
import { useModel } from './use-model.ts'

/** Arrays that are drawn without a click. */
const ARRAYS_OPEN = 3

export function RunPanel() {
  const model = useModel()
  const { run } = model.looked
  const { detail, problem } = useDetail(model, run)
  if (run === undefined) {
    return <aside class="run none">Choose a run in the table or in the picture.</aside>
  }
  return (
    <aside class="run" aria-label={`Run ${run}`}>
      <header>
        <h2>Run {run}</h2>
        {detail?.run === run && (
          <span class={detail.status === 'failed' ? 'failed' : ''}>{detail.status}</span>
        )}
        <span class="push" />
        <StepButton model={model} run={run} step={-1} />
        <StepButton model={model} run={run} step={1} />
        <button
          type="button"
          class="quiet"
          aria-label="Close the run"
          onClick={() => model.look({ run: undefined })}
        >
          ×
        </button>
      </header>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {detail !== undefined && <Detail model={model} detail={detail} isOld={detail.run !== run} />}
    </aside>
  )
}

function StepButton({
  model,
  run,
  step,
}: {
  readonly model: Model
  readonly run: number
  readonly step: 1 | -1
}) {
  const name = step === 1 ? 'Next run' : 'Previous run'
  return (
    <button
      type="button"
      class="quiet"
      aria-label={name}
      title={`${name} (${step === 1 ? ']' : '['})`}
      onClick={() => model.look({ run: nextRun(model, run, step) })}
    >
      {step === 1 ? '▸' : '◂'}
    </button>
  )
}

/**
 * Read again when the run has changed: a missing one may be stored by now. The detail of another run stays until the new
 * one is here, so that what is open stays open.
 */
function useDetail(model: Model, run: number | undefined) {
  const [found, setFound] = useState<{
    readonly detail?: RunDetail
    readonly problem?: string
  }>({})
  const status = model.column('status')
  const state = run === undefined ? undefined : status?.text(run)
  const { version } = model.state ?? {}
  // Only a run that is not stored yet can change.
  const key = state === 'stored' ? 'stored' : `${state} ${version}`
  useEffect(() => {
    if (run === undefined || state === undefined) return undefined
    let isCurrent = true
    fetchRun(run).then(
      (detail) => isCurrent && setFound({ detail }),
      (error: unknown) => isCurrent && setFound({ problem: problemText(error) }),
    )
    return () => {
      isCurrent = false
    }
  }, [run, key])
  return found
}

interface DetailProps {
  readonly model: Model
  readonly detail: RunDetail
  /** Of another run than the one that is looked at. */
  readonly isOld: boolean
}

function Detail({ model, detail, isOld }: DetailProps) {
  const { items, failure, commands, run, status } = detail
  const explored = items.filter(({ isExplored }) => isExplored)
  const results = items.filter(({ kind }) => kind === 'result')
  const derived = items.filter(({ kind, isExplored }) => kind === 'derived parameter' && !isExplored)
  const others = items.filter(({ kind, isExplored }) => kind === 'parameter' && !isExplored)
  const arrays = items.filter(({ value }) => value.form === 'array')
  return (
    <div class={isOld ? 'detail old' : 'detail'} aria-busy={isOld}>
      {failure !== '' && <pre class="failed">{failure}</pre>}
      <Items items={explored} />
      <Items title="results" items={results} />
      {arrays.length > 0 && (
        <label class="overlay">
          <input
            type="checkbox"
            checked={model.looked.overlaid.includes(run)}
            onChange={() => toggleOverlay(model, run)}
          />{' '}
          keep run {run} in the pictures of other runs
        </label>
      )}
      {arrays.map((item, index) => (
        <details key={`${item.name} ${shapeText(item)}`} open={index < ARRAYS_OPEN} class="array">
          <summary>
            {item.name} <small>{typeText(item)}</small>
          </summary>
          <ArrayView model={model} item={item} run={run} />
        </details>
      ))}
      {items.map((item) => (item.value.form === 'table' ? <TableOf key={item.name} item={item} /> : null))}
      <Items title="derived parameters" items={derived} />
      <Items title="other parameters" items={others} isClosed={true} />
      <Facts detail={detail} />
      <RunOrigin run={run} status={status} />
      <h3>in a terminal</h3>
      <ul class="commands">
        {commands.map(({ label, command }) => (
          <li key={command}>
            {label}: <code>{command}</code> <CopyButton text={command} name={`Copy the command: ${label}`} />
          </li>
        ))}
      </ul>
    </div>
  )
}

interface FactTexts {
  readonly name: string
  readonly text: string
  readonly full: string
}

/** When, where and how often it was performed. */
function Facts({ detail: { start, runtime, attempts, host } }: { readonly detail: RunDetail }) {
  const facts: FactTexts[] = []
  if (start !== undefined) facts.push({ name: 'start', ...timeTexts(start) })
  if (runtime !== undefined)
    facts.push({ name: 'runtime', text: durationText(runtime), full: `${runtime} s` })
  if (attempts !== undefined) facts.push({ name: 'attempts', text: String(attempts), full: '' })
  if (host !== undefined) facts.push({ name: 'host', text: host, full: '' })
  if (facts.length === 0) return null
  return (
    <details open={true} class="items">
      <summary>
        facts <small>{facts.length}</small>
      </summary>
      <dl>
        {facts.map(({ name, text, full }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={full}>{text}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

function Items({
  title,
  items,
  isClosed = false,
}: {
  readonly title?: string
  readonly items: readonly RunItem[]
  readonly isClosed?: boolean
}) {
  if (items.length === 0) return null
  const list = (
    <dl>
      {items.map((item) => (
        <div key={item.name}>
          <dt title={[typeText(item), item.comment].filter(Boolean).join('\n')}>{item.name}</dt>
          <dd class={item.value.form === 'missing' ? 'missing' : ''}>
            <ItemText item={item} />
          </dd>
        </div>
      ))}
    </dl>
  )
  if (title === undefined) return list
  return (
    <details open={!isClosed} class="items">
      <summary>
        {title} <small>{items.length}</small>
      </summary>
      {list}
    </details>
  )
}

function ItemText({ item }: { readonly item: RunItem }) {
  const { value, unit } = item
  switch (value.form) {
    case 'missing':
      return <>–</>
    case 'array':
    case 'table':
      return <small>{typeText(item)}</small>
    case 'text': {
      const isFloat = item.dtype === 'float64' || item.dtype === 'float32'
      const text = isFloat && value.text !== '' ? shortText(Number(value.text)) : value.text
      return (
        <span title={value.text}>
          {text}
          {unit !== '' && <small> {unit}</small>}
        </span>
      )
    }
  }
}

function typeText(item: RunItem): string {
  const { dtype, value } = item
  if (value.form === 'array') return `${dtype} [${shapeText(item)}]`
  return value.form === 'table' ? `table of ${value.rowCount} rows` : dtype
}

function shapeText({ value }: RunItem): string {
  return value.form === 'array' ? value.shape.join(' × ') : ''
}

function TableOf({ item }: { readonly item: RunItem }) {
  const { value } = item
  if (value.form !== 'table') return null
  return (
    <details class="array">
      <summary>
        {item.name} <small>{typeText(item)}</small>
      </summary>
      <div class="sheet-of-run">
        <table>
          <thead>
            <tr>
              {value.heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {value.rows.map((row, index) => (
              <tr key={index}>
                {row.map((text, column) => (
                  <td key={value.heads[column]}>{text}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {value.rows.length < value.rowCount && (
          <p>
            the first {value.rows.length} of {value.rowCount} rows
          </p>
        )}
      </div>
    </details>
  )
}
