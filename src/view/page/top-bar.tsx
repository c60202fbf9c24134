/** What the experiment is doing, and the look of the page. */
import { useEffect, useState } from 'preact/hooks'
import { CopyButton } from './copy-button.tsx'
import { countText, durationText, runsText } from './number-text.ts'
import { useTheme } from './theme.ts'
import { useModel } from './use-model.ts'

export function TopBar({ onHelp }: { readonly onHelp: () => void }) {
  const model = useModel()
  const [theme, changeTheme] = useTheme()
  const { state, problem } = model
  if (state === undefined) return null
  const { runCount, storedCount, failedCount, progress, trajectory, file, comment } = state
  const doneCount = storedCount + failedCount
  return (
    <header class="top">
      <h1 title={comment === '' ? trajectory : `${trajectory}: ${comment}`}>{trajectory}</h1>
      <span class="file" title={file}>
        {file}
      </span>
      <span class="counts">
        {doneCount === runCount ? runsText(runCount) : `${countText(doneCount)} of ${runsText(runCount)}`}
        {failedCount > 0 && <span class="failed"> · {countText(failedCount)} failed</span>}
        <Pace />
      </span>
      {doneCount < runCount && (
        <progress value={doneCount} max={runCount} aria-label="Runs done">
          {doneCount} of {runCount}
        </progress>
      )}
      {progress.command !== undefined && progress.state === 'stopped' && (
        <Stopped changedMs={progress.changedMs} command={progress.command} />
      )}
      {progress.state === 'ended' && failedCount > 0 && progress.command !== undefined && (
        <>
          <span>retry:</span>
          <Command command={progress.command} />
        </>
      )}
      {(problem ?? state.problem) !== undefined && (
        <span class="problem" role="alert">
          {(problem ?? state.problem)?.message}
        </span>
      )}
      {state.notes.map((note) => (
        <span class="note" key={note}>
          {note}
        </span>
      ))}
      <span class="push" />
      <button type="button" class="quiet" onClick={changeTheme} title="Change the theme">
        {theme}
      </button>
      <button type="button" class="quiet" onClick={onHelp} aria-label="Help" title="Help (?)">
        ?
      </button>
    </header>
  )
}

function Pace() {
  const { state } = useModel()
  if (state === undefined || state.progress.state !== 'running') return null
  const { runsPerSecond } = state.progress
  const left = state.runCount - state.storedCount - state.failedCount
  if (runsPerSecond === undefined) return <> · running</>
  const rate =
    runsPerSecond >= 1
      ? `${countText(Math.round(runsPerSecond))} runs/s`
      : `${(runsPerSecond * 60).toPrecision(2)} runs/min`
  return (
    <>
      {' '}
      · {rate}
      {left > 0 && ` · ${durationText(Math.max(1, Math.round(left / runsPerSecond)))} left`}
    </>
  )
}

function Stopped({ changedMs, command }: { readonly changedMs: number; readonly command: string }) {
  const [nowMs, setNowMs] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 10_000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(1, Math.round((nowMs - changedMs) / 1000))
  const ago = seconds < 60 ? 'just now' : `${durationText(seconds).replace(/ \d\d s$/, '')} ago`
  return (
    <>
      <span class="stopped" title={new Date(changedMs).toISOString()}>
        stopped {ago}:
      </span>
      <Command command={command} />
    </>
  )
}

function Command({ command }: { readonly command: string }) {
  return (
    <span class="command">
      <code>{command}</code>
      <CopyButton text={command} name="Copy the command" />
    </span>
  )
}
