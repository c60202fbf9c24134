/** pypet's example 17: an existing project is wrapped in a job; names of files follow from what is explored. */
import { cartesianProduct, Environment, integer, loadTrajectory, type Run } from '../../src/index.ts'
import { cellularAutomaton, initialState } from './automaton.ts'

const parameters = {
  ncells: integer(40),
  steps: integer(25),
  rule_number: integer(30),
  initial_name: 'random',
  seed: integer(100042),
}

function wrapAutomaton(traj: Run<typeof parameters>) {
  const { ncells, steps, rule_number, initial_name, seed } = traj.par
  const state = initialState(initial_name, ncells, seed)
  traj.addResult('pattern', cellularAutomaton(state, rule_number, steps), {
    comment: 'The pattern over time',
  })
}

export default async function example(folder: string) {
  const filename = `${folder}/all_patterns.h5`
  await using env = new Environment({ trajectory: 'cellular_automata', filename, parameters })
  env.trajectory.explore(
    cartesianProduct({ rule_number: [10, 30, 90, 110, 184], initial_name: ['single', 'random'] }),
  )
  await env.run(wrapAutomaton)

  using traj = await loadTrajectory(filename, { all: 'data' })
  const names: string[] = []
  const living: number[] = []
  for (const _ of traj.iterRuns()) {
    const explored = Object.values(traj.exploredParameters).map((node) => `${node.name}_${node.get()}`)
    names.push(`${explored.sort().join('__')}.png`)
    living.push(
      traj
        .value<number[][]>('crun.pattern')
        .flat()
        .reduce((sum, cell) => sum + cell),
    )
  }
  return { names, living }
}
