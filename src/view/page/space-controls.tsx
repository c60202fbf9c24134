/** Which columns a view shows, and how. */
import type { ViewKind } from './address.ts'
import { LOG_FACTOR } from './axis.ts'
import type { Model } from './model.ts'
import { countText } from './number-text.ts'
import { Popover } from './popover.tsx'
import { chosenNames } from './space-choice.ts'
import { useModel } from './use-model.ts'

const ROLES = {
  parallel: ['color'],
  scatter: ['x', 'y', 'color'],
  heatmap: ['x', 'y', 'color'],
  histogram: ['x'],
} as const satisfies Record<ViewKind, readonly ('x' | 'y' | 'color')[]>

export function SpaceControls({ view }: { readonly view: ViewKind }) {
  const model = useModel()
  const names = chosenNames(model)
  const columns = (model.state?.columns ?? []).filter(({ isSingle, isConstant }) => isSingle && !isConstant)
  return (
    <>
      {view === 'parallel' && <AxesChooser model={model} />}
      {ROLES[view].map((role) => (
        <label key={role} class="choice">
          {role}
          <select
            value={names[role] ?? 'none'}
            onChange={(event) => model.look({ [role]: event.currentTarget.value })}
          >
            {role === 'color' && view !== 'heatmap' && <option value="none">none</option>}
            {columns.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <LogSwitch model={model} name={role === 'color' && view !== 'heatmap' ? undefined : names[role]} />
        </label>
      ))}
      {view === 'heatmap' && <Slices model={model} />}
    </>
  )
}

/** Only where all values are positive. */
function LogSwitch({ model, name }: { readonly model: Model; readonly name: string | undefined }) {
  const column = name === undefined ? undefined : model.column(name)
  if (name === undefined || column === undefined || column.isCategory) return null
  const [least, most] = column.range
  if (!(least > 0)) return null
  const scale = model.looked.scales.get(name)
  const isLog = scale === undefined ? most / least >= LOG_FACTOR : scale === 'log'
  return (
    <span class="log">
      <input
        type="checkbox"
        checked={isLog}
        aria-label={`logarithmic ${name}`}
        onChange={() =>
          model.look({ scales: new Map(model.looked.scales).set(name, isLog ? 'linear' : 'log') })
        }
      />
      log
    </span>
  )
}

function AxesChooser({ model }: { readonly model: Model }) {
  const columns = (model.state?.columns ?? []).filter(({ isSingle, isConstant }) => isSingle && !isConstant)
  const chosen = model.axes
  const toggle = (name: string) => {
    const next = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]
    model.look({ axes: next.length === 0 ? undefined : next })
  }
  return (
    <Popover summary={`axes ${countText(chosen.length)} of ${countText(columns.length)}`}>
      <ul>
        {columns.slice(0, 200).map(({ name, kind }) => (
          <li key={name}>
            <label>
              <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}{' '}
              <small>{kind}</small>
            </label>
            {chosen.includes(name) && <LogSwitch model={model} name={name} />}
          </li>
        ))}
      </ul>
    </Popover>
  )
}

/** The other explored parameters: each at one value, or averaged over. */
function Slices({ model }: { readonly model: Model }) {
  const { x, y } = chosenNames(model)
  const others = (model.state?.columns ?? []).filter(
    ({ isExplored, isSingle, name }) => isExplored && isSingle && name !== x && name !== y,
  )
  return (
    <>
      {others.map(({ name }) => (
        <Slice key={name} model={model} name={name} />
      ))}
    </>
  )
}

function Slice({ model, name }: { readonly model: Model; readonly name: string }) {
  const column = model.column(name)
  const numbers = column === undefined ? undefined : column.distinct(1000)
  if (column === undefined || numbers === undefined) return null
  const number = model.looked.slices.get(name)
  const at = number === undefined ? -1 : numbers.indexOf(number)
  const set = (index: number) => {
    const slices = new Map(model.looked.slices)
    const chosen = numbers[index]
    if (chosen === undefined) slices.delete(name)
    else slices.set(name, chosen)
    model.look({ slices })
  }
  const text = number === undefined ? 'all' : (column.categories?.[number] ?? String(number))
  return (
    <label class="choice">
      {name}
      <input
        type="range"
        min={-1}
        max={numbers.length - 1}
        value={at}
        aria-valuetext={text}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />
      <span class="slice">{text}</span>
    </label>
  )
}
