/** Files that could be written under another path at the same time. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { mountPointsOf } from '../../src/journal/real-file.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { whenOver } from '../when-over.ts'

const REQUEST = { trajectory: 'made', breakLock: false }

/** Whether it could be done. */
function mountFile(source: string, target: string): boolean {
  if (spawnSync('mount', ['--bind', source, target]).status !== 0) return false
  whenOver(() => void spawnSync('umount', [target]))
  return true
}

describe('a file that is a mount point', () => {
  test('is refused, with the hint to mount its folder, while what lies in a mounted folder is not', ({
    skip,
  }) => {
    const folder = fileTree({ 'data/h 1.h5': '', 'mounted/h 1.h5': '' })
    const target = join(folder, 'mounted/h 1.h5')
    if (!mountFile(join(folder, 'data/h 1.h5'), target)) skip()
    expect(() => acquireLock(target, REQUEST)).toThrow(
      expect.objectContaining({
        code: 'PYPET_FILE_NOT_WRITABLE',
        message: expect.stringContaining('is a mount point'),
        hint: 'Mount its folder instead of the file.',
      }),
    )
    const whole = fileTree({ 'data/h.h5': '', 'mounted/other': '' })
    if (!mountFile(join(whole, 'data'), join(whole, 'mounted'))) skip()
    writeFileSync(join(whole, 'mounted/h.h5'), '')
    acquireLock(join(whole, 'mounted/h.h5'), REQUEST).release()
  })

  test('is found in what the system says of mounts, whatever its name', () => {
    const text = [
      '24 30 0:22 / /proc rw,nosuid shared:13 - proc proc rw',
      '42 27 254:0 /data/h.h5 /m/a\\040b\\011c\\012d\\134040.h5 rw,relatime - ext4 /dev/vda rw',
      '43 27 254:0 /data /m/d\u00e9 rw master:1 propagate_from:2 - ext4 /dev/vda rw',
      '',
    ].join('\n')
    expect([...mountPointsOf(text)]).toEqual(['/proc', '/m/a b\tc\nd\\040.h5', '/m/d\u00e9'])
    expect(mountPointsOf('').size).toBe(0)
  })
})
