/** pypet's example 23: a network of adaptive exponential neurons with its monitors. Units stand in comments. */
import {
  cartesianProduct,
  Environment,
  integer,
  loadTrajectory,
  parameter,
  type Run,
} from '../../src/index.ts'

const parameters = {
  net: {
    C: parameter(281, { comment: 'pF' }),
    gL: parameter(30, { comment: 'nS' }),
    EL: parameter(-70.6, { comment: 'mV' }),
    VT: parameter(-50.4, { comment: 'mV' }),
    DeltaT: parameter(2, { comment: 'mV' }),
    tauw: parameter(40, { comment: 'ms' }),
    a: parameter(4, { comment: 'nS' }),
    b: parameter(80, { comment: 'pA' }),
    I: parameter(800, { comment: 'pA' }),
    N: integer(5),
    steps: integer(1500),
  },
}
const DT = 0.1

function runNetwork(traj: Run<typeof parameters>) {
  const { C, gL, EL, VT, DeltaT, tauw, a, b, I, N, steps } = traj.par.net
  const neurons = Array.from({ length: N }, (_, index) => ({
    v: EL,
    w: 0,
    reset: -48.3 + (0.6 * index) / (N - 1),
  }))
  const times: number[] = []
  const who: number[] = []
  const voltage: number[][] = []
  for (let step = 0; step < steps; step += 1) {
    for (const [index, neuron] of neurons.entries()) {
      const { v, w } = neuron
      const slope = (gL * (EL - v) + gL * DeltaT * Math.exp((v - VT) / DeltaT) + I - w) / C
      neuron.w += ((a * (v - EL) - w) / tauw) * DT
      neuron.v += slope * DT
      if (neuron.v <= 0) continue
      neuron.v = neuron.reset
      neuron.w += b
      times.push(step * DT)
      who.push(index)
    }
    voltage.push(neurons.slice(1, 3).map(({ v }) => v))
  }
  traj.addResult('spikes', { times: Float64Array.from(times), neurons: Int32Array.from(who) })
  traj.addResult('voltage', voltage, { comment: 'mV, of two neurons' })
}

export default async function example(folder: string) {
  const filename = `${folder}/example_23.h5`
  await using env = new Environment({ trajectory: 'Example_23', filename, parameters })
  const { trajectory } = env
  trajectory.explore(cartesianProduct({ 'net.N': [5, 6], 'net.tauw': [30, 40] }))
  await env.run(runNetwork)

  using traj = await loadTrajectory(filename)
  const spikes = Object.values(traj.getFromRuns<Float64Array>('spikes.times'))
  const voltages = Object.values(traj.getFromRuns<number[][]>('voltage'))
  return {
    counts: spikes.map((times) => times.length),
    shapes: voltages.map((rows) => [rows.length, rows[0]?.length]),
  }
}
