import { isPypetError, type PypetError } from '../../src/errors.ts'

/** The PypetError that the work is refused with; anything else, also success, fails the test. */
export async function refusal(work: () => unknown): Promise<PypetError> {
  try {
    await work()
  } catch (error) {
    if (isPypetError(error)) return error
    throw error
  }
  throw new Error('expected a PypetError, but nothing was refused')
}
