import { useEffect } from 'preact/hooks'
import { VIEWS } from './address.ts'
import { narrowingCommand } from './commands.ts'
import { copyText } from './copy-button.tsx'
import type { Model } from './model.ts'

/** What the keys do, in the order of the help. */
export const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ['/', 'filter'],
  ['j k', 'next and previous row'],
  ['Enter', 'open the run of the row'],
  ['[ ]', 'previous and next run'],
  ['g', 'jump to a run'],
  ['o', 'draw the arrays of this run together with others'],
  ['1 … 4', 'parallel, scatter, heatmap, histogram'],
  ['s', 'save the picture'],
  ['c', 'copy the command that gives the same in a terminal'],
  ['Escape', 'take back: close the run, then the last narrowing'],
  ['?', 'help'],
]

export function useKeys(
  model: Model,
  {
    isHelpOpen,
    setHelpOpen,
  }: { readonly isHelpOpen: boolean; readonly setHelpOpen: (isOpen: boolean) => void },
): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const { target } = event
      if (event.key === 'Escape') {
        if (isHelpOpen) setHelpOpen(false)
        else if (target instanceof HTMLElement && isField(target)) target.blur()
        else if (model.looked.run !== undefined) model.look({ run: undefined })
        else model.undo()
        return
      }
      if (target instanceof HTMLElement && isField(target)) return
      const act = ACTIONS[event.key]
      if (event.key === '?') setHelpOpen(!isHelpOpen)
      else if (act === undefined) return
      else act(model, event)
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [model, isHelpOpen])
}

function isField(element: HTMLElement): boolean {
  return element.matches('input:not([type=checkbox]):not([type=range]), select, textarea')
}

const ACTIONS: Readonly<Partial<Record<string, (model: Model, event: KeyboardEvent) => void>>> = {
  '/': () => focus('#filter'),
  g: () => focus('#jump'),
  j: (model) => moveCursor(model, 1),
  k: (model) => moveCursor(model, -1),
  Enter: (model, { target }) => {
    if (target instanceof HTMLElement && target.matches('button, a, summary')) target.click()
    else if (model.hovered !== undefined) model.look({ run: model.hovered })
  },
  ']': (model) => openNext(model, 1),
  '[': (model) => openNext(model, -1),
  o: (model) => {
    if (model.looked.run !== undefined) toggleOverlay(model, model.looked.run)
  },
  s: () => document.querySelector<HTMLElement>('#save-picture')?.click(),
  c: (model) => void copyText(narrowingCommand(model)),
  ...Object.fromEntries(
    VIEWS.map((view, index) => [String(index + 1), (model: Model) => model.look({ view })]),
  ),
}

function focus(selector: string): void {
  const element = document.querySelector<HTMLInputElement>(selector)
  element?.focus()
  element?.select()
}

/** The row below the pointer, or the one that the keys have reached. */
function moveCursor(model: Model, step: 1 | -1): void {
  model.hovered = nextRun(model, model.hovered, step)
  model.stepCount += 1
  model.announce()
}

function openNext(model: Model, step: 1 | -1): void {
  const run = nextRun(model, model.looked.run, step)
  model.hovered = run
  model.look({ run })
}

/** In the order of the table. */
export function nextRun(model: Model, run: number | undefined, step: 1 | -1): number | undefined {
  const { rows } = model
  const at = run === undefined ? -1 : rows.indexOf(run)
  if (at < 0) return rows[step === 1 ? 0 : rows.length - 1]
  return rows[Math.min(rows.length - 1, Math.max(0, at + step))]
}

export function toggleOverlay(model: Model, run: number): void {
  const { overlaid } = model.looked
  model.look({
    overlaid: overlaid.includes(run) ? overlaid.filter((each) => each !== run) : [...overlaid, run].slice(-8),
  })
}
