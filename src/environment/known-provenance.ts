/** Whether it is known already where the results come from. Apart from `provenance`, because only this reads the file. */
import { openHdf5Reader } from '../reading/reader.ts'
import { serviceHasProvenance } from '../storage/service/service-store.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'

/** Whether an earlier session has recorded it: in the file, or with the user's own storage. */
export async function hasProvenance(
  { opening, settings }: Pick<PreparedExperiment, 'opening' | 'settings'>,
  environment: string,
): Promise<boolean> {
  const { filename, name, useHdf5 } = settings
  if (!useHdf5) return opening.kind === 'continue' && serviceHasProvenance(opening.cntFile)
  using reader = await openHdf5Reader(filename)
  return reader.kind(`/${name}/config/environment/${environment}/provenance/argv`) !== undefined
}
