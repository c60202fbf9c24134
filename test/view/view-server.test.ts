/** `pypet-ts view` over real HTTP, on a real file. */
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type ColumnsHeader,
  decodeMessage,
  type RunDetail,
  type RunLogText,
  type RunProvenance,
  type RunSources,
  type ViewProblem,
  type ViewState,
} from '../../src/view/view-protocol.ts'
import { pypet, start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { type Answer, HOSTILE, JOB, type Viewed, view } from './viewed.ts'

let folder: string
let shown: Viewed

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--ncores', '1'])
  shown = await view(folder, ['hdf5/waves.h5'])
})

function messageOf<Header>({ body }: Answer) {
  return decodeMessage<Header>(new Uint8Array(body).buffer)
}

describe('who may ask', () => {
  test('the page is for everyone; it says what it may load', async () => {
    const { status, headers, body } = await shown.get('/', { token: '' })
    expect(status).toBe(200)
    expect(String(body)).toContain('<script type="module" src="page.js">')
    expect(headers['content-security-policy']).toMatch(/^default-src 'self'; /)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect((await shown.get('/page.js', { token: '' })).status).toBe(200)
    expect((await shown.get('/page.css', { token: '' })).status).toBe(200)
    const worker = await shown.get('/sorter.js', { token: '' })
    expect([worker.status, worker.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  })

  test.each([
    '/api/state',
    '/api/columns?name=z',
    '/api/filter?where=x',
    '/api/run?run=0',
    '/api/log?run=0',
    '/api/source?run=0',
    '/api/provenance?run=0',
    '/api/array?run=0&column=trace',
    '/api/export?format=csv',
    '/api/events',
    '/api/whatever',
  ])('%s is refused without the token, and with another one', async (path) => {
    expect((await shown.get(path, { token: '' })).status).toBe(403)
    expect((await shown.get(path, { token: `${shown.token.slice(1)}x` })).status).toBe(403)
  })

  test.each(['localhost', 'localhost:1', '127.0.0.1:8000', '127.1.2.3', '[::1]:99', 'pypet.localhost'])(
    'Host %s is this machine',
    async (host) => {
      expect((await shown.get('/api/state', { host })).status).toBe(200)
    },
  )

  test.each(['example.com', 'localhost.example.com', '127.0.0.1.example.com', '192.168.1.2', '[::2]'])(
    'Host %s is refused, even for the page',
    async (host) => {
      expect((await shown.get('/api/state', { host })).status).toBe(403)
      expect((await shown.get('/', { host })).status).toBe(403)
    },
  )

  test.each([
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
    '/page.js/../../launch.js',
    '/constructor',
  ])('%s leads nowhere', async (path) => {
    expect((await shown.get(path)).status).toBe(404)
  })

  test('nothing but reading is answered', async () => {
    expect((await shown.get('/api/state', { method: 'POST' })).status).toBe(405)
    expect((await shown.get('/api/state', { method: 'DELETE' })).status).toBe(405)
  })
})

describe('what is answered', () => {
  test('the state counts all runs and names all columns', async () => {
    const state: ViewState = (await shown.get('/api/state')).json()
    expect(state).toMatchObject({
      file: 'hdf5/waves.h5',
      trajectory: 'waves',
      comment: HOSTILE,
      runCount: 12,
      storedCount: 10,
      failedCount: 2,
      progress: { state: 'ended', command: 'pypet-ts continue hdf5/waves.cnt --retry-failed' },
    })
    expect(state.columns.find(({ name }) => name === 'x')).toMatchObject({ isExplored: true, isSingle: true })
    expect(state.columns.find(({ name }) => name === 'label')).toMatchObject({ isConstant: true })
    expect(state.columns.find(({ name }) => name === 'trace')).toMatchObject({ isSingle: false, shape: [10] })
  })

  test('columns travel as typed arrays; missing values have flags', async () => {
    const answer = await shown.get('/api/columns?name=x&name=half&name=big&name=note&name=status')
    const message = messageOf<ColumnsHeader>(answer)
    const { parts, runCount } = message.header
    expect(runCount).toBe(12)
    expect(parts.map(({ name, hasFlags }) => [name, hasFlags])).toEqual([
      ['x', false],
      ['half', true],
      ['big', true],
      ['note', true],
      ['status', false],
    ])
    expect([...message.take(Float64Array)]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    expect([...message.take(Uint8Array)]).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    expect(message.take(Float64Array)[3]).toBe(1)
    message.take(Uint8Array)
    expect(message.take(BigInt64Array)[0]).toBe(9007199254740993n)
    message.take(Uint8Array)
    const codes = message.take(Uint32Array)
    const texts = parts[3]?.values.form === 'text' ? parts[3].values.texts : []
    expect([0, 3].map((run) => texts[codes[run] as number])).toEqual(['odd', HOSTILE])
    const statuses = message.take(Uint32Array)
    expect(new Set(statuses).size).toBe(2)
  })

  test('nothing is sent again to a page that knows the last version', async () => {
    const { version }: ViewState = (await shown.get('/api/state')).json()
    const answer = await shown.get(`/api/columns?name=z&from=${version}`)
    expect(messageOf<ColumnsHeader>(answer).header.parts).toEqual([])
    // A version of another server.
    const other = await shown.get(`/api/columns?name=z&from=${version + 1}`)
    expect(messageOf<ColumnsHeader>(other).header.parts).toMatchObject([{ start: 0, count: 12 }])
  })

  test('a filter answers with a flag for each run', async () => {
    const where = encodeURIComponent('z > 10 && status == "stored"')
    const flags = messageOf(await shown.get(`/api/filter?where=${where}`)).take(Uint8Array)
    expect([...flags.entries()].flatMap(([run, flag]) => (flag === 1 ? [run] : []))).toEqual([2, 5, 7, 8])
  })

  test.each([
    ['z >', 400, /position/],
    ['zz > 1', 404, /no column "zz"/],
    ['note > 1', 400, /a text/],
    ['z +', 400, /./],
  ])('the filter %s is refused with the reason', async (where, status, message) => {
    const answer = await shown.get(`/api/filter?where=${encodeURIComponent(where)}`)
    expect([answer.status, answer.json<ViewProblem>().message]).toEqual([
      status,
      expect.stringMatching(message),
    ])
  })

  test('a run has its values, its failure and commands', async () => {
    const stored = (await shown.get('/api/run?run=5')).json<RunDetail>()
    const itemOf = (name: string) => stored.items.find((item) => item.name === name)?.value
    expect(stored).toMatchObject({ status: 'stored', attempts: 1, host: hostname() })
    expect([stored.runtime, stored.start]).toEqual([expect.any(Number), expect.any(Number)])
    expect(stored.items.map(({ name }) => name).sort()).toEqual(
      ['x', 'y', 'z', 'big', 'half', 'note', 'trace', 'grid', 'label'].sort(),
    )
    expect(itemOf('z')).toEqual({ form: 'text', text: '100' })
    expect(itemOf('big')).toEqual({ form: 'text', text: '9007199254740993' })
    expect(itemOf('grid')).toEqual({ form: 'array', shape: [2, 3] })
    expect(itemOf('note')).toEqual({ form: 'text', text: HOSTILE })
    const failed = (await shown.get('/api/run?run=11')).json<RunDetail>()
    expect(failed.failure).toContain(`too steep ${HOSTILE}`)
    expect(failed.commands.map(({ command }) => command)).toEqual([
      'pypet-ts run job.mjs --point 11 --inspect',
      'pypet-ts continue hdf5/waves.cnt --retry-failed',
      'pypet-ts show hdf5/waves.h5 11',
    ])
    expect(failed.failure).toMatch(/job\.mjs:\d+/)
    expect(stored.failure).toBe('')
  })

  test('a run has its log lines, the source of its job, and its provenance', async () => {
    const log = (await shown.get('/api/log?run=5')).json<RunLogText>()
    expect(log).toMatchObject({ file: 'logs/waves/main.txt', omittedCount: 0, unreadBytes: 0 })
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toMatch(/ INFO {2}run_00000005: x is 2 <img /)
    const source = (await shown.get('/api/source?run=5')).json<RunSources>()
    expect(source.environment).toMatch(/^environment_/)
    expect(source.files).toEqual([{ name: 'job.mjs', text: JOB, omittedLength: 0 }])
    const { facts } = (await shown.get('/api/provenance?run=5')).json<RunProvenance>()
    expect(facts[0]).toMatchObject({
      name: 'provenance.argv',
      text: expect.stringMatching(/run job\.mjs --ncores 1$/),
    })
    const textOf = (name: string) => facts.find((fact) => fact.name === name)?.text
    expect(textOf('provenance.node')).toBe(process.versions.node)
    expect(textOf('provenance.host')).toBe(hostname())
    expect(textOf('provenance.options')).toContain('ncores = 1 (--ncores)')
    expect(textOf('ncores')).toBe('1')
  })

  test.each(['log', 'source', 'provenance'])(
    '/api/%s reads of a run, and of nothing that is asked for',
    async (name) => {
      const answer = await shown.get(`/api/${name}?run=3`)
      for (const word of ['file', 'path', 'folder', 'log', 'trajectory'])
        expect((await shown.get(`/api/${name}?run=3&${word}=/etc/passwd`)).body).toEqual(answer.body)
      for (const run of ['', '-1', '12', '1e1', '../3', '%2fetc%2fpasswd'])
        expect([run, (await shown.get(`/api/${name}?run=${run}`)).status]).toEqual([run, 404])
    },
  )

  test('of a long log, the last lines are sent; what is left out is told, and where no log is', async () => {
    const own = fileTree({ 'job.mjs': JOB })
    await pypet(own, ['run', 'job.mjs', '--ncores', '1'])
    const path = join(own, 'logs/waves/main.txt')
    truncateSync(path, 70 * 2 ** 20)
    const head = '2099-01-01 00:00:00.000 INFO  run_00000003:'
    const lines = Array.from({ length: 2500 }, (_, at) => `${head} step ${at}`)
    appendFileSync(path, `\n${lines.join('\n')}\n${head} \u202eesc \u001b[2J${'x'.repeat(20_000)}\n`)
    const shownOwn = await view(own, ['hdf5/waves.h5'])
    const log = (await shownOwn.get('/api/log?run=3')).json<RunLogText>()
    expect(log.lines).toHaveLength(2000)
    expect(log.lines[0]).toBe(`${head} step 501`)
    expect(log.lines.at(-1)).toMatch(/: \ufffdesc \ufffd\[2Jx+ …$/)
    expect(log.lines.at(-1)?.length).toBeLessThan(10_100)
    expect(log.omittedCount).toBe(501)
    expect(log.unreadBytes).toBe(statSync(path).size - 64 * 2 ** 20)
    const { stdout } = await pypet(own, ['show', 'hdf5/waves.h5', '3'])
    expect(stdout).toContain('logs/waves/main.txt, 2,482 earlier lines not shown (--all shows them)')
    rmSync(join(own, 'logs'), { recursive: true })
    const none = (await shownOwn.get('/api/log?run=3')).json<RunLogText>()
    expect([none.file, none.lines, none.looked[0]]).toEqual([undefined, [], 'logs/waves'])
  })

  test('slices of an array are cut on this side', async () => {
    const message = messageOf(await shown.get('/api/array?run=3&column=grid&slice=1:2,1:3'))
    expect(message.header).toMatchObject({ dtype: 'int32', shape: [2, 3] })
    expect([...message.take(Int32Array)]).toEqual([11, 2])
    const whole = messageOf(await shown.get('/api/array?run=0&column=trace'))
    expect([...whole.take(Float64Array)]).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5])
  })

  test.each([
    ['run=0&column=trace&slice=0:11', 400],
    ['run=0&column=trace&slice=5:4', 400],
    ['run=0&column=trace&slice=-1:2', 400],
    ['run=0&column=trace&slice=0:1,0:1', 400],
    ['run=0&column=trace&slice=a', 400],
    ['run=0&column=z', 400],
    ['run=11&column=trace', 400],
    ['run=0&column=nothing', 404],
    ['run=12&column=trace', 404],
    ['run=-1&column=trace', 404],
    ['run=&column=trace', 404],
    ['run=1e1&column=trace', 404],
  ])('the slice %s is refused', async (query, status) => {
    const answer = await shown.get(`/api/array?${query}`)
    expect([answer.status, typeof answer.json<ViewProblem>().message]).toEqual([status, 'string'])
  })

  test('the export is what `table --csv` prints', async () => {
    const where = 'z > 10'
    const query = new URLSearchParams([
      ['format', 'csv'],
      ['select', 'x'],
      ['select', 'z'],
      ['where', where],
      ['sort', '-z'],
    ])
    const answer = await shown.get(`/api/export?${query}`)
    const words = ['table', 'hdf5/waves.h5', '--select', 'x,z', '--where', where, '--sort=-z', '--csv']
    expect(String(answer.body)).toBe((await pypet(folder, words)).stdout)
    const parquet = (await shown.get(`/api/export?format=parquet&select=x`)).body
    expect([String(parquet.subarray(0, 4)), String(parquet.subarray(-4))]).toEqual(['PAR1', 'PAR1'])
    expect((await shown.get('/api/export?format=exe')).status).toBe(400)
  })

  test('twenty requests at once are all answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, run) => shown.get(`/api/run?run=${run % 12}`)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  })
})

describe.skipIf(!existsSync('/proc/self/fd'))('an export that is not read to its end', () => {
  let large: Viewed
  beforeAll(async () => {
    const own = fileTree({ 'job.mjs': JOB.replace('length: 10', 'length: 300_000') })
    // Of an experiment that is not finished, the table is read before it is sent.
    await pypet(own, ['run', 'job.mjs', '--ncores', '1'], { NEVER_FAILS: '1' })
    large = await view(own, ['hdf5/waves.h5'])
  })

  test.each(['csv', 'jsonl', 'parquet'])(
    'waits as %s, and closes the file when its reader leaves',
    async (format) => {
      const { hostname, port } = new URL(large.origin)
      const asked = request({
        hostname,
        port,
        path: `/api/export?format=${format}&select=trace`,
        headers: { Authorization: `Bearer ${large.token}` },
      })
      const [response]: IncomingMessage[] = await once(asked.end(), 'response')
      await delay(1000)
      expect(openCount(large, 'waves.h5')).toBe(1)
      response?.destroy()
      await expect.poll(() => openCount(large, 'waves.h5'), { timeout: 10_000 }).toBe(0)
      expect(large.started.stderr).toBe('')
    },
  )
})

/** How often the server has a file open. */
function openCount({ started }: Viewed, name: string): number {
  const folder = `/proc/${started.process.pid}/fd`
  return readdirSync(folder).filter((each) => {
    try {
      return readlinkSync(join(folder, each)).endsWith(name)
    } catch {
      return false
    }
  }).length
}

describe('a file that does not stay', () => {
  test('a removed file is told; when it is back, so is the page', async () => {
    const path = join(folder, 'hdf5/copy.h5')
    copyFileSync(join(folder, 'hdf5/waves.h5'), path)
    const copy = await view(folder, ['hdf5/copy.h5'])
    renameSync(path, `${path}.away`)
    const gone: ViewState = (await copy.get('/api/state')).json()
    expect(gone.problem).toMatchObject({
      code: 'PYPET_FILE_NOT_FOUND',
      message: 'hdf5/copy.h5 was removed or renamed',
    })
    expect(gone.runCount).toBe(12)
    expect((await copy.get('/api/run?run=0')).status).toBe(503)
    renameSync(`${path}.away`, path)
    const back: ViewState = (await copy.get('/api/state')).json()
    expect([back.problem, back.storedCount]).toEqual([undefined, 10])
    expect((await copy.get('/api/run?run=0')).status).toBe(200)
  })

  test('a file that another one replaces is read anew, as a whole', async () => {
    const path = join(folder, 'hdf5/other.h5')
    copyFileSync(join(folder, 'hdf5/waves.h5'), path)
    const copy = await view(folder, ['hdf5/other.h5'])
    const { version }: ViewState = (await copy.get('/api/state')).json()
    const other = fileTree({ 'job.mjs': JOB.replace('x: [1, 2, 3, 4]', 'x: [7, 8]') })
    await pypet(other, ['run', 'job.mjs', '--ncores', '1'])
    rmSync(path)
    copyFileSync(join(other, 'hdf5/waves.h5'), path)
    const state: ViewState = (await copy.get('/api/state')).json()
    expect(state.runCount).toBe(6)
    const message = messageOf<ColumnsHeader>(await copy.get(`/api/columns?name=x&from=${version}`))
    expect(message.header.parts).toMatchObject([{ start: 0, count: 6 }])
    expect([...message.take(Float64Array)]).toEqual([7, 7, 7, 8, 8, 8])
    writeFileSync(path, 'no HDF5')
    const broken: ViewState = (await copy.get('/api/state')).json()
    expect(broken.problem?.code).toBe('PYPET_FILE_NOT_HDF5')
  })
})

describe('the command', () => {
  test('Ctrl-C ends it with 0, even while a page listens', async () => {
    const own = await view(folder, ['hdf5/waves.h5'])
    void own.get('/api/events').catch(() => undefined)
    await delay(200)
    own.started.process.kill('SIGINT')
    const { exitCode, stderr } = await own.started.ended()
    expect([exitCode, stderr]).toEqual([0, ''])
  })

  test('a port in use is named', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { exitCode, stderr } = await pypet(folder, ['view', 'hdf5/waves.h5', '--port', String(port)])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is in use`)
  })

  test.each([
    [['hdf5/waves.h5', '--host', '0.0.0.0'], '0.0.0.0 can be reached from other machines'],
    [['hdf5/waves.h5', '--host', 'example.com'], 'example.com can be reached from other machines'],
    [['hdf5/waves.h5', '--port', '70000'], '"70000" is not a port'],
    [['hdf5/waves.h5', '--port', 'x'], '"x" is not a port'],
    [['hdf5/none.h5'], 'none.h5'],
    [['job.mjs'], 'job.mjs'],
    [['hdf5/waves.h5', '--trajectory', 'wave'], 'no trajectory "wave"'],
  ])('pypet-ts view %j is refused', async (words, message) => {
    const { exitCode, stderr, stdout } = await pypet(folder, ['view', ...words, '--no-open'])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
  })

  test('--allow-remote listens elsewhere, and still wants the token', async () => {
    const own = await view(folder, ['hdf5/waves.h5', '--host', '0.0.0.0', '--allow-remote'])
    expect((await own.get('/api/state', { host: 'node17.cluster' })).status).toBe(200)
    expect((await own.get('/api/state', { host: 'node17.cluster', token: '' })).status).toBe(403)
  })
})

describe('an experiment that runs meanwhile', () => {
  test('only new runs are sent; a kill gives the command to go on, and the page goes on with it', async () => {
    const live = fileTree({ 'job.mjs': JOB })
    const env = { RUN_MS: '1000', NEVER_FAILS: '1' }
    const running = start(live, ['run', 'job.mjs', '--ncores', '1'], env)
    await running.until(({ stderr, stdout }) => /stored|runs/.test(stderr + stdout))
    const own = await viewWhenThere(live)
    const stateOf = async (): Promise<ViewState> => (await own.get('/api/state')).json()
    let state = await stateOf()
    while (state.storedCount < 2) {
      await delay(100)
      state = await stateOf()
    }
    expect(state.progress.state).toBe('running')
    const { version, storedCount } = state
    while (state.storedCount < storedCount + 2) {
      await delay(100)
      state = await stateOf()
    }
    const message = messageOf<ColumnsHeader>(await own.get(`/api/columns?name=z&from=${version}`))
    const sent = message.header.parts.reduce((sum, { count }) => sum + count, 0)
    expect(sent).toBeGreaterThanOrEqual(2)
    expect(sent).toBeLessThan(12)
    process.kill(-(running.process.pid as number), 'SIGKILL')
    await running.ended()
    while (state.progress.state === 'running') {
      await delay(100)
      state = await stateOf()
    }
    expect(state.progress).toMatchObject({ state: 'stopped', command: 'pypet-ts continue hdf5/waves.cnt' })
    await pypet(live, ['continue', 'hdf5/waves.cnt'], { NEVER_FAILS: '1' })
    state = await stateOf()
    expect(state).toMatchObject({ storedCount: 12, progress: { state: 'ended' } })
    expect(state.progress.command).toBeUndefined()
  })
})

/** The file comes with the first commit. */
async function viewWhenThere(live: string): Promise<Viewed> {
  for (;;) {
    try {
      return await view(live, ['hdf5/waves.h5'])
    } catch {
      await delay(100)
    }
  }
}
