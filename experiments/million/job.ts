import { defineExperiment, integer } from 'pypet-ts'

/** The smallest possible run: one parameter, one scalar result, nothing returned. */
export default defineExperiment({
  name: 'million',
  parameters: { i: integer(0) },
  run(traj) {
    // For the continuation: these runs fail once.
    if (process.env.MILLION_FAILS !== undefined && Number(traj.par.i) % 1000 === 7)
      throw new Error('as asked')
    traj.addResult('z', Number(traj.par.i) * 0.5)
  },
})
