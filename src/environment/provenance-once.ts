/** Collects and stores provenance once per experiment, whatever happens to its sessions. */
import type { Extension } from '../protocol.ts'
import type { EnvironmentIdentity } from './experiment-config.ts'
import type { PreparedExperiment } from './prepared-experiment.ts'
import { collectProvenance } from './provenance.ts'

/** Where the results come from. */
export interface Provenance {
  /** Starts collecting what needs no file. Most of the work is done by other programs, such as git. */
  begin(): void
  /** Resolves to what is not stored yet. Never rejects because something is missing. */
  collected(): Promise<Extension>
}

/** Collects it once, even if a second session replaces the first. */
export function provenanceOf(
  experiment: PreparedExperiment,
  { name: environment }: EnvironmentIdentity,
  { notice, signal }: { readonly notice: (message: string) => void; readonly signal: AbortSignal },
): Provenance {
  const { opening, settings } = experiment
  const nothing: Extension = { groups: [], leaves: [], links: [] }
  let collecting: Promise<Extension> | undefined
  const isKnown = () => hasProvenance(experiment, environment)
  const collect = async (): Promise<Extension> => {
    if (!settings.provenance) return nothing
    const known = opening.kind !== 'new' && (await isKnown())
    return await collectProvenance(experiment, { environment, isKnown: known, notice, signal })
  }
  let sessionCount = 0
  return {
    begin() {
      // For another trajectory, this must check what the file has, which nobody else may be writing at that time.
      if (opening.kind === 'new') collecting ??= collect()
    },
    async collected() {
      sessionCount += 1
      collecting ??= collect()
      // After the death of a writer, which may have stored it.
      const isStored = sessionCount > 1 && settings.provenance && (!settings.useHdf5 || (await isKnown()))
      return isStored ? nothing : await collecting
    },
  }
}

/**
 * Whether an earlier session has recorded it, in the file or in the user's storage. Only this function reads the file.
 */
async function hasProvenance(
  { opening, settings }: Pick<PreparedExperiment, 'opening' | 'settings'>,
  environment: string,
): Promise<boolean> {
  const { filename, name, useHdf5 } = settings
  if (!useHdf5) {
    const { serviceHasProvenance } = await import('../storage/service/service-store.ts')
    return opening.kind === 'continue' && serviceHasProvenance(opening.cntFile)
  }
  const { openHdf5Reader } = await import('../reading/reader.ts')
  using reader = await openHdf5Reader(filename)
  return reader.kind(`/${name}/config/environment/${environment}/provenance/argv`) !== undefined
}
