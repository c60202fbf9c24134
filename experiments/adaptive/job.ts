import { cartesianProduct, defineExperiment, linspace, parameter } from 'pypet-ts'
import { steadyAmplitude } from './oscillator.ts'

/** rad/s. When the neighbours of the best frequency are nearer than this, it is found. */
const PRECISION = 1e-4

export default defineExperiment({
  name: 'resonance',
  comment: 'Looks for the frequency at which a driven oscillator answers most',
  parameters: {
    frequency: parameter(1, { comment: 'of the drive, in rad/s' }),
    oscillator: { naturalFrequency: 2, damping: 0.5 },
  },
  // From here on, what to run next follows from what was found.
  explore: cartesianProduct({ frequency: linspace(0.5, 4.5, 9) }),
  run(traj) {
    const { frequency, oscillator } = traj.par
    const amplitude = steadyAmplitude(oscillator, frequency)
    traj.addResult('amplitude', amplitude, { comment: 'of the steady oscillation' })
    return { frequency, amplitude }
  },
  postprocess(traj, results) {
    const found = results
      .map(([, value]) => value as { frequency: number; amplitude: number })
      .sort((a, b) => a.frequency - b.frequency)
    const best = found.reduce((a, b) => (b.amplitude > a.amplitude ? b : a))
    const at = found.indexOf(best)
    const [below, above] = [found[at - 1] ?? best, found[at + 1] ?? best]
    const distance = Math.max(best.frequency - below.frequency, above.frequency - best.frequency)
    if (distance < PRECISION) {
      traj.addResult('resonance', { ...best }, { comment: 'the frequency that was looked for' })
      return []
    }
    // The maximum lies between the neighbours: two new points on each side, at thirds of the way.
    return [below, above].flatMap((neighbour) =>
      [1 / 3, 2 / 3]
        .map((part) => best.frequency + part * (neighbour.frequency - best.frequency))
        .filter((frequency) => frequency !== best.frequency)
        .map((frequency) => ({ frequency })),
    )
  },
})
