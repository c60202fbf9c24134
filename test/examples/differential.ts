/** What pypet's examples 5 and 6 share: an Euler scheme, and two differential equations. */
import type { Environment, Run, Trajectory } from '../../src/index.ts'
import { loadTrajectory } from '../../src/index.ts'

export type Equation = (value: readonly number[], constants: Record<string, number>) => number[]

const lorenz: Equation = ([x = 0, y = 0, z = 0], { sigma = 0, beta = 0, rho = 0 }) => [
  sigma * (y - x),
  x * (rho - z) - y,
  x * y - beta * z,
]

const roessler: Equation = ([x = 0, y = 0, z = 0], { a = 0, c = 0 }) => [-y - z, x + a * y, a + z * (x - c)]

/** A parameter of our own: of a function it keeps the source, and nothing that could be executed. */
export class FunctionSource {
  readonly text: string

  constructor(given: Equation | string) {
    this.text = String(given)
  }

  static load(text: string) {
    return new FunctionSource(text)
  }

  store() {
    return this.text
  }
}

/** Control flow by a parameter that may have been preset. */
function addParameters(traj: Trajectory): Equation {
  traj.addParameter('steps', 200, { comment: 'Number of time steps to simulate' })
  traj.addParameter('dt', 0.01, { comment: 'Step size' })
  traj.addParameter('initial_conditions', [0, 0, 0], { comment: 'As default we start from the origin' })
  traj.addParameter('diff_name', 'lorenz', { comment: 'Name of our differential equation' })
  if (traj.value('diff_name') === 'lorenz') {
    traj.addParameter('func_params.sigma', 10)
    traj.addParameter('func_params.beta', 8 / 3)
    traj.addParameter('func_params.rho', 28)
    traj.get('func_params').annotate('info', 'The values that Edward Lorenz chose in 1963.')
    return lorenz
  }
  traj.addParameter('func_params.a', 0.1)
  traj.addParameter('func_params.c', 14)
  return roessler
}

export const STARTS = [
  [0.01, 0.01, 0.01],
  [2.02, 0.02, 0.02],
  [42, 4.2, 0.42],
]

interface Parameters {
  readonly steps: number
  readonly dt: number
  readonly initial_conditions: readonly number[]
  readonly func_params: Record<string, number>
}

function euler(traj: Run<Parameters>, equation: Equation) {
  const { steps, dt, initial_conditions } = traj.par
  const constants = { ...traj.par.func_params }
  const rows = [[...initial_conditions]]
  while (rows.length < steps) {
    const last = rows.at(-1) ?? []
    const slope = equation(last, constants)
    rows.push(last.map((value, index) => (slope[index] ?? 0) * dt + value))
  }
  traj.addResult('euler_evolution', { data: rows }, { comment: 'Our time series data!' })
}

/** Runs one of the equations, and looks at what is stored. */
export async function integrate(env: Environment, filename: string) {
  const { trajectory } = env
  const equation = addParameters(trajectory)
  trajectory.addDerivedParameter('diff_eq', new FunctionSource(equation), {
    comment: 'Source code of our equation!',
  })
  trajectory.explore({ initial_conditions: STARTS })
  await env.run(euler, equation)

  using traj = await loadTrajectory(filename, {
    derivedParameters: 'data',
    dynamicImports: [FunctionSource],
  })
  const evolutions = Object.values(traj.getFromRuns<number[][]>('euler_evolution'))
  return {
    source: traj.value('diff_eq'),
    equation,
    explored: traj.getParameter('initial_conditions').getRange(),
    values: {
      diff_name: traj.value('diff_name'),
      shape: [evolutions[0]?.length, evolutions[0]?.[0]?.length],
      ends: evolutions.map((rows) => rows.at(-1)),
    },
  }
}
