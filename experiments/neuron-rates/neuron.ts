/**
 * A leaky integrate-and-fire neuron that is driven by a constant current:
 *
 *     tau dV/dt = -(V - rest) + resistance × current,   V >= threshold: a spike, then V = rest
 *
 * After a spike the neuron stays at rest for the refractory time. Nothing here knows of pypet-ts: what is
 * simulated stands apart from where in the parameter space it is simulated.
 */

export interface Neuron {
  readonly tau: number // ms
  readonly resistance: number // MΩ
  readonly rest: number // mV
  readonly threshold: number // mV
  readonly refractory: number // ms
}

export interface Clock {
  readonly duration: number // ms
  readonly step: number // ms
}

/**
 * Simulates the neuron from rest and returns the times of its spikes, in ms.
 *
 * Between spikes the equation is linear, so each step uses its exact solution. What the step limits is the
 * time of a spike: a crossing counts from the end of its step, which makes an interval at most one step
 * too long. The refractory time is rounded to whole steps.
 *
 * @param current in nA, constant
 */
export function simulateSpikes(neuron: Neuron, current: number, { duration, step }: Clock): Float64Array {
  const { rest, threshold } = neuron
  const steadyState = rest + neuron.resistance * current
  const decay = Math.exp(-step / neuron.tau)
  const refractorySteps = Math.round(neuron.refractory / step)
  const stepCount = Math.round(duration / step)
  const times: number[] = []
  let potential = rest
  for (let index = 1; index <= stepCount; index += 1) {
    potential = steadyState + (potential - steadyState) * decay
    if (potential < threshold) continue
    times.push(index * step)
    potential = rest
    index += refractorySteps
  }
  return Float64Array.from(times)
}

/** Spikes a second, in Hz, from the mean interval between spikes; 0 for fewer than two spikes. */
export function firingRate(times: Float64Array): number {
  const first = times[0]
  const last = times.at(-1)
  if (first === undefined || last === undefined || times.length < 2) return 0
  return (1000 * (times.length - 1)) / (last - first)
}

/** The current below which the neuron never fires, in nA. */
export function rheobase({ threshold, rest, resistance }: Neuron): number {
  return (threshold - rest) / resistance
}

/**
 * The exact rate at a constant current, in Hz: Dayan & Abbott, Theoretical Neuroscience (MIT Press 2001),
 * equation 5.11, for a reset to rest, with the refractory time added to the interval between spikes.
 */
export function analyticRate(neuron: Neuron, current: number): number {
  if (current <= rheobase(neuron)) return 0
  const drive = neuron.resistance * current // mV
  const rise = neuron.tau * Math.log(drive / (drive - (neuron.threshold - neuron.rest))) // ms
  return 1000 / (neuron.refractory + rise)
}
