/** A chain of spins with an external field: what it costs to look good in a picture. */
import { defineExperiment, parameter } from 'pypet-ts'

export default defineExperiment({
  name: 'ising',
  parameters: { temperature: parameter(2, { unit: 'J/k' }), field: parameter(0, { unit: 'J' }), size: 16n },
  async run(traj) {
    const { temperature, field } = traj.par
    const size = Number(traj.par.size)
    const spins = new Int8Array(size * size).fill(1)
    const at = (row: number, column: number) =>
      spins[((row + size) % size) * size + ((column + size) % size)] as number
    const trace = new Float64Array(200)
    for (let sweep = 0; sweep < trace.length; sweep += 1) {
      for (let step = 0; step < size * size; step += 1) {
        const [row, column] = [traj.random.integers(0, size), traj.random.integers(0, size)]
        const spin = at(row, column)
        const around = at(row - 1, column) + at(row + 1, column) + at(row, column - 1) + at(row, column + 1)
        const change = 2 * spin * (around + field)
        if (change <= 0 || traj.random.uniform() < Math.exp(-change / temperature))
          spins[row * size + column] = -spin
      }
      trace[sweep] = spins.reduce((sum, spin) => sum + spin, 0) / spins.length
    }
    if (temperature < 0.3) throw new RangeError('the lattice is frozen')
    traj.addResult('magnetisation', Math.abs(trace.slice(100).reduce((sum, each) => sum + each, 0)) / 100)
    traj.addResult('trace', trace)
    traj.addResult('spins', { data: spins, shape: [size, size] })
  },
})
