/** pypet's example 13: post-processing makes a table of what the jobs returned, and a later script looks at it. */
import {
  cartesianProduct,
  Environment,
  type JobResults,
  loadTrajectory,
  type PostprocessTrajectory,
} from '../../src/index.ts'

function ratesTable(traj: PostprocessTrajectory, results: JobResults) {
  const currents = traj.getParameter('neuron.I').getRange() as readonly number[]
  const refractory = traj.getParameter('tau_ref').getRange() as readonly number[]
  const I = [...new Set(currents)]
  const tau_ref = [...new Set(refractory)]
  const rates = I.map(() => tau_ref.map(() => 0))
  for (const [run, rate] of results) {
    const row = rates[I.indexOf(currents[run] as number)] as number[]
    row[tau_ref.indexOf(refractory[run] as number)] = rate as number
  }
  traj.addResult('summary.firing_rates', { I, tau_ref, rates }, { comment: 'All firing rates' })
}

export default async function example(folder: string) {
  const filename = `${folder}/FiringRate.h5`
  await using env = new Environment({
    trajectory: 'FiringRate',
    filename,
    ncores: 2,
    parameters: {
      neuron: { V_init: 0, I: 0, tau_V: 10, tau_ref: 5 },
      simulation: { duration: 200, dt: 0.1 },
    },
  })
  env.trajectory.explore(
    cartesianProduct({ 'neuron.tau_ref': [5, 7.5, 10], 'neuron.I': [0, 0.25, 0.5, 0.75, 1] }),
  )
  env.addPostprocessing(ratesTable)
  await env.run(new URL('./neuron.ts', import.meta.url))

  using traj = await loadTrajectory(filename, { results: 'nothing', autoLoad: true })
  const summary = traj.getResult('summary.firing_rates')
  traj.idx = 13
  const V = traj.value('results.neuron.crun.V') as Float64Array
  return {
    index: summary.get('I'),
    columns: summary.get('tau_ref'),
    rates: summary.get('rates'),
    run_13: {
      I: traj.value('parameters.neuron.I'),
      tau_ref: traj.value('tau_ref'),
      nspikes: traj.value('results.neuron.crun.nspikes'),
    },
    voltage_50: V[50],
    length: V.length,
  }
}
