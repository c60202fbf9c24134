/** Locks of which it is not plain whose they are. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { ownProcess } from '../../src/process-facts.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()
const REQUEST = { trajectory: 'made', breakLock: false }

test.runIf(process.platform === 'linux')(
  'the lock of a dead process is taken over, also while its parent has not asked for its end',
  async () => {
    // The shell becomes a program that never asks.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = await once(parent.stdout, 'data')
      const pid = Number(line)
      const fields = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      // The shell itself asks for the end of what it has started.
      while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await delay(5)
      process.kill(pid, 'SIGKILL')
      while (fields()[0] !== 'Z') await delay(5)
      const file = inFolder('zombie.h5')
      const owner = {
        ...ownProcess(),
        pid,
        processStart: fields()[19],
        keptBy: 'name',
        trajectory: 'older',
        since: 'then',
      }
      writeFileSync(`${file}.lock`, JSON.stringify(owner))
      const lock = acquireLock(file, REQUEST)
      expect(lock.notice).toContain(`taken over from process ${pid}`)
      lock.release()
    } finally {
      const exit = once(parent, 'exit')
      parent.kill('SIGKILL')
      await exit
    }
  },
)

test('a lock that cannot be read is an error, and not a wait for ever', () => {
  const file = inFolder('unreadable.h5')
  mkdirSync(`${file}.lock`)
  expect(() => acquireLock(file, REQUEST)).toThrow(/its lock file .*unreadable.h5.lock cannot be read/)
})
