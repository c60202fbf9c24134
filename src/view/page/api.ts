/** Asks the server. The token came in the address, and is kept for this tab only. */
import {
  type ArrayHeader,
  type ColumnsHeader,
  decodeMessage,
  type FilterHeader,
  type Message,
  type RunDetail,
  type RunLogText,
  type RunProvenance,
  type RunSources,
  type ViewProblem,
  type ViewState,
} from '../view-protocol.ts'

const TOKEN_KEY = 'pypet-ts token'

/** The server refused, or is gone. */
export class ViewError extends Error {
  readonly problem: ViewProblem
  /** 0 if there was no answer. */
  readonly status: number

  constructor(problem: ViewProblem, status: number) {
    super(problem.message)
    this.problem = problem
    this.status = status
  }
}

export function problemText(error: unknown): string {
  return error instanceof ViewError ? error.problem.message : String(error)
}

/** Moves the token from the address to the storage of the tab, where neither history nor bookmarks have it. */
export function takeToken(): void {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const token = fragment.get('token')
  if (token === null) return
  sessionStorage.setItem(TOKEN_KEY, token)
  fragment.delete('token')
  history.replaceState(null, '', `#${fragment}`)
}

export async function fetchState(): Promise<ViewState> {
  return (await ask('state')).json()
}

/** @param from the version that is known. Undefined asks for all rows. */
export async function fetchColumns(
  names: readonly string[],
  from: number | undefined,
): Promise<Message<ColumnsHeader>> {
  const query = names.map((name): [string, string] => ['name', name])
  if (from !== undefined) query.push(['from', String(from)])
  return decodeMessage(await (await ask('columns', query)).arrayBuffer())
}

/** A byte for each run: 1 if it matches. */
export async function fetchFilter(where: string): Promise<Uint8Array> {
  const answer = await ask('filter', [['where', where]])
  return decodeMessage<FilterHeader>(await answer.arrayBuffer()).take(Uint8Array)
}

export async function fetchRun(run: number): Promise<RunDetail> {
  return (await ask('run', [['run', String(run)]])).json()
}

export async function fetchLog(run: number): Promise<RunLogText> {
  return (await ask('log', [['run', String(run)]])).json()
}

export async function fetchSources(run: number): Promise<RunSources> {
  return (await ask('source', [['run', String(run)]])).json()
}

export async function fetchProvenance(run: number): Promise<RunProvenance> {
  return (await ask('provenance', [['run', String(run)]])).json()
}

export async function fetchArray(run: number, column: string, slice: string): Promise<Message<ArrayHeader>> {
  const query: [string, string][] = [
    ['run', String(run)],
    ['column', column],
    ['slice', slice],
  ]
  return decodeMessage(await (await ask('array', query)).arrayBuffer())
}

export async function fetchExport(query: readonly [string, string][]): Promise<Blob> {
  return (await ask('export', query)).blob()
}

/** Calls `onState` with each new state until the stream ends. */
export async function followEvents(onState: (state: ViewState) => void): Promise<void> {
  const { body } = await ask('events')
  if (body === null) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    // A server that ends may cut the stream.
    const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }))
    if (done) return
    text += value
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      if (event.startsWith('data: ')) onState(JSON.parse(event.slice('data: '.length)))
    }
  }
}

async function ask(path: string, query: readonly [string, string][] = []): Promise<Response> {
  const words = query.length === 0 ? '' : `?${new URLSearchParams(query as [string, string][])}`
  const response = await fetch(`api/${path}${words}`, {
    headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY) ?? ''}` },
  }).catch(() => {
    throw new ViewError({ code: 'GONE', message: 'pypet-ts view has ended' }, 0)
  })
  if (response.ok) return response
  throw new ViewError(await response.json(), response.status)
}
