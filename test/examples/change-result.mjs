/** A process of example 16: overwrites a result, again and again. */
import { loadTrajectory } from '../../dist/index.js'

const [filename, name] = process.argv.slice(2)
for (let time = 0; time < 5; time += 1) {
  const traj = await loadTrajectory(filename, { results: 'data' })
  traj.getResult('last_process_name').set(name)
  await traj.storeItem('last_process_name', { overwrite: true })
  traj.close()
}
