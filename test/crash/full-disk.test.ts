/**
 * A disk that becomes full, by a stand-in: disks with a quota, which take a part of the write that exceeds it and then
 * answer ENOSPC, as a file system does. The real command is stopped by the limit of the system on the size of files.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { type Disk, type DiskSystem, FILES } from '../../src/journal/disk.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { useFolder } from '../temporary-folder.ts'
import { contentOf, differences } from './file-content.ts'
import { isLongForm } from './long-form.ts'
import { goOn, perform, SCRIPT } from './script.ts'

const inFolder = useFolder()
const POINTS = isLongForm ? 30 : 10

/** Files on a disk with so much room: each byte beyond what a file had takes of it. */
class SmallDisks implements DiskSystem {
  usedBytes = 0
  readonly #roomBytes: number

  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes
  }

  open(path: string, access: 'read' | 'write'): Disk {
    return this.#limit(FILES.open(path, access))
  }

  create(path: string): Disk {
    return this.#limit(FILES.create(path))
  }

  exists = FILES.exists
  rename = FILES.rename
  remove = FILES.remove
  syncFolderOf = FILES.syncFolderOf

  #limit(disk: Disk): Disk {
    const grow = (end: number) => {
      const grown = Math.max(0, end - disk.size())
      const room = this.#roomBytes - this.usedBytes
      this.usedBytes += Math.min(grown, room)
      return end - Math.max(0, grown - room)
    }
    return {
      descriptor: disk.descriptor as number,
      size: () => disk.size(),
      read: (target, position) => disk.read(target, position),
      write(source, position) {
        const end = grow(position + source.byteLength)
        disk.write(source.subarray(0, Math.max(0, end - position)), position)
        if (end < position + source.byteLength) throw full('write')
      },
      // A file that is extended by a hole takes no room.
      truncate: (size) => disk.truncate(size),
      sync: () => disk.sync(),
      close: () => disk.close(),
    }
  }
}

function full(call: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' })
}

test('an experiment that fills its disk stops with the reason, keeps what was announced, and goes on when there is room', async () => {
  mkdirSync(inFolder('unbroken'))
  const unbroken = join(inFolder('unbroken'), 'file.h5')
  const measured = new SmallDisks(Number.POSITIVE_INFINITY)
  await perform(unbroken, SCRIPT, measured)
  const expected = await contentOf(unbroken, { withTimes: true })
  for (let point = 0; point < POINTS; point += 1) {
    const folder = inFolder(`point-${point}`)
    mkdirSync(folder)
    const file = join(folder, 'file.h5')
    const announced: number[] = []
    const roomBytes = Math.floor((measured.usedBytes * point) / POINTS)
    const performing = perform(file, SCRIPT, new SmallDisks(roomBytes), {
      onAnnounced: (runs) => announced.push(...runs),
    })
    await expect(performing, `with ${roomBytes} bytes`).rejects.toThrow(/ENOSPC/)
    const cntFile = join(folder, 'made.cnt')
    // Too little even to begin: then nothing was begun.
    if (!existsSync(cntFile)) {
      expect(announced).toEqual([])
      continue
    }
    // What has failed here would end its process; its files are left to another one.
    const left = inFolder(`left-${point}`)
    mkdirSync(left)
    for (const name of ['file.h5', 'made.cnt']) copyFileSync(join(folder, name), join(left, name))
    const { stored, failed } = readCnt(join(left, 'made.cnt'))
    expect(announced.filter((run) => !stored.has(run) && !failed.has(run))).toEqual([])
    await goOn(join(left, 'made.cnt'), SCRIPT, FILES)
    const content = await contentOf(join(left, 'file.h5'), { withTimes: true })
    expect(differences(content, expected), `with ${roomBytes} bytes`).toEqual([])
  }
})

const ARRAYS = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'arrays',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: 50 }, (_, n) => n) },
  run(traj) { traj.addResult('a', new Float64Array(20_000).fill(traj.par.x)) },
})
`

test.skipIf(process.platform === 'win32')(
  'the command says what is full and how to go on, and going on completes it',
  async () => {
    const folder = fileTree({ 'job.ts': ARRAYS })
    const command = `ulimit -f 3000; exec "$0" "$1" run job.ts --ncores 2`
    const { status, stderr } = spawnSync(
      'bash',
      ['-c', command, process.execPath, join(ROOT, 'bin/pypet-ts.js')],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    )
    expect(status).toBe(1)
    expect(stderr).toContain(`${join(folder, 'hdf5/arrays.h5')}: `)
    expect(stderr).toContain('EFBIG')
    expect(stderr).toContain('Continue with: pypet-ts continue hdf5/arrays.cnt')
    const ended = await pypet(folder, ['continue', 'hdf5/arrays.cnt', '--json'])
    expect(ended.exitCode).toBe(0)
    expect(ended.stdout).toContain('"complete":true')
  },
)
