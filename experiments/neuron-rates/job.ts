import { cartesianProduct, defineExperiment, integer, linspace, parameter } from 'pypet-ts'
import { analyticRate, firingRate, rheobase, simulateSpikes } from './neuron.ts'

export default defineExperiment({
  name: 'neuron_rates',
  comment: 'Firing rates of a leaky integrate-and-fire neuron',
  parameters: {
    neuron: {
      tau: parameter(10, { comment: 'membrane time constant, ms' }),
      resistance: parameter(10, { comment: 'membrane resistance, MΩ' }),
      rest: parameter(-65, { comment: 'resting potential, also that after a spike, mV' }),
      threshold: parameter(-50, { comment: 'potential at which the neuron spikes, mV' }),
      refractory: parameter(2, { comment: 'time at rest after a spike, ms' }),
    },
    input: {
      current: parameter(2, { comment: 'constant input current, nA' }),
    },
    simulation: {
      duration: parameter(2000, { comment: 'simulated time, ms' }),
      step: parameter(0.01, { comment: 'time step, ms; an interval between spikes is exact to one step' }),
    },
  },
  explore: cartesianProduct({
    'input.current': linspace(0.2, 4, 20),
    'neuron.refractory': linspace(0, 7, 15),
  }),
  run(traj) {
    const { neuron, input, simulation } = traj.par
    traj.addDerivedParameter('rheobase', rheobase(neuron), {
      comment: 'current below which the neuron never fires, nA',
    })
    traj.addDerivedParameter('analytic_rate', analyticRate(neuron, input.current), {
      comment: 'rate by the formula, Hz',
    })

    const times = simulateSpikes(neuron, input.current, simulation)
    traj.addResult(
      'spikes',
      { times, count: integer(times.length) },
      { comment: 'times of the spikes, ms, and how many' },
    )
    traj.addResult('rate', firingRate(times), { comment: 'rate by the mean interval of spikes, Hz' })
  },
})
