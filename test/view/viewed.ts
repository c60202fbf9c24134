/** A real experiment file, and the real command that shows it. */
import { request } from 'node:http'
import { type Started, start } from '../cli/pypet.ts'

/** What strangers may have written into a file. */
export const HOSTILE = '<img src=x onerror="document.title=1"></script><b>\u001b[31m&'

/** 12 runs: two fail, arrays of one and two axes, a text, a result that only some runs have, a line in the log. */
export const JOB = `
import { cartesianProduct, defineExperiment, parameter } from 'pypet-ts'
const HOSTILE = ${JSON.stringify(HOSTILE)}
export default defineExperiment({
  name: 'waves',
  comment: HOSTILE,
  parameters: {
    x: parameter(1, { comment: HOSTILE }), y: 1, label: HOSTILE,
  },
  explore: cartesianProduct({ x: [1, 2, 3, 4], y: [0.5, 5, 50] }),
  async run(traj) {
    const { x, y } = traj.par
    const restMs = Number(process.env.RUN_MS ?? 0)
    traj.log.info('x is ' + x + ' ' + HOSTILE)
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs))
    if (x === 4 && y > 1 && process.env.NEVER_FAILS === undefined) throw new Error('too steep ' + HOSTILE)
    traj.addResult('z', x * y)
    traj.addResult('big', 9007199254740993n)
    if (x > 1) traj.addResult('half', x / 2)
    traj.addResult('note', x % 2 === 1 ? 'odd' : HOSTILE)
    traj.addResult('trace', Float64Array.from({ length: 10 }, (_, at) => x + at * y))
    traj.addResult('grid', { dtype: 'int32', shape: [2, 3], data: Int32Array.from([0, 1, 2, 10, 11, x]) })
  },
})`

export interface Viewed {
  readonly started: Started
  readonly url: string
  readonly origin: string
  readonly token: string
  get(path: string, options?: Asked): Promise<Answer>
}

interface Asked {
  /** Undefined: the right one. */
  readonly token?: string
  readonly host?: string
  readonly method?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  json<Value>(): Value
}

/** Starts `pypet-ts view` and waits for its address. */
export async function view(folder: string, words: readonly string[]): Promise<Viewed> {
  const started = start(folder, ['view', ...words, '--no-open'])
  await started.until(({ stdout }) => /#token=\S+/.test(stdout))
  const url = /http:\S+/.exec(started.stdout)?.[0] ?? ''
  const [origin = '', token = ''] = url.split('/#token=')
  const get: Viewed['get'] = (path, options = {}) => ask(origin, path, { token, ...options })
  return { started, url, origin, token, get }
}

/** Sends a path as it is, and any `Host`, unlike `fetch`. */
function ask(origin: string, path: string, { token, host, method = 'GET' }: Asked): Promise<Answer> {
  const { hostname, port } = new URL(origin)
  const headers = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(host !== undefined && { Host: host }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          json: () => JSON.parse(body.toString('utf8')),
        })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
