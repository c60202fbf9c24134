/**
 * pypet's example 24: a simulation in components, each with parameters of its own, and analysers behind them. A manager
 * brings them together; the job is one of its methods.
 */
import { Environment, integer, loadTrajectory, type Run, type Trajectory } from '../../src/index.ts'
import { Lehmer } from './lehmer.ts'

interface Network {
  clusterOf: number[]
  drive(neuron: number, mean: number): number
  counts: number[][]
}

interface Component {
  addParameters?(traj: Trajectory): void
  build?(traj: Run, network: Network): void
  analyse?(traj: Run, network: Network): void
}

const neurons: Component = {
  addParameters(traj) {
    traj.addParameter('model.N_e', integer(20 * traj.value<number>('simulation.scale')))
    traj.addParameter('model.clusters', integer(2))
    traj.addParameter('model.rate', 0.1, { comment: 'Chance of a spike in a step' })
  },
  build(traj, network) {
    const size = traj.value<number>('N_e') / traj.value<number>('clusters')
    network.clusterOf = Array.from({ length: traj.value<number>('N_e') }, (_, neuron) =>
      Math.trunc(neuron / size),
    )
  },
}

const connections: Component = {
  addParameters(traj) {
    traj.addParameter('connections.R_ee', 1, { comment: 'How much a cluster drives itself' })
  },
  build(traj, network) {
    const [rate, R_ee] = [traj.value<number>('rate'), traj.value<number>('R_ee')]
    network.drive = (_neuron, mean) => rate * (1 + R_ee * mean)
  },
}

const fanoFactor: Component = {
  analyse(traj, { counts }) {
    const factors = (counts[0] ?? [])
      .map((_, neuron) => counts.map((trial) => trial[neuron] ?? 0))
      .map((values) => {
        const mean = values.reduce((sum, value) => sum + value) / values.length
        const squares = values.map((value) => (value - mean) * (value - mean))
        return { mean, variance: squares.reduce((sum, square) => sum + square) / values.length }
      })
      .filter(({ mean }) => mean > 0)
      .map(({ mean, variance }) => variance / mean)
    traj.addResult('counts', counts)
    traj.addResult('fano_factor', factors.reduce((sum, factor) => sum + factor) / factors.length)
  },
}

class NetworkManager {
  readonly #components: readonly Component[]

  constructor(...components: readonly Component[]) {
    this.#components = components
  }

  addParameters(traj: Trajectory): void {
    for (const component of this.#components) component.addParameters?.(traj)
    traj.addParameter('model.trials', integer(6))
    traj.addParameter('model.steps', integer(30))
    traj.addParameter('seed', integer(7))
  }

  readonly runNetwork = (traj: Run): void => {
    const network: Network = { clusterOf: [], drive: () => 0, counts: [] }
    for (const component of this.#components) component.build?.(traj, network)
    const random = new Lehmer(traj.value<number>('parameters.seed'))
    for (let trial = 0; trial < traj.value<number>('trials'); trial += 1)
      network.counts.push(this.#trial(traj.value<number>('steps'), network, random))
    for (const component of this.#components) component.analyse?.(traj, network)
  }

  #trial(steps: number, { clusterOf, drive }: Network, random: Lehmer): number[] {
    const activity = clusterOf.map(() => 0)
    const counts = clusterOf.map(() => 0)
    const sizes = clusterOf.map((own) => clusterOf.filter((cluster) => cluster === own).length)
    for (let step = 0; step < steps; step += 1) {
      const sums: number[] = []
      for (const [neuron, cluster] of clusterOf.entries())
        sums[cluster] = (sums[cluster] ?? 0) + (activity[neuron] ?? 0)
      for (const [neuron, cluster] of clusterOf.entries()) {
        const mean = (sums[cluster] ?? 0) / (sizes[neuron] ?? 1)
        activity[neuron] = random.uniform() < drive(neuron, mean) ? 1 : 0
        counts[neuron] = (counts[neuron] ?? 0) + (activity[neuron] ?? 0)
      }
    }
    return counts
  }
}

export default async function example(folder: string) {
  const filename = `${folder}/Clustered_Network.h5`
  await using env = new Environment({ trajectory: 'Clustered_Network', filename })
  const { trajectory } = env
  trajectory.addParameter('simulation.scale', 1, { comment: 'Scales the number of neurons' })
  const manager = new NetworkManager(neurons, connections, fanoFactor)
  manager.addParameters(trajectory)
  trajectory.explore({ R_ee: [1, 1.5, 2, 2.5] })
  await trajectory.store()
  await env.run(manager.runNetwork)

  using traj = await loadTrajectory(filename)
  return { fano_factors: Object.values(traj.getFromRuns('fano_factor')) }
}
