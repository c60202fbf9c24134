/**
 * The server of the page: static files for everyone on this machine, data for those with the token. It only reads.
 *
 * Three rules protect the data from other programs and from web pages: it listens on a loopback address; `Host` must
 * name one, so that no domain can be pointed here; and data needs a token that only the printed address has.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isPypetError, PypetError } from '../errors.ts'
import { csvText, jsonLines } from '../export/text-rows.ts'
import { ownFile } from '../own-files.ts'
import { useTable } from '../results/open-table.ts'
import { matchingRuns, queryRuns, type ResultTable } from '../results/query.ts'
import { type RunReport, type RunReportOptions, RunReports } from '../results/run-report.ts'
import type { TypedArray } from '../values/typed-array.ts'
import { encodeColumns } from './column-message.ts'
import { CpuBudget, IDLE_CORES_MIN, idleMs } from './cpu-budget.ts'
import { type ColumnAnswer, FollowedColumns } from './followed-columns.ts'
import { isLoopback } from './host.ts'
import { type Changed, LiveFile } from './live-file.ts'
import { type CommandsOf, readArraySlice, runDetail } from './run-detail.ts'
import { runLogText, runProvenance, runSources } from './run-origin.ts'
import { problemOf } from './view-problem.ts'
import { encodeMessage, type FilterHeader, type ViewProblem } from './view-protocol.ts'

export interface ViewOptions {
  readonly trajectory?: string | undefined
  /** 0, the default, takes any free port. */
  readonly port?: number | undefined
  /** A loopback address, unless remote ones are allowed. */
  readonly host?: string | undefined
  readonly allowRemote?: boolean | undefined
  readonly commandsOf?: CommandsOf
  /** Called from time to time while a page is open: whether a core has been idle since the last time. */
  readonly onCores?: (isOneIdle: boolean) => void
}

