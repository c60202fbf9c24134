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
  return ask('state', [], (response) => response.json())
}

/** @param from the version that is known. Undefined asks for all rows. */
export async function fetchColumns(
  names: readonly string[],
  from: number | undefined,
): Promise<Message<ColumnsHeader>> {
  const query = names.map((name): [string, string] => ['name', name])
  if (from !== undefined) query.push(['from', String(from)])
  return decodeMessage(await ask('columns', query, (response) => response.arrayBuffer()))
}

/** A byte for each run: 1 if it matches. */
export async function fetchFilter(where: string): Promise<Uint8Array> {
  const answer = await ask('filter', [['where', where]], (response) => response.arrayBuffer())
  return decodeMessage<FilterHeader>(answer).take(Uint8Array)
}

export async function fetchRun(run: number): Promise<RunDetail> {
  return ask('run', [['run', String(run)]], (response) => response.json())
}

export async function fetchLog(run: number): Promise<RunLogText> {
  return ask('log', [['run', String(run)]], (response) => response.json())
}

export async function fetchSources(run: number): Promise<RunSources> {
  return ask('source', [['run', String(run)]], (response) => response.json())
}

export async function fetchProvenance(run: number): Promise<RunProvenance> {
  return ask('provenance', [['run', String(run)]], (response) => response.json())
}

export async function fetchArray(run: number, column: string, slice: string): Promise<Message<ArrayHeader>> {
  const query: [string, string][] = [
    ['run', String(run)],
    ['column', column],
    ['slice', slice],
  ]
  return decodeMessage(await ask('array', query, (response) => response.arrayBuffer()))
}

export async function fetchExport(query: readonly [string, string][]): Promise<Blob> {
  return ask('export', query, (response) => response.blob())
}

/** Calls `onState` with each new state until the stream ends. */
export async function followEvents(onState: (state: ViewState) => void): Promise<void> {
  const body = await ask('events', [], async (response) => response.body)
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

/** @throws ViewError, also if the connection is cut before the answer has come whole */
async function ask<Answer>(
  path: string,
  query: readonly [string, string][],
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  const words = query.length === 0 ? '' : `?${new URLSearchParams(query as [string, string][])}`
  try {
    const response = await fetch(`api/${path}${words}`, {
      headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN_KEY) ?? ''}` },
    })
    if (!response.ok) throw new ViewError(await response.json(), response.status)
    return await read(response)
  } catch (error) {
    if (error instanceof ViewError) throw error
    throw new ViewError({ code: 'GONE', message: 'pypet-ts view has ended' }, 0)
  }
}
