/** A damped oscillator that is driven: x'' + damping x' + naturalFrequency² x = cos(frequency t). */

export interface Oscillator {
  /** rad/s without damping. */
  readonly naturalFrequency: number
  /** 1/s */
  readonly damping: number
}

const STEPS_PER_PERIOD = 200
/** What the oscillator began with has died away by then, to the last digits of a float64. */
const PERIODS_BEFORE = 40
const PERIODS_MEASURED = 2

/**
 * The amplitude with which it answers a drive of this frequency (rad/s), simulated: the equation is integrated by the
 * fourth-order Runge-Kutta method, and the steady oscillation projected on the drive.
 */
export function steadyAmplitude({ naturalFrequency, damping }: Oscillator, frequency: number): number {
  const step = (2 * Math.PI) / frequency / STEPS_PER_PERIOD
  const acceleration = (time: number, x: number, v: number) =>
    Math.cos(frequency * time) - damping * v - naturalFrequency ** 2 * x
  let [x, v] = [0, 0]
  let [inPhase, inQuadrature] = [0, 0]
  const stepCount = (PERIODS_BEFORE + PERIODS_MEASURED) * STEPS_PER_PERIOD
  for (let index = 0; index < stepCount; index += 1) {
    const time = index * step
    if (index >= PERIODS_BEFORE * STEPS_PER_PERIOD) {
      inPhase += x * Math.cos(frequency * time)
      inQuadrature += x * Math.sin(frequency * time)
    }
    const [v1, a1] = [v, acceleration(time, x, v)]
    const [v2, a2] = [
      v + (step / 2) * a1,
      acceleration(time + step / 2, x + (step / 2) * v1, v + (step / 2) * a1),
    ]
    const [v3, a3] = [
      v + (step / 2) * a2,
      acceleration(time + step / 2, x + (step / 2) * v2, v + (step / 2) * a2),
    ]
    const [v4, a4] = [v + step * a3, acceleration(time + step, x + step * v3, v + step * a3)]
    x += (step / 6) * (v1 + 2 * v2 + 2 * v3 + v4)
    v += (step / 6) * (a1 + 2 * a2 + 2 * a3 + a4)
  }
  return (2 * Math.hypot(inPhase, inQuadrature)) / (PERIODS_MEASURED * STEPS_PER_PERIOD)
}

/** Where theory has the largest amplitude, and how large that is. */
export function resonance({ naturalFrequency, damping }: Oscillator): {
  readonly frequency: number
  readonly amplitude: number
} {
  return {
    frequency: Math.sqrt(naturalFrequency ** 2 - damping ** 2 / 2),
    amplitude: 1 / (damping * Math.sqrt(naturalFrequency ** 2 - damping ** 2 / 4)),
  }
}