export interface ViewServer {
  /** With the token in its fragment, which a browser does not send. */
  readonly url: string
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/**
 * Serves the page of a file.
 *
 * @throws PypetError as `LiveFile.open`; `PYPET_USAGE` for a host that other machines reach; `PYPET_SYSTEM_FAILED` if
 *   the port is in use
 */
export async function serveView(file: string, options: ViewOptions = {}): Promise<ViewServer> {
  const host = options.host ?? HOST
  if (options.allowRemote !== true && !isLoopback(host)) {
    throw new PypetError('PYPET_USAGE', `${host} can be reached from other machines`, {
      where: '--host',
      hint: 'Use `ssh -L` to look from another machine (docs/viewer.md), or add --allow-remote.',
    })
  }
  const live = await LiveFile.open(file, options.trajectory)
  const service = new ViewService(live, options)
  const server = createServer((request, response) => void service.answer(request, response))
  // What a browser keeps open would keep the process.
  server.keepAliveTimeout = 5000
  const port = await listen(server, options.port ?? 0, host)
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${name}:${port}/#token=${service.token}`,
    async close() {
      service.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      reject(
        new PypetError(
          'PYPET_USAGE',
          `cannot listen on ${host}:${port}: ${isTaken ? 'the port is in use' : error.message}`,
          {
            where: isTaken || error.code === 'EACCES' ? '--port' : '--host',
            hint: isTaken ? 'Choose another port, or leave out --port for a free one.' : undefined,
            cause: error,
          },
        ),
      )
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** By path. Nothing else is served, so no path can climb out of the folder. */
const PAGE_FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/sorter.js': ['sorter.js', 'text/javascript; charset=utf-8'],
  '/favicon.ico': ['page.svg', 'image/svg+xml'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
}

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** Proxies and `ssh` drop quiet connections. */
const ALIVE_MS = 15_000

class ViewService {
  readonly token = randomBytes(24).toString('base64url')
  readonly #live: LiveFile
  readonly #allowsRemote: boolean
  readonly #commandsOf: CommandsOf
  readonly #onCores: ((isOneIdle: boolean) => void) | undefined
  readonly #listeners = new Set<ServerResponse>()
  readonly #followed = new FollowedColumns()
  readonly #closing = new AbortController()
  #isWatching = false

  constructor(live: LiveFile, { allowRemote, commandsOf, onCores }: ViewOptions) {
    this.#live = live
    this.#allowsRemote = allowRemote === true
    this.#commandsOf = commandsOf ?? (() => [])
    this.#onCores = onCores
  }

  close(): void {
    this.#closing.abort()
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      await this.#route(request, response)
    } catch (error) {
      const status = isPypetError(error) ? (STATUS_OF[error.code] ?? 503) : 500
      refuse(response, status, problemOf(error))
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (!this.#allowsRemote && !isLoopback(hostnameOf(request.headers.host))) {
      return refuse(response, 403, forbidden('this server answers only to names of this machine'))
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, 405, forbidden('this server is only read'))
    }
    const [path = '', query = ''] = (request.url ?? '').split('?')
    if (Object.hasOwn(PAGE_FILES, path)) return sendPageFile(response, path)
    if (!path.startsWith('/api/')) return refuse(response, 404, forbidden('there is nothing at this address'))
    if (!this.#isAllowed(request)) {
      return refuse(response, 403, forbidden('the token is missing or wrong'))
    }
    return this.#answerData(path.slice('/api/'.length), new URLSearchParams(query), response)
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    const given = Buffer.from(headers.authorization ?? '')
    const wanted = Buffer.from(`Bearer ${this.token}`)
    return given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted)
  }

  async #answerData(name: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    switch (name) {
      case 'state':
        await this.#live.look(this.#followed.readNews)
        return sendJson(response, this.#live.state)
      case 'events':
        return this.#listen(response)
      case 'columns':
        return this.#sendColumns(query, response)
      case 'filter':
        return this.#sendFilter(query.get('where') ?? '', response)
      case 'run': {
        const { version } = this.#live.state
        const report = await this.#report(query, { withSources: false, withValues: true })
        return sendJson(response, { version, ...runDetail(report, this.#commandsOf) })
      }
      case 'log':
        return sendJson(response, await runLogText(await this.#report(query)))
      case 'source':
        return sendJson(
          response,
          runSources(await this.#report(query, { withSources: true, withValues: false })),
        )
      case 'provenance':
        return sendJson(response, runProvenance(await this.#report(query)))
      case 'array': {
        const wanted = {
          run: runOf(query),
          column: query.get('column') ?? '',
          slice: query.get('slice') ?? '',
        }
        const { header, values } = await this.#live.read((data) => readArraySlice(data, wanted))
        return sendMessage(response, header, [values])
      }
      case 'export':
        return this.#sendExport(query, response)
      default:
        return refuse(response, 404, forbidden('there is nothing at this address'))
    }
  }

  #report(
    query: URLSearchParams,
    options: RunReportOptions = { withSources: false, withValues: false },
  ): Promise<RunReport> {
    const run = runOf(query)
    return this.#live.read((data, reader) => new RunReports(reader, data, options).report(run))
  }

  async #sendExport(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const format = query.get('format') ?? ''
    if (!Object.hasOwn(EXPORTS, format)) {
      throw new PypetError('PYPET_USAGE', `cannot export as ${JSON.stringify(format.slice(0, 20))}`, {
        where: 'format',
        hint: `Use one of ${Object.keys(EXPORTS).join(', ')}.`,
      })
    }
    const { type, write } = EXPORTS[format] as ExportFormat
    const [where, sort] = [query.get('where') ?? '', query.get('sort') ?? '']
    const wanted = {
      select: query.getAll('select'),
      ...(where !== '' && { where }),
      ...(sort !== '' && { sort: [sort] }),
    }
    const { trajectory } = this.#live.state
    const left = new AbortController()
    response.on('close', () => left.abort())
    // A table whose reader has left is not read to its end, and its file is closed.
    const signal = AbortSignal.any([left.signal, this.#closing.signal])
    await useTable(
      this.#live.file,
      { trajectory },
      (data) => queryRuns(data, wanted, ({ columns }) => columns),
      async (table) => {
        response.writeHead(200, { 'Content-Type': type })
        await write(table, async (piece) => {
          signal.throwIfAborted()
          if (!response.write(piece)) await once(response, 'drain', { signal })
        })
        response.end()
      },
    )
  }

  async #sendColumns(query: URLSearchParams, response: ServerResponse): Promise<void> {
    // Before the read, so that what a commit changes meanwhile is sent again.
    const { version } = this.#live.state
    const from = query.get('from')
    const names = query.getAll('name')
    const known = from === null ? undefined : this.#followed.take(names, Number(from), version)
    const { parts, arrays, runCount } = known ?? (await this.#readColumns(names, from))
    sendMessage(response, { version, runCount, parts }, arrays)
  }

  #readColumns(names: readonly string[], from: string | null): Promise<Omit<ColumnAnswer, 'version'>> {
    const changed: Changed =
      from === null ? { runs: 'all', fresh: undefined } : this.#live.changedSince(Number(from))
    return this.#live.read((data) => {
      const runs = changed.runs === 'all' ? [0, data.runCount] : changed.runs
      const columns = names.map((name) => data.find(name))
      return { runCount: data.runCount, ...encodeColumns(data, columns, runs) }
    }, changed.fresh)
  }

  async #sendFilter(where: string, response: ServerResponse): Promise<void> {
    const { version } = this.#live.state
    const flags = await this.#live.read((data) => {
      const flags = new Uint8Array(data.runCount)
      for (const run of matchingRuns(data, where, 'filter')) flags[run] = 1
      return flags
    })
    sendMessage(response, { version } satisfies FilterHeader, [flags])
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    response.write(eventOf(this.#live.state))
    const alive = setInterval(() => response.write(': still here\n\n'), ALIVE_MS)
    this.#listeners.add(response)
    response.on('close', () => {
      clearInterval(alive)
      this.#listeners.delete(response)
    })
    if (!this.#isWatching) void this.#watch()
  }

  /** Looks while somebody listens. */
  async #watch(): Promise<void> {
    this.#isWatching = true
    const budget = new CpuBudget()
    let before = usage()
    while (this.#listeners.size > 0 && !this.#closing.signal.aborted) {
      if (await this.#live.look(this.#followed.readNews)) {
        const event = eventOf(this.#live.state)
        for (const listener of this.#listeners) listener.write(event)
      }
      // Includes what pages have asked for since the last look.
      const after = usage()
      const passedMs = after.clockMs - before.clockMs
      const isCoreIdle = (after.idleMs - before.idleMs) / passedMs >= IDLE_CORES_MIN
      this.#onCores?.(isCoreIdle)
      const restMs = budget.restMs(after.usedMs - before.usedMs, passedMs, isCoreIdle)
      before = after
      await delay(restMs, undefined, { signal: this.#closing.signal }).catch(() => undefined)
    }
    this.#isWatching = false
  }
}

type Send = (piece: string | Uint8Array) => Promise<void>

interface ExportFormat {
  readonly type: string
  readonly write: (table: ResultTable, send: Send) => Promise<void>
}

const EXPORTS: Readonly<Record<string, ExportFormat>> = {
  csv: { type: 'text/csv; charset=utf-8', write: (table, send) => sendPieces(csvText(table), send) },
  jsonl: {
    type: 'application/x-ndjson; charset=utf-8',
    write: (table, send) => sendPieces(jsonLines(table), send),
  },
  parquet: {
    type: 'application/vnd.apache.parquet',
    write: async (table, send) => {
      const { writeParquet } = await import('../export/parquet.ts')
      // The writer uses its memory again.
      await writeParquet(table, { metadata: {}, write: (bytes) => send(bytes.slice()) })
    },
  },
}

async function sendPieces(pieces: Iterable<Uint8Array>, send: Send): Promise<void> {
  for (const piece of pieces) await send(piece)
}

function usage() {
  const { user, system } = process.cpuUsage()
  return { usedMs: (user + system) / 1000, clockMs: performance.now(), idleMs: idleMs() }
}

/** Other codes are of the file, which cannot be read now: 503. */
const STATUS_OF: Readonly<Partial<Record<string, number>>> = {
  PYPET_USAGE: 400,
  PYPET_COLUMN_UNKNOWN: 404,
  PYPET_EXPRESSION_INVALID: 400,
  PYPET_RUN_UNKNOWN: 404,
}

/** @throws PypetError `PYPET_RUN_UNKNOWN` for what is not a number */
function runOf(query: URLSearchParams): string {
  const text = query.get('run') ?? ''
  if (/^\d+$/.test(text)) return text
  throw new PypetError('PYPET_RUN_UNKNOWN', `there is no run ${JSON.stringify(text.slice(0, 20))}`, {
    where: 'run',
    hint: 'Give the number of a run, as in run=17.',
  })
}

/** Without the port, which `ssh -L` may change. */
function hostnameOf(host: string | undefined): string {
  return (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

function forbidden(message: string): ViewProblem {
  return { code: 'REFUSED', message }
}

function refuse(response: ServerResponse, status: number, problem: ViewProblem): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(problem))
}

function sendPageFile(response: ServerResponse, path: string): void {
  const [file, type] = PAGE_FILES[path] as readonly [string, string]
  response.writeHead(200, { 'Content-Type': type })
  response.end(readFileSync(ownFile(`dist/page/${file}`)))
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(value))
}

function sendMessage(response: ServerResponse, header: object, arrays: readonly TypedArray[]): void {
  const parts = encodeMessage(header, arrays)
  const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes })
  for (const part of parts) response.write(part)
  response.end()
}

function eventOf(state: object): string {
  return `data: ${JSON.stringify(state)}\n\n`
}
