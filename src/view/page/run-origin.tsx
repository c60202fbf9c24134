/** Log, source and provenance of a run. Each is asked for when it is opened. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { OriginText, RunLogText, RunProvenance, RunSources } from '../view-protocol.ts'
import { fetchLog, fetchProvenance, fetchSources, problemText } from './api.ts'
import { CopyButton } from './copy-button.tsx'
import { bytesText, countText } from './number-text.ts'

interface RunOriginProps {
  readonly run: number
  /** What is shown is asked for again when it changes. */
  readonly status: string
}

export function RunOrigin({ run, status }: RunOriginProps) {
  const key = `${run} ${status}`
  return (
    <>
      <Lazy title="log" askKey={key} ask={() => fetchLog(run)}>
        {(log) => <Log log={log} />}
      </Lazy>
      <Lazy title="source" askKey={key} ask={() => fetchSources(run)}>
        {(sources) => <Sources sources={sources} />}
      </Lazy>
      <Lazy title="provenance" askKey={key} ask={() => fetchProvenance(run)}>
        {(provenance) => <Provenance provenance={provenance} />}
      </Lazy>
    </>
  )
}

interface LazyProps<Answer> {
  readonly title: string
  readonly askKey: string
  readonly ask: () => Promise<Answer>
  readonly children: (answer: Answer) => ComponentChildren
}

interface Found<Answer> {
  readonly key: string
  readonly answer?: Answer
  readonly problem?: string
}

/** Closed at first. What it shows stays until the next answer is here, but dimmed: it is of another run. */
function Lazy<Answer>({ title, askKey, ask, children }: LazyProps<Answer>) {
  const [isOpen, setOpen] = useState(false)
  const [found, setFound] = useState<Found<Answer> | undefined>()
  useEffect(() => {
    if (!isOpen) return undefined
    let isCurrent = true
    ask().then(
      (answer) => isCurrent && setFound({ key: askKey, answer }),
      (error: unknown) => isCurrent && setFound({ key: askKey, problem: problemText(error) }),
    )
    return () => {
      isCurrent = false
    }
  }, [isOpen, askKey])
  const isOld = found !== undefined && found.key !== askKey
  return (
    <details class="origin" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && found === undefined && <p class="notes">Loading…</p>}
      {found !== undefined && (
        <div class={isOld ? 'old' : undefined} aria-busy={isOld}>
          {found.problem !== undefined && <p class="problem">{found.problem}</p>}
          {found.answer !== undefined && children(found.answer)}
        </div>
      )}
    </details>
  )
}

function Log({
  log: { file, lines, omittedCount, unreadBytes, looked, problem },
}: {
  readonly log: RunLogText
}) {
  if (file === undefined) {
    return (
      <p class="notes">
        {looked.length === 0 ? 'no log is known' : `not found; looked in ${looked.join(', ')}`}
      </p>
    )
  }
  if (problem !== undefined) return <p class="notes">{`cannot read ${file}: ${problem}`}</p>
  const leftOut = [
    unreadBytes > 0 ? `its first ${bytesText(unreadBytes)} were not read` : '',
    omittedCount > 0 ? `${countText(omittedCount)} earlier lines are not shown` : '',
  ].filter(Boolean)
  return (
    <>
      <p class="notes">
        {[lines.length === 0 ? `no more lines of this run in ${file}` : file, ...leftOut].join('; ')}
      </p>
      {lines.length > 0 && <pre>{lines.join('\n')}</pre>}
    </>
  )
}

function Sources({ sources: { environment, files, omittedCount } }: { readonly sources: RunSources }) {
  if (files.length === 0) return <p class="notes">the file does not have the source of the job</p>
  return (
    <>
      <p class="notes">as {environment} has stored it</p>
      {files.map((file, index) => (
        <details key={`${index} ${file.name}`} open={index === 0}>
          <summary>{file.name}</summary>
          <CopyButton text={file.text} name={`Copy ${file.name}`} title="Copy the text" />
          <pre class="code">{file.text}</pre>
          <LeftOut text={file} />
        </details>
      ))}
      {omittedCount > 0 && <p class="notes">and {countText(omittedCount)} more files</p>}
    </>
  )
}

function Provenance({
  provenance: { environment, facts, omittedCount },
}: {
  readonly provenance: RunProvenance
}) {
  if (environment === undefined) return <p class="notes">the file does not tell what made this run</p>
  return (
    <>
      <p class="notes">of {environment}</p>
      <dl>
        {facts.map((fact) => (
          <div key={fact.name}>
            <dt title={fact.name}>{fact.name.replace(/^provenance\./, '')}</dt>
            <dd>
              {fact.text}
              <LeftOut text={fact} />
            </dd>
          </div>
        ))}
      </dl>
      {omittedCount > 0 && <p class="notes">and {countText(omittedCount)} more</p>}
    </>
  )
}

function LeftOut({ text: { omittedLength } }: { readonly text: OriginText }) {
  if (omittedLength === 0) return null
  return <p class="notes">and {countText(omittedLength)} more characters</p>
}
