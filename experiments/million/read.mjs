/** What a script pays to read the file. Prints milliseconds as JSON. `node read.mjs FILE` */
import { loadTrajectory } from 'pypet-ts'

const began = performance.now()
const traj = await loadTrajectory(process.argv[2])
const loaded = performance.now()
const count = Object.keys(traj.getFromRuns('z')).length
process.stdout.write(
  `${JSON.stringify({ load: loaded - began, fromRuns: performance.now() - loaded, count })}\n`,
)
traj.close()
