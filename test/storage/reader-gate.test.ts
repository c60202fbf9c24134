/** The gate before a file that is being written, with readers in processes of their own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ReaderGate } from '../../src/journal/reader-gate.ts'
import { lockShared } from '../../src/journal/shared-lock.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const hasFlock = spawnSync('flock', ['--version']).status === 0

let file = ''
let descriptor = -1

beforeEach(() => {
  writeFileSync(inFolder('file.h5'), 'bytes')
  // As the system names it, to be found among the files of other processes.
  file = realpathSync(inFolder('file.h5'))
  descriptor = openSync(file, 'r+')
})
afterEach(() => {
  vi.unstubAllEnvs()
  closeSync(descriptor)
})

/** Whether a reader of another process would be let in at this moment. */
function isOpenForReaders(): boolean {
  return spawnSync('flock', ['-s', '-n', file, 'true']).status === 0
}

/** A process that has the file open for reading, as libhdf5 has it, until it is ended. */
async function reader(): Promise<{ end(): Promise<void> }> {
  const child = spawn('flock', ['-s', file, 'sh', '-c', 'echo reading; read -r _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return {
    async end() {
      child.stdin.end('\n')
      await once(child, 'close')
    },
  }
}

/** Processes other than this one that have the file open. */
function holders(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    return Number.isInteger(pid) && pid !== process.pid && linksOf(pid).includes(file) ? [pid] : []
  })
}

function linksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`)
      } catch {
        return ''
      }
    })
  } catch {
    return []
  }
}

/** Not a reader, which has the file by its path. */
function isShell(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('while read')
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5)
}

describe.skipIf(!hasFlock)('with flock', () => {
  test('a closed gate keeps readers out, and lets them in again', async () => {
    await using gate = await ReaderGate.open(descriptor)
    expect(gate.reason).toBeUndefined()
    expect(isOpenForReaders()).toBe(true)
    expect(await gate.tryClose()).toBe(true)
    expect(isOpenForReaders()).toBe(false)
    await gate.reopen()
    expect(isOpenForReaders()).toBe(true)
  })

  test('it does not close while a reader is there, and closes when the last one has gone', async () => {
    await using gate = await ReaderGate.open(descriptor)
    const [first, second] = [await reader(), await reader()]
    expect(await gate.tryClose()).toBe(false)
    expect(gate.tryCloseSync()).toBe(false)
    await first.end()
    expect(await gate.tryClose()).toBe(false)
    await second.end()
    expect(await gate.tryClose()).toBe(true)
    expect(isOpenForReaders()).toBe(false)
  })

  test('it opens while a reader is there', async () => {
    const early = await reader()
    await using gate = await ReaderGate.open(descriptor)
    expect(gate.reason).toBeUndefined()
    expect(await gate.tryClose()).toBe(false)
    await early.end()
    expect(await gate.tryClose()).toBe(true)
  })

  test('closing without the event loop does the same', async () => {
    await using gate = await ReaderGate.open(descriptor)
    expect(gate.tryCloseSync()).toBe(true)
    expect(isOpenForReaders()).toBe(false)
    gate.reopenSync()
    expect(isOpenForReaders()).toBe(true)
  })

  test('a reader that asks for its lock waits until the gate opens', async () => {
    await using gate = await ReaderGate.open(descriptor)
    const other = openSync(file, 'r')
    onTestFinished(() => closeSync(other))
    await gate.tryClose()
    expect(await lockShared(other, 0)).toBe(false)
    const waiting = lockShared(other, 30_000)
    await gate.reopen()
    expect(await waiting).toBe(true)
    expect(await gate.tryClose()).toBe(false)
  })

  test.skipIf(process.platform !== 'linux')(
    'a shell that does not answer is replaced, and nobody waits for ever',
    async () => {
      let replacedCount = 0
      const onReplaced = () => {
        replacedCount += 1
      }
      await using gate = await ReaderGate.open(descriptor, { answerMs: 300, onReplaced })
      const [shell] = holders() as [number]
      process.kill(shell, 'SIGSTOP')
      expect(await gate.tryClose()).toBe(true)
      expect(isOpenForReaders()).toBe(false)
      expect(replacedCount).toBe(1)
      await gate.reopen()
      expect(isOpenForReaders()).toBe(true)
      const early = await reader()
      process.kill((holders().find((pid) => pid !== shell && isShell(pid)) ?? 0) as number, 'SIGSTOP')
      expect(await gate.waitToClose(100)).toBe(false)
      expect(replacedCount).toBe(2)
      await early.end()
      expect(await gate.tryClose()).toBe(true)
      await gate.end()
      expect(holders()).toEqual([])
    },
  )

  test('its end lets readers in and leaves no process', async () => {
    const gate = await ReaderGate.open(descriptor)
    await gate.tryClose()
    await gate.end()
    expect(isOpenForReaders()).toBe(true)
    expect(holders()).toEqual([])
    await gate.end()
  })

  test.skipIf(process.platform !== 'linux')(
    'its shell holds the file and no other descriptor of ours',
    async () => {
      const secret = openSync(inFolder('secret'), 'w')
      onTestFinished(() => closeSync(secret))
      await using gate = await ReaderGate.open(descriptor)
      expect(gate.reason).toBeUndefined()
      const [shell, ...others] = holders()
      expect(others).toEqual([])
      const files = linksOf(shell as number).filter((link) => link.startsWith('/') && link !== '/dev/null')
      expect(files).toEqual([file])
    },
  )

  test.skipIf(process.platform !== 'linux')('a shell that somebody kills is done without', async () => {
    await using gate = await ReaderGate.open(descriptor)
    await gate.tryClose()
    process.kill(holders()[0] as number, 'SIGKILL')
    await until(() => holders().length === 0)
    // The lock belongs to the open file: the death of the shell alone lets nobody in.
    expect(isOpenForReaders()).toBe(false)
    await gate.reopen()
    expect(isOpenForReaders()).toBe(true)
    const late = await reader()
    expect(await gate.tryClose()).toBe(false)
    await late.end()
    expect(await gate.tryClose()).toBe(true)
    expect(isOpenForReaders()).toBe(false)
  })
})

describe.skipIf(!hasFlock || process.platform !== 'linux')('a writer that ends', () => {
  test('killed, leaves neither the lock nor a process', async () => {
    const writer = await startWriter(
      'await gate.tryClose(); console.log("closed"); setInterval(() => {}, 1000)',
    )
    await writer.says('closed')
    expect(isOpenForReaders()).toBe(false)
    writer.process.kill('SIGKILL')
    await until(() => holders().length === 0)
    expect(isOpenForReaders()).toBe(true)
  })

  test('signals for the whole job leave the gate closed', async () => {
    const writer = await startWriter(`
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
      await gate.tryClose()
      console.log('closed')
      process.stdin.once('data', async () => {
        await gate.reopen()
        console.log('reopened')
        process.stdin.pause()
      })`)
    await writer.says('closed')
    const shells = holders().filter((pid) => pid !== writer.process.pid)
    expect(shells).toHaveLength(1)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      for (const pid of [...shells, writer.process.pid as number]) process.kill(pid, signal)
    }
    expect(isOpenForReaders()).toBe(false)
    expect(holders()).toEqual(expect.arrayContaining(shells))
    writer.process.stdin?.write('go on\n')
    await writer.says('reopened')
    expect(isOpenForReaders()).toBe(true)
    await until(() => holders().length === 0)
  })

  test('is not kept alive by its gate', async () => {
    const writer = await startWriter('await gate.tryClose()')
    const [status] = await once(writer.process, 'close')
    expect(status).toBe(0)
    await until(() => holders().length === 0)
    expect(isOpenForReaders()).toBe(true)
  })

  /** A process with a `gate` before the file, which then does what `script` says. */
  async function startWriter(
    script: string,
  ): Promise<{ process: ChildProcess; says(line: string): Promise<void> }> {
    const bundle = inFolder('writer.mjs')
    const path = new URL('../../src/journal/reader-gate.ts', import.meta.url).pathname
    await build({
      stdin: {
        contents: `
          import { openSync } from 'node:fs'
          import { ReaderGate } from ${JSON.stringify(path)}
          const gate = await ReaderGate.open(openSync(${JSON.stringify(file)}, 'r+'))
          ${script}`,
        resolveDir: '/',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: bundle,
    })
    const child = spawn(process.execPath, [bundle], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return {
      process: child,
      async says(line) {
        expect((await lines.next()).value).toBe(line)
      },
    }
  }
})

describe('without flock', () => {
  test('the gate is always open and says why', async () => {
    const { PATH } = process.env
    vi.stubEnv('PATH', inFolder('no-programs'))
    await using gate = await ReaderGate.open(descriptor)
    expect(gate.reason).toMatch(/flock/)
    expect(await gate.tryClose()).toBe(true)
    await gate.reopen()
    expect(gate.tryCloseSync()).toBe(true)
    gate.reopenSync()
    expect(await lockShared(descriptor, 1000)).toBe(false)
    vi.stubEnv('PATH', PATH)
    if (process.platform === 'linux') expect(holders()).toEqual([])
  })

  test('what has no descriptor has an open gate', async () => {
    await using gate = await ReaderGate.open(undefined)
    expect(gate.reason).toBeDefined()
    expect(await gate.tryClose()).toBe(true)
  })

  test('a flock that fails is as good as none', async () => {
    const folder = inFolder('broken')
    execFileSync('mkdir', ['-p', folder])
    writeFileSync(`${folder}/flock`, '#!/bin/sh\necho "flock: 3: No locks available" >&2\nexit 71\n', {
      mode: 0o755,
    })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    await using gate = await ReaderGate.open(descriptor)
    expect(gate.reason).toContain('No locks available')
    expect(await gate.tryClose()).toBe(true)
  })
})
