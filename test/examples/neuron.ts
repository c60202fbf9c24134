/** The job of example 13: a leaky integrate-and-fire neuron, and its firing rate in hertz. */
import type { Run } from '../../src/index.ts'

interface Parameters {
  readonly neuron: {
    readonly V_init: number
    readonly I: number
    readonly tau_V: number
    readonly tau_ref: number
  }
  readonly simulation: { readonly duration: number; readonly dt: number }
}

export default function runNeuron(traj: Run<Parameters>): number {
  const { V_init, I, tau_V, tau_ref } = traj.par.neuron
  const { duration, dt } = traj.par.simulation
  const V = new Float64Array(Math.trunc(duration / dt))
  V[0] = V_init
  const spikes: number[] = []
  for (let step = 1; step < V.length; step += 1) {
    const before = V[step - 1] ?? 0
    const last = spikes.at(-1)
    if (before >= 1) spikes.push((step - 1) * dt)
    else if (last === undefined || step * dt - last > tau_ref)
      V[step] = before + ((-1 / tau_V) * before + I) * dt
  }
  traj.addResult('neuron.$', { V, nspikes: spikes.length }, { comment: 'The membrane potential over time' })
  return (spikes.length / duration) * 1000
}
