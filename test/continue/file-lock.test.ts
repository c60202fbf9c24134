/** The lock of an HDF5 file, with owners in processes of their own. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { acquireLock } from '../../src/continue/file-lock.ts'
import { isPypetError } from '../../src/errors.ts'
import { useFolder } from '../storage/temporary-folder.ts'

const inFolder = useFolder()
const REQUEST = { trajectory: 'made', breakLock: false }
const RACERS = 4
const RACES = 40

/** A process that takes and releases locks as it is told, and answers each time. */
const CHILD = `
import { acquireLock } from '${fileURLToPath(new URL('../../src/continue/file-lock.ts', import.meta.url))}'
let lock
process.on('message', ({ action, file, atMs }) => {
  // Who is woken first must not be who is always first.
  while (atMs !== undefined && Date.now() < atMs);
  try {
    if (action === 'acquire') lock = acquireLock(file, { trajectory: 'child', breakLock: false })
    if (action === 'release') lock?.release()
    if (action === 'end') process.exit(0)
    process.send({ notice: lock?.notice ?? 'none' })
  } catch (error) {
    process.send({ code: error.code, message: error.message })
  }
})
process.send('ready')
`

interface Answer {
  readonly notice?: string
  readonly code?: string
  readonly message?: string
}

beforeAll(async () => {
  await build({
    stdin: { contents: CHILD, resolveDir: inFolder('.') },
    outfile: inFolder('child.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
  })
})

async function startChild(): Promise<ChildProcess> {
  const child = fork(inFolder('child.mjs'), { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, action: string, file: string, atMs?: number): Promise<Answer> {
  child.send({ action, file, atMs })
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

function writeLock(file: string, owner: object = {}): void {
  const lock = {
    pid: deadPid(),
    host: hostname(),
    processStart: '1',
    trajectory: 'before',
    since: '2026-01-01T00:00:00.000Z',
  }
  writeFileSync(`${file}.lock`, JSON.stringify({ ...lock, ...owner }))
}

/** Names of everything that belongs to the lock of a file. */
function lockFiles(file: string): string[] {
  return readdirSync(inFolder('.')).filter((name) => name.startsWith(`${basename(file)}.lock`))
}

function refusalOf(take: () => unknown): { code: string; message: string } {
  try {
    take()
  } catch (error) {
    if (isPypetError(error)) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it was not refused')
}

describe('the lock of a file', () => {
  test('is there until it is released, and can be taken again', () => {
    const file = inFolder('free.h5')
    for (let round = 0; round < 2; round += 1) {
      const lock = acquireLock(file, REQUEST)
      expect(lock.notice).toBeUndefined()
      expect(lockFiles(file)).toEqual(['free.h5.lock'])
      lock.release()
      expect(lockFiles(file)).toEqual([])
    }
  })

  test('is refused while another process holds it, with its pid and host, and free when that one ends', async () => {
    const file = inFolder('held.h5')
    const child = await startChild()
    expect(await ask(child, 'acquire', file)).toEqual({ notice: 'none' })
    const { code, message } = refusalOf(() => acquireLock(file, REQUEST))
    expect(code).toBe('PYPET_FILE_LOCKED')
    expect(message).toContain(`process ${child.pid} on ${hostname()}, which writes child since 20`)
    child.send({ action: 'end' })
    await once(child, 'exit')
    expect(lockFiles(file)).toEqual([])
    acquireLock(file, REQUEST).release()
  })

  test('of a process that was killed is taken over, with a word about it', async () => {
    const file = inFolder('killed.h5')
    const child = await startChild()
    await ask(child, 'acquire', file)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(lockFiles(file)).toEqual(['killed.h5.lock'])
    const lock = acquireLock(file, REQUEST)
    expect(lock.notice).toContain(`was left by process ${child.pid} on ${hostname()}`)
    expect(JSON.parse(readFileSync(`${file}.lock`, 'utf8'))).toMatchObject({ pid: process.pid })
    lock.release()
    expect(lockFiles(file)).toEqual([])
  })

  test.skipIf(!existsSync('/proc/self/stat'))(
    'of a dead process is not kept by a later one of its pid',
    () => {
      const file = inFolder('reused.h5')
      writeLock(file, { pid: process.pid, processStart: '1' })
      const lock = acquireLock(file, REQUEST)
      expect(lock.notice).toContain('it is gone')
      lock.release()
    },
  )

  test('of another host is refused, and taken on request only', () => {
    const file = inFolder('elsewhere.h5')
    writeLock(file, { host: 'another-host' })
    const { code, message } = refusalOf(() => acquireLock(file, REQUEST))
    expect(code).toBe('PYPET_FILE_LOCKED_ELSEWHERE')
    expect(message).toContain('on another-host')
    const lock = acquireLock(file, { ...REQUEST, breakLock: true })
    expect(lock.notice).toContain('was taken from process')
    lock.release()
    expect(lockFiles(file)).toEqual([])
  })

  test('of a living process cannot be broken', async () => {
    const file = inFolder('living.h5')
    const child = await startChild()
    await ask(child, 'acquire', file)
    expect(refusalOf(() => acquireLock(file, { ...REQUEST, breakLock: true })).code).toBe('PYPET_FILE_LOCKED')
  })

  test.each(['', 'not JSON', '[]', '{"pid":"1"}', '{"pid":1,"host":1}'])(
    'that says nothing, like %j, is taken over',
    (text) => {
      const file = inFolder('unreadable.h5')
      writeFileSync(`${file}.lock`, text)
      const lock = acquireLock(file, REQUEST)
      expect(lock.notice).toContain('is no lock that can be read')
      lock.release()
      expect(lockFiles(file)).toEqual([])
    },
  )

  test('is not released by who has lost it', () => {
    const file = inFolder('lost.h5')
    const lock = acquireLock(file, REQUEST)
    writeLock(file, { host: 'another-host' })
    lock.release()
    expect(lockFiles(file)).toEqual(['lost.h5.lock'])
  })

  test('in a folder that is not there is refused with a hint', () => {
    const file = inFolder('nowhere/file.h5')
    expect(refusalOf(() => acquireLock(file, REQUEST)).code).toBe('PYPET_FILE_NOT_WRITABLE')
  })

  test('that is stale goes to exactly one of several processes that want it at once', async () => {
    const racers = await Promise.all(Array.from({ length: RACERS }, startChild))
    for (let race = 0; race < RACES; race += 1) {
      const file = inFolder(`race-${race}.h5`)
      writeLock(file, { since: `race ${race}` })
      const atMs = Date.now() + 10
      const answers = await Promise.all(racers.map((racer) => ask(racer, 'acquire', file, atMs)))
      const winners = answers.filter(({ code }) => code === undefined)
      expect(winners, `race ${race}: ${JSON.stringify(answers)}`).toHaveLength(1)
      expect(winners[0]?.notice).toContain('was taken over')
      const refusals = answers.flatMap(({ code }) => (code === undefined ? [] : [code]))
      expect(new Set(refusals)).toEqual(new Set(['PYPET_FILE_LOCKED']))
      const { pid } = JSON.parse(readFileSync(`${file}.lock`, 'utf8'))
      expect(pid).toBe(racers[answers.findIndex(({ code }) => code === undefined)]?.pid)
      expect(lockFiles(file)).toEqual([`race-${race}.h5.lock`])
      await ask(racers[answers.findIndex(({ code }) => code === undefined)] as ChildProcess, 'release', file)
      expect(lockFiles(file)).toEqual([])
    }
  })
})
