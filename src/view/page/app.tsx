/** The page: bar, filter, and the three places: space, table, run. */
import { useEffect, useState } from 'preact/hooks'
import { FilterBar } from './filter-bar.tsx'
import { Help } from './help.tsx'
import { useKeys } from './keys.ts'
import { RunPanel } from './run-panel.tsx'
import { Space } from './space.tsx'
import { Table } from './table.tsx'
import { TopBar } from './top-bar.tsx'
import { useModel } from './use-model.ts'

const PLACES = ['space', 'table', 'run'] as const

/** On a narrow screen one place is shown at a time. */
export type Place = (typeof PLACES)[number]

export function App() {
  const model = useModel()
  const [place, setPlace] = useState<Place>('space')
  const [isHelpOpen, setHelpOpen] = useState(false)
  const { run } = model.looked
  useKeys(model, { isHelpOpen, setHelpOpen })
  // A run that is opened is what the user wants to see.
  useEffect(
    () => setPlace((before) => (run === undefined ? (before === 'run' ? 'table' : before) : 'run')),
    [run],
  )
  const { state, problem } = model
  if (state === undefined) return <Start message={problem?.message} />
  return (
    <div class={`page at-${place} ${run === undefined ? '' : 'has-run'}`}>
      <TopBar onHelp={() => setHelpOpen(!isHelpOpen)} />
      <FilterBar />
      <nav class="places" aria-label="Places">
        {PLACES.map((each) => (
          <button type="button" key={each} aria-pressed={each === place} onClick={() => setPlace(each)}>
            {each}
          </button>
        ))}
      </nav>
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
      <main>
        <Space />
        <Table />
      </main>
      <RunPanel />
    </div>
  )
}

function Start({ message }: { readonly message: string | undefined }) {
  if (message === undefined) return <p class="start">Loading…</p>
  return (
    <div class="start" role="alert">
      <p>{message}.</p>
      <p>
        Start <code>pypet-ts view</code> and open the address that it prints.
      </p>
    </div>
  )
}
