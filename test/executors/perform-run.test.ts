/** What performing a run leaves behind where nobody takes what it has made. */
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PypetError } from '../../src/errors.ts'
import { RunPerformer } from '../../src/executors/perform-run.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** What this process has open in a folder. */
function openIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', descriptor))
      return path.startsWith(folder) ? [path] : []
    } catch {
      // The one of the listing itself.
      return []
    }
  })
}

test.skipIf(process.platform !== 'linux')(
  'a run that nobody takes, since the writer has died, keeps no file open',
  async () => {
    const folder = join(fileTree({}), 'parts')
    const job = {
      file: 'job.ts',
      classes: new Map(),
      async run(traj: { addResult(name: string, value: unknown): void; store(): Promise<unknown> }) {
        traj.addResult('z', 1)
        await traj.store()
        expect(openIn(folder)).toHaveLength(1)
      },
    }
    const performer = new RunPerformer(
      job as never,
      {
        job: { url: '', file: 'job.ts' },
        parameters: [],
        seed: 1,
        runCount: 1,
        args: [],
        tellsReturned: false,
        storage: { kind: 'queue', address: '' },
        parts: { folder, areTaken: true },
        niceness: 0,
        logLevel: 'error',
        logStdout: false,
        timeoutMs: 0,
      },
      {
        async sendFrame() {
          throw new PypetError('PYPET_WRITER_DIED', 'the writer has died')
        },
      },
      () => undefined,
    )
    const performing = performer.perform({ run: 0, attempt: 1, point: {}, runCount: 1 })
    await expect(performing).rejects.toMatchObject({ code: 'PYPET_WRITER_DIED' })
    expect(openIn(folder)).toEqual([])
  },
)
