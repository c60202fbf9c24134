/** pypet's example 16: several processes change one trajectory, each in its turn. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loadTrajectory, Trajectory } from '../../src/index.ts'

const PROCESSES = ['ForkPoolWorker-1', 'ForkPoolWorker-2', 'ForkPoolWorker-3']

export default async function example(folder: string) {
  const filename = `${folder}/example_16.h5`
  const traj = new Trajectory({ name: 'trajectory', filename })
  traj.addResult('last_process_name', 'N/A', { comment: 'The last process that changed the trajectory' })
  await traj.store()
  traj.close()

  const script = fileURLToPath(new URL('./change-result.mjs', import.meta.url))
  const ends = PROCESSES.map((name) => once(fork(script, [filename, name]), 'exit'))
  const codes = (await Promise.all(ends)).map(([code]) => code)

  using again = await loadTrajectory(filename, { results: 'data' })
  const last = again.value<string>('last_process_name')
  return { codes, isOneOfThem: PROCESSES.includes(last) }
}
