/** The lock of an HDF5 file, with owners in processes of their own. */
import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { isPypetError } from '../../src/errors.ts'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { verdictOf } from '../../src/journal/lock-owner.ts'
import { fateOf, ownProcess } from '../../src/process-facts.ts'
import { temporaryBeside } from '../../src/temporary-names.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const REQUEST = { trajectory: 'made', breakLock: false }
const RACERS = 4
const RACES = 40

/** A process that takes and releases locks as it is told, and answers each time. */
const CHILD = `
import { acquireLock } from '${fileURLToPath(new URL('../../src/journal/file-lock.ts', import.meta.url))}'
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

/** @param PATH where it finds `flock` */
async function startChild(PATH = process.env.PATH): Promise<ChildProcess> {
  const child = fork(inFolder('child.mjs'), { execArgv: [], env: { ...process.env, PATH } })
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
    ...ownProcess(),
    pid: deadPid(),
    processStart: '1',
    keptBy: 'name',
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

/** A folder for PATH, with a `flock` that says what file systems without locks say. */
function withFailingFlock(folder: string): void {
  mkdirSync(folder)
  writeFileSync(`${folder}/flock`, '#!/bin/sh\nexit 71\n', { mode: 0o755 })
}

const hasFlock = spawnSync('flock', ['--version']).status === 0

describe('who is gone', () => {
  const before = { isOurs: undefined, isShared: false, fate: 'unseen', isSameBoot: false } as const
  test.each([
    ['flock', { isOurs: true }, 'gone'],
    ['flock', { isOurs: false, fate: 'gone' }, 'alive'],
    ['name', { isOurs: false, fate: 'gone' }, 'alive'],
    ['flock', { isOurs: true, isShared: true }, 'unknown'],
    ['flock', { isOurs: true, isShared: true, isSameBoot: true }, 'gone'],
    ['flock', { isOurs: true, isShared: true, fate: 'gone' }, 'gone'],
    ['name', { isOurs: true }, 'unknown'],
    ['name', { isOurs: true, fate: 'alive' }, 'alive'],
    ['name', { fate: 'gone' }, 'gone'],
    ['flock', { fate: 'alive' }, 'alive'],
    ['flock', {}, 'unknown'],
  ] as const)('kept by %s, with %j: %s', (keptBy, evidence, verdict) => {
    expect(verdictOf({ keptBy }, { ...before, ...evidence })).toBe(verdict)
  })

  test.each([
    [{}, 'alive'],
    [{ pid: deadPid() }, 'gone'],
    [{ processStart: '1' }, 'gone'],
    [{ bootId: 'before the reboot' }, 'gone'],
    [{ bootId: 'another', host: 'another-host' }, 'unseen'],
    [{ bootId: 'another', machineId: 'another' }, 'unseen'],
    [{ pidNamespace: 'pid:[1]' }, 'unseen'],
  ])('this process with %j is %s', (other, fate) => {
    expect(fateOf({ ...ownProcess(), ...other })).toBe(fate)
  })
})

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
    expect(message).toContain(`process ${child.pid} on ${hostname()} (child, since 20`)
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
    expect(lock.notice).toContain(`was taken over from process ${child.pid} on ${hostname()}`)
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
      expect(lock.notice).toContain('which is gone')
      lock.release()
    },
  )

  test('of another host is refused, and taken on request only', () => {
    const file = inFolder('elsewhere.h5')
    writeLock(file, { host: 'another-host', bootId: 'another boot' })
    const { code, message } = refusalOf(() => acquireLock(file, REQUEST))
    expect(code).toBe('PYPET_FILE_LOCKED_ELSEWHERE')
    expect(message).toContain('on another-host')
    const lock = acquireLock(file, { ...REQUEST, breakLock: true })
    expect(lock.notice).toContain('was taken over from process')
    lock.release()
    expect(lockFiles(file)).toEqual([])
  })

  test('of a living process cannot be broken', async () => {
    const file = inFolder('living.h5')
    const child = await startChild()
    await ask(child, 'acquire', file)
    expect(refusalOf(() => acquireLock(file, { ...REQUEST, breakLock: true })).code).toBe('PYPET_FILE_LOCKED')
  })

  test.skipIf(!hasFlock)('is the one that the system keeps, whatever the text in it says', async () => {
    const file = inFolder('contained.h5')
    const child = await startChild()
    await ask(child, 'acquire', file)
    // What a process of a container looks like from another one: its pid is nobody's here.
    writeLock(file, { keptBy: 'flock' })
    const { code, message } = refusalOf(() => acquireLock(file, { ...REQUEST, breakLock: true }))
    expect(code).toBe('PYPET_FILE_LOCKED')
    expect(message).toContain('(before, since')
    child.kill('SIGKILL')
    await once(child, 'exit')
    acquireLock(file, REQUEST).release()
  })

  test('is one, by whatever name the file is called', async () => {
    const file = inFolder('real.h5')
    writeFileSync(file, '')
    mkdirSync(inFolder('links'))
    for (const link of ['link.h5', 'links/link.h5']) symlinkSync(file, inFolder(link))
    const child = await startChild()
    await ask(child, 'acquire', inFolder('links/link.h5'))
    for (const name of ['real.h5', 'link.h5']) {
      const { code, message } = refusalOf(() => acquireLock(inFolder(name), REQUEST))
      expect(code).toBe('PYPET_FILE_LOCKED')
      expect(message).toContain(`${inFolder(name)} is being written by process ${child.pid}`)
    }
    expect(lockFiles(file)).toEqual(['real.h5.lock'])
  })

  test('is that of the file to come, where a link leads to none yet', () => {
    const link = inFolder('dangling.h5')
    symlinkSync('to-come.h5', link)
    const lock = acquireLock(link, REQUEST)
    expect(lockFiles(inFolder('to-come.h5'))).toEqual(['to-come.h5.lock'])
    lock.release()
  })

  test.skipIf(process.platform === 'win32')(
    'is refused where flock gives no answer, whatever the text in it says',
    async () => {
      mkdirSync(inFolder('silent'))
      writeFileSync(`${inFolder('silent')}/flock`, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
      const file = inFolder('silent.h5')
      writeLock(file)
      const child = await startChild(`${inFolder('silent')}:${process.env.PATH}`)
      expect(await ask(child, 'acquire', file)).toMatchObject({ code: 'PYPET_FILE_LOCKED' })
    },
    20_000,
  )

  test('is not held by who finds another one in its place after it was written', () => {
    const file = inFolder('between.h5')
    // Called while the lock is about to be written: now somebody without flock puts a lock there.
    const trajectory = {
      toJSON() {
        writeLock(`${file}.other`, { ...ownProcess(), trajectory: 'other' })
        renameSync(`${file}.other.lock`, `${file}.lock`)
        return 'made'
      },
    } as unknown as string
    const { code, message } = refusalOf(() => acquireLock(file, { ...REQUEST, trajectory }))
    expect(code).toBe('PYPET_FILE_LOCKED')
    expect(message).toContain('(other, since')
    expect(lockFiles(file)).toEqual(['between.h5.lock'])
  })

  test('of a file with a second name is refused, with the command that copies it', () => {
    const file = inFolder('two names.h5')
    writeFileSync(file, '')
    linkSync(file, inFolder('second.h5'))
    const { code, message } = refusalOf(() => acquireLock(file, REQUEST))
    expect(code).toBe('PYPET_FILE_NOT_WRITABLE')
    expect(message).toContain('has 2 names (hard links)')
    try {
      acquireLock(file, REQUEST)
    } catch (error) {
      const command = /Replace it with a copy: (.*)$/.exec((error as { hint: string }).hint)?.[1] as string
      execFileSync('sh', ['-c', command])
    }
    acquireLock(file, REQUEST).release()
  })

  test.skipIf(process.platform === 'win32')('is not written through a link that somebody has planted', () => {
    const file = inFolder('planted.h5')
    const precious = inFolder('precious')
    writeFileSync(precious, 'precious')
    symlinkSync(precious, `${file}.lock`)
    const { code, message } = refusalOf(() => acquireLock(file, REQUEST))
    expect(code).toBe('PYPET_FILE_NOT_WRITABLE')
    expect(message).toContain('planted.h5.lock is a symbolic link; remove it')
    expect(readFileSync(precious, 'utf8')).toBe('precious')
  })

  test('sweeps what killed processes have left beside the file, and nothing else', () => {
    const file = inFolder('swept.h5')
    const mark = temporaryBeside(file, 'merge').split('-').at(-1)
    const left = [
      `merge.${deadPid()}-${mark}`,
      `merge.${deadPid()}-${mark}.edit.cnt`,
      `own.${deadPid()}-${mark}`,
    ]
    const kept = [
      `merge.${process.pid}-${mark}`,
      `merge.${deadPid()}-000000`,
      'merge.mine',
      `merge.${deadPid()}`,
    ]
    for (const name of [...left, ...kept]) writeFileSync(`${file}.${name}`, '')
    acquireLock(file, REQUEST).release()
    const names = readdirSync(inFolder('.')).filter((name) => name.startsWith('swept.h5.'))
    expect(names).toEqual(kept.map((name) => `swept.h5.${name}`).sort())
  })

  test.each(['not JSON', '[]', '{"pid":"1"}', '{"pid":1,"host":1}'])(
    'that says nothing, like %j, is taken over',
    (text) => {
      const file = inFolder('unreadable.h5')
      writeFileSync(`${file}.lock`, text)
      const lock = acquireLock(file, REQUEST)
      expect(lock.notice).toContain('is not a valid lock file')
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

  test.each([
    ['the system decides', undefined],
    ['there is no flock', 'failing'],
  ])(
    'that is stale goes to exactly one of several processes that want it at once, where %s',
    async (_, flock) => {
      if (flock !== undefined) withFailingFlock(inFolder(flock))
      const PATH = flock === undefined ? undefined : `${inFolder(flock)}:${process.env.PATH}`
      const racers = await Promise.all(Array.from({ length: RACERS }, () => startChild(PATH)))
      for (let race = 0; race < RACES; race += 1) {
        const file = inFolder(`race-${flock}-${race}.h5`)
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
        expect(lockFiles(file)).toEqual([`race-${flock}-${race}.h5.lock`])
        await ask(
          racers[answers.findIndex(({ code }) => code === undefined)] as ChildProcess,
          'release',
          file,
        )
        expect(lockFiles(file)).toEqual([])
      }
    },
  )
})
