/** Other programs read the file while it is written: never a mixture, never a crash, seldom a refusal. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { projectFile, useFolder } from './command.ts'
import { isSkipped, PYTHON, tellWhatIsMissing } from './python.ts'

const folder = useFolder()
const OPENS = 150

const JOB = `import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'reading',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: 20_000 }, (_, n) => n) },
  async run(traj) {
    await delay(1)
    traj.addResult('z', traj.par.x ** 2)
  },
})
`

tellWhatIsMissing()

describe.skipIf(isSkipped)('h5py while an experiment runs', () => {
  test('sees complete states that grow, and is refused at most one time in twenty', async () => {
    writeFileSync(join(folder(), 'job.ts'), JOB)
    const running = spawn(
      process.execPath,
      [projectFile('bin/pypet-ts.js'), 'run', 'job.ts', '--ncores', '2', '--file', 'reading.h5', '--quiet'],
      { cwd: folder(), stdio: 'ignore' },
    )
    const ended = new Promise((resolve) => running.once('close', resolve))
    try {
      const reader = spawn(
        PYTHON,
        [projectFile('test/interop/read_while_written.py'), 'reading.h5', String(OPENS)],
        {
          cwd: folder(),
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      const status = new Promise((resolve) => reader.once('close', resolve))
      const [stdout, stderr] = await Promise.all([text(reader.stdout), text(reader.stderr)])
      expect(await status, stderr).toBe(0)
      const seen = JSON.parse(stdout)
      expect(seen).toMatchObject({ wrong: [], falls: 0 })
      expect(seen.rises).toBeGreaterThan(2)
      expect(seen.refused).toBeLessThanOrEqual(OPENS / 20)
    } finally {
      running.kill('SIGINT')
      await ended
    }
  })
})
