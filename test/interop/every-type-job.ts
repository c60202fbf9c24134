/** Stores every type of value, in every place, once a run; its third run fails. */
import { defineExperiment, integer, parameter, zip } from 'pypet-ts'
import { COMMENTS, EXPLORED, FAILED_RUN, PARAMETERS, VALUES } from './values.ts'

export default defineExperiment({
  name: 'every_type',
  comment: COMMENTS.trajectory,
  parameters: {
    plain: PARAMETERS,
    commented: parameter(1, { comment: COMMENTS.long }),
    explored: {
      float: parameter(1.5, { comment: 'der erste Wert' }),
      int: integer(0),
      bigint: 0n,
      bool: false,
      text: 'default',
    },
  },
  explore: zip({
    'explored.float': EXPLORED.float,
    'explored.int': EXPLORED.int,
    'explored.bigint': EXPLORED.bigint,
    'explored.bool': EXPLORED.bool,
    'explored.text': EXPLORED.text,
  }),
  run(traj) {
    const { explored } = traj.par
    if (traj.idx === FAILED_RUN) throw new RangeError('dieser Lauf schlägt fehl')
    traj.addResult('seen', { ...explored, int: integer(explored.int) }, { comment: COMMENTS.result })
    for (const [name, value] of Object.entries(VALUES)) {
      traj.addResult(`single.${name}`, value)
      traj.addDerivedParameter(`deep.er.${name}`, value, { comment: COMMENTS.result })
    }
    traj.addResult('several', VALUES, { comment: COMMENTS.long })
    traj.addResult('$.by_run', traj.idx)
    traj.addResult('bucket.$set.$', traj.idx)
    traj.addResult('bucket.$set.own', traj.idx)
    traj.addDerivedParameter('$.half', explored.float / 2)
  },
})
